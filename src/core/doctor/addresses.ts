/** Virtual addresses as they are on this host and on its links: left over, held twice, held by nobody, or in the hands of somebody else. Pure. */
import type { IpAddress } from "../lib/ip.ts";
import type { LivingKeepalived } from "../peer-link/stale.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../vrrp/config.ts";
import { found, type HostFinding, type Unseen } from "./catalogue.ts";
import type { DaemonFacts } from "./daemon-facts.ts";

export interface AddressFacts {
  readonly instances: readonly VrrpInstanceConfig[];
  readonly daemon: DaemonFacts | null;
  /** Where no daemon answers: why one may run all the same. Null: none does. */
  readonly perhaps: string | null;
  /** Instances whose adverts this host sent while the doctor listened: they are held, whoever says what. */
  readonly sending: ReadonlySet<string>;
  /** Interfaces of this host that carry it and answer for it: no loopback, no tunnel. */
  readonly placesOf: (address: IpAddress) => readonly string[];
  /** Hardware addresses that answer for it; addresses that could not be asked are missing. */
  readonly answers: ReadonlyMap<IpAddress, readonly string[]>;
  /** Hardware addresses of this host: of two interfaces in one segment the one hears the other. */
  readonly ownMacs: ReadonlySet<string>;
  /** Instances of which a master is heard and believed. */
  readonly mastered: ReadonlySet<string>;
  /** With at least one address of the same file, or whose file cannot be read. */
  readonly keepalived: readonly LivingKeepalived[];
  readonly managers: readonly { readonly device: string; readonly manager: "NetworkManager" | "systemd-networkd" }[];
}

export interface AddressVerdict {
  readonly findings: readonly HostFinding[];
  readonly unseen: readonly Unseen[];
}

export function judgeAddresses(facts: AddressFacts): AddressVerdict {
  const judged = facts.instances.flatMap((vrrp) =>
    [...vrrp.advertised, ...vrrp.excluded].map((one) => judgeAddress(vrrp, one, facts)),
  );
  return {
    findings: [...judged.flatMap(({ findings }) => findings), ...otherKeepers(facts), ...managed(facts)],
    unseen: judged.flatMap(({ unseen }) => unseen),
  };
}

const ACTING = new Set(["MASTER", "CLAIMING", "PREPARING", "RELEASING"]);

function judgeAddress(vrrp: VrrpInstanceConfig, one: VirtualAddress, facts: AddressFacts): AddressVerdict {
  const places = facts.placesOf(one.address);
  const [device] = places;
  const left = device === undefined ? NOTHING : leftOver(vrrp, { ...one, on: places.join(", "), device }, facts);
  return { findings: [...left.findings, ...answered(vrrp, one, places, facts)], unseen: left.unseen };
}

const NOTHING: AddressVerdict = { findings: [], unseen: [] };

interface Held {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly device: string;
  /** All of them. */
  readonly on: string;
}

/** Deleting the address of a living master is the worst that a remedy can do: none is offered while there is a doubt. */
function leftOver(vrrp: VrrpInstanceConfig, held: Held, facts: AddressFacts): AddressVerdict {
  const { address, on } = held;
  const own = facts.daemon?.instances.find((one) => one.name === vrrp.name);
  if (own === undefined) return withoutAccount(vrrp, held, facts);
  if (own.holding || ACTING.has(own.phase) || facts.sending.has(vrrp.name)) return NOTHING;
  const what = `${address} is on ${on}, and this host is ${own.state}`;
  return { findings: [found("vip-left-over", vrrp.name, what, `holdfast release-stale ${address}`)], unseen: [] };
}

function withoutAccount(
  vrrp: VrrpInstanceConfig,
  { address, prefixLength, device, on }: Held,
  { daemon, perhaps, sending, keepalived }: AddressFacts,
): AddressVerdict {
  if (keepalived.length > 0) return NOTHING;
  const doubt = sending.has(vrrp.name)
    ? "adverts of its virtual router left this host while doctor listened"
    : daemon === null
      ? perhaps
      : `the daemon that answers has no instance ${vrrp.name}`;
  if (doubt !== null) {
    const fix =
      daemon === null
        ? "holdfast doctor as root, with --socket or -p of that daemon"
        : "holdfast doctor without -f judges by the daemon's own file; holdfast reload, where that has been changed";
    return { findings: [], unseen: [{ what: `whether ${address} is left over on ${on}`, why: doubt, fix }] };
  }
  const what = `${address} is on ${on}, and no daemon runs that would hold it`;
  const fix = `ip addr del ${address}/${prefixLength} dev ${device}`;
  return { findings: [found("vip-left-over", vrrp.name, what, fix)], unseen: [] };
}

function answered(
  vrrp: VrrpInstanceConfig,
  { address, device }: VirtualAddress,
  places: readonly string[],
  { answers, ownMacs, mastered }: AddressFacts,
): readonly HostFinding[] {
  const all = answers.get(address);
  if (all === undefined) return [];
  const macs = all.filter((mac) => !ownMacs.has(mac));
  const link = device ?? vrrp.interface;
  if (macs.length + (places.length > 0 ? 1 : 0) > 1) {
    const who = places.length > 0 ? `${macs.join(", ")}, beside this host,` : macs.join(", ");
    const fix = `holdfast doctor --vip ${address}; on the host that should not: holdfast release-stale ${address}, or, where no holdfast runs, ip addr del there`;
    return [found("vip-twice", vrrp.name, `${address} is answered for by ${who} on the link of ${link}`, fix)];
  }
  // Of a virtual router both hosts may have the same (virtual) hardware address: who answers with ours counts here.
  if (all.length > 0 || places.length > 0 || !mastered.has(vrrp.name)) return [];
  return [found("vip-silent", vrrp.name, `a master is heard, and nobody answers for ${address} on ${link}`)];
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
