/**
 * Whether the gateway of the default route answers: /proc/net/route says who it is, ping(8) asks it, since only that may without further
 * privileges. Belongs to the network namespace of the process.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import type { GatewayProbe } from "../ports/takeover.ts";

export function createGatewayProbe(): GatewayProbe {
  return {
    ask(timeoutMillis) {
      const gateway = defaultGateway(routeTable());
      if (gateway === null) return Promise.resolve(null);
      const seconds = Math.max(1, Math.ceil(timeoutMillis / 1_000));
      return new Promise((resolve) => {
        const options = { timeout: timeoutMillis + 500, killSignal: "SIGKILL" } as const;
        execFile("ping", ["-nqc1", `-W${seconds}`, gateway], options, (error) =>
          resolve(error === null ? "reachable" : "unreachable"),
        );
      });
    },
  };
}

function routeTable(): string {
  try {
    return readFileSync("/proc/net/route", "utf8");
  } catch {
    return "";
  }
}

const RTF_GATEWAY = 0x2;

/** The gateway with the lowest metric; addresses there are hexadecimal in the machine's byte order (little endian on all that we run on). */
export function defaultGateway(table: string): string | null {
  const routes = table
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t").map((field) => field.trim()))
    .filter(([, to, , flags, , , , mask]) => to === "00000000" && mask === "00000000" && hasGateway(flags))
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  const bytes = /^(..)(..)(..)(..)$/.exec(routes[0]?.[2] ?? "");
  if (bytes === null) return null;
  return bytes
    .slice(1)
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".");
}

const hasGateway = (flags: string | undefined): boolean => (Number.parseInt(flags ?? "0", 16) & RTF_GATEWAY) !== 0;
