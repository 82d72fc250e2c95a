/** Settings of interfaces under /proc/sys/net/ipv4/conf (the kernel's ip-sysctl documentation). Small files, read and written at once. */
import { readFileSync, writeFileSync } from "node:fs";
import type { KernelError } from "../ports/network.ts";
import type { InterfaceSettings } from "../ports/routing.ts";

const fileOf = (device: string, name: string): string => `/proc/sys/net/ipv4/conf/${device}/${name}`;

export function createInterfaceSettings(): InterfaceSettings {
  return {
    read(device, name) {
      try {
        return readFileSync(fileOf(device, name), "utf8").trim();
      } catch {
        return null;
      }
    },
    write(device, name, value): KernelError | null {
      try {
        writeFileSync(fileOf(device, name), value);
        return null;
      } catch (error) {
        const code = (error as { code?: unknown } | null)?.code;
        return { errno: typeof code === "string" ? code : "EIO", what: `write ${fileOf(device, name)}` };
      }
    },
  };
}
