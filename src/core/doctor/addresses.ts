/** Virtual addresses as they are on this host and on its links: left over, held twice, held by nobody, or in the hands of somebody else. Pure. */
import type { IpAddress } from "../lib/ip.ts";
import type { LivingKeepalived } from "../peer-link/stale.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../vrrp/config.ts";
import { found, type HostFinding } from "./catalogue.ts";
import type { DaemonFacts } from "./daemon-facts.ts";

export interface AddressFacts {
  readonly instances: readonly VrrpInstanceConfig[];
  readonly daemon: DaemonFacts | null;
  /** Interfaces of this host that carry it. */
  readonly placesOf: (address: IpAddress) => readonly string[];
  /** Hardware addresses of other hosts that answer for it; addresses that could not be asked are missing. */
  readonly answers: ReadonlyMap<IpAddress, readonly string[]>;
  /** Instances of which a master is heard and believed. */
  readonly mastered: ReadonlySet<string>;
  /** With at least one address of the same file, or whose file cannot be read. */
  readonly keepalived: readonly LivingKeepalived[];
  readonly managers: readonly { readonly device: string; readonly manager: "NetworkManager" | "systemd-networkd" }[];
}

export function judgeAddresses(facts: AddressFacts): readonly HostFinding[] {
  return [
    ...facts.instances.flatMap((vrrp) =>
      [...vrrp.advertised, ...vrrp.excluded].flatMap((one) => judgeAddress(vrrp, one, facts)),
    ),
    ...otherKeepers(facts),
    ...managed(facts),
  ];
}

const ACTING = new Set(["MASTER", "CLAIMING", "PREPARING", "RELEASING"]);

function judgeAddress(vrrp: VrrpInstanceConfig, { address, prefixLength }: VirtualAddress, facts: AddressFacts) {
  const places = facts.placesOf(address);
  return [...leftOver(vrrp, { address, prefixLength, places }, facts), ...answered(vrrp, address, places, facts)];
}

function leftOver(
  vrrp: VrrpInstanceConfig,
  { address, prefixLength, places }: { address: IpAddress; prefixLength: number; places: readonly string[] },
  { daemon, keepalived }: AddressFacts,
): readonly HostFinding[] {
  const [device] = places;
  if (device === undefined) return [];
  const own = daemon?.instances.find((one) => one.name === vrrp.name);
  if (own === undefined) {
    if (keepalived.length > 0) return [];
    const what = `${address} is on ${places.join(", ")}, and no daemon runs that would hold it`;
    return [found("vip-left-over", vrrp.name, what, `ip addr del ${address}/${prefixLength} dev ${device}`)];
  }
  if (own.holding || ACTING.has(own.phase)) return [];
  const what = `${address} is on ${places.join(", ")}, and this host is ${own.state}`;
  return [found("vip-left-over", vrrp.name, what, `holdfast release-stale ${address}`)];
}

function answered(
  vrrp: VrrpInstanceConfig,
  address: IpAddress,
  places: readonly string[],
  { answers, mastered }: AddressFacts,
): readonly HostFinding[] {
  const macs = answers.get(address);
  if (macs === undefined) return [];
  const holders = macs.length + (places.length > 0 ? 1 : 0);
  if (holders > 1) {
    const who = places.length > 0 ? `${macs.join(", ")}, beside this host,` : macs.join(", ");
    const fix = `holdfast doctor --vip ${address}; on the host that should not: holdfast release-stale ${address}`;
    return [
      found("vip-twice", vrrp.name, `${address} is answered for by ${who} on the link of ${vrrp.interface}`, fix),
    ];
  }
  if (holders > 0 || !mastered.has(vrrp.name)) return [];
  return [found("vip-silent", vrrp.name, `a master is heard, and nobody answers for ${address} on ${vrrp.interface}`)];
}

function otherKeepers({ daemon, keepalived }: AddressFacts): readonly HostFinding[] {
  if (daemon === null) return [];
  return keepalived.map(({ pid, file, names }) => {
    const what = names === null ? "and that file cannot be read" : "and that file has addresses of ours";
    const fix = "systemctl disable --now keepalived";
    return found("keepalived-runs", null, `keepalived runs (pid ${pid}) with ${file}, ${what}`, fix);
  });
}

function managed({ instances, managers }: AddressFacts): readonly HostFinding[] {
  const carrying = new Set(
    instances.flatMap((vrrp) => [...vrrp.advertised, ...vrrp.excluded].map((one) => one.device ?? vrrp.interface)),
  );
  return managers
    .filter(({ device }) => carrying.has(device))
    .map(({ device, manager }) => {
      const fix =
        manager === "NetworkManager"
          ? `nmcli device set ${device} managed no, where another tool sets the interface up; otherwise do not reapply its profile while this host serves`
          : `[Network] KeepConfiguration=static in the .network file of ${device} (networkctl status ${device} names it)`;
      return found("address-manager", device, `${manager} manages ${device}, which carries virtual addresses`, fix);
    });
}
