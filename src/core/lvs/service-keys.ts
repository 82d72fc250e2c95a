/** The services of the kernel that one virtual server stands for: one, or one for each address and mark of its group. */
import { compareIp, familyOf, type IpAddress, ipBytes, ipFromBytes } from "../lib/ip.ts";
import type { GroupEntry, ServiceKey, VirtualServerConfig } from "./config.ts";

export function serviceKeys({
  target,
  family,
  protocol,
}: Pick<VirtualServerConfig, "target" | "family" | "protocol">): readonly ServiceKey[] {
  switch (target.kind) {
    case "address":
      return [addressKey(target.address, target.port, protocol)];
    case "fwmark":
      return [{ kind: "fwmark", family: family ?? 4, mark: target.mark }];
    default:
      return target.group.entries.flatMap((entry) => entryKeys(entry, family, protocol));
  }
}

function entryKeys(
  entry: GroupEntry,
  family: VirtualServerConfig["family"],
  protocol: VirtualServerConfig["protocol"],
): readonly ServiceKey[] {
  if (entry.kind === "fwmark") return [{ kind: "fwmark", family: entry.family ?? family ?? 4, mark: entry.mark }];
  const keys: ServiceKey[] = [];
  for (let at = entry.first; compareIp(at, entry.last) <= 0; at = nextAddress(at)) {
    keys.push(addressKey(at, entry.port, protocol));
    if (at === entry.last) break;
  }
  return keys;
}

function addressKey(address: IpAddress, port: number, protocol: VirtualServerConfig["protocol"]): ServiceKey {
  return { kind: "address", family: familyOf(address), protocol: protocol ?? "udp", address, port };
}

function nextAddress(address: IpAddress): IpAddress {
  const bytes = ipBytes(address);
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = ((bytes[at] as number) + 1) & 0xff;
    if (bytes[at] !== 0) break;
  }
  return ipFromBytes(familyOf(address), bytes, 0);
}

/** One text for equal keys: `tcp [192.0.2.1]:80`, `fwmark 5 IPv4`. */
export function keyText(key: ServiceKey): string {
  return key.kind === "fwmark" ? `fwmark ${key.mark} IPv${key.family}` : `${key.protocol} [${key.address}]:${key.port}`;
}
