/** `holdfast release-stale`: finds out what core/peer-link/stale.ts judges by, and removes the address when that is allowed. */
import { networkInterfaces } from "node:os";
import type { ReleaseStaleOutcome } from "../control/actions.ts";
import { loadConfig } from "../core/config/load.ts";
import type { HoldfastConfig } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { familyOf, type IpAddress, networkOf } from "../core/lib/ip.ts";
import { judgeStale, type LivingKeepalived, type StaleFacts, type StalePlace } from "../core/peer-link/stale.ts";
import type { Sight } from "../core/peer-link/who-answers.ts";
import type { VirtualAddress } from "../core/vrrp/config.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { Arena } from "../linux/arena.ts";
import { createConfigSource } from "../linux/config-source.ts";
import { keepalivedProcesses } from "../linux/keepalived-processes.ts";
import { openKernelPort } from "../linux/kernel-port.ts";
import { readSetting } from "../linux/net-settings.ts";
import type { InterfaceAddress, KernelPort } from "../ports/network.ts";

export interface StaleTools {
  readonly arena: Arena;
  readonly config: () => HoldfastConfig;
  readonly status: () => Promise<readonly VrrpInstanceStatus[] | null>;
  readonly sights: (address: IpAddress) => Promise<readonly Sight[]>;
  readonly ownPids: () => readonly number[];
  readonly publish: (body: HoldfastEventBody) => void;
}

export async function releaseStale(
  tools: StaleTools,
  address: IpAddress,
  dryRun: boolean,
): Promise<ReleaseStaleOutcome> {
  const opened = openKernelPort(tools.arena);
  if (!opened.ok) {
    const { what, errno } = opened.error;
    return refused({ message: `cannot ${what}: ${errno}`, remedy: null });
  }
  const kernel = opened.value;
  try {
    // The keeper is asked last: it is the one whose answer changes by itself.
    const sights = await tools.sights(address);
    const owners = ownersOf(await tools.status(), tools.config(), address);
    const found = findAddress(kernel, address);
    const verdict = judgeStale({ ...factsOf(tools, address, found), sights, owners });
    if (!verdict.stale) return refused(verdict.refusal);
    const interfaces = found.map(({ place }) => place.interface);
    if (dryRun) return { outcome: "would-remove", interfaces, detail: verdict.proof, remedy: null };
    const problem = remove(kernel, found);
    if (problem !== null) return refused({ message: problem, remedy: null });
    tools.publish({ kind: "stale-released", address, interfaces, proof: verdict.proof });
    return { outcome: "removed", interfaces, detail: verdict.proof, remedy: null };
  } finally {
    kernel.close();
  }
}

const refused = ({ message, remedy }: { readonly message: string; readonly remedy: string | null }) => ({
  outcome: "refused" as const,
  interfaces: [],
  detail: message,
  remedy,
});

interface Found {
  readonly entry: InterfaceAddress;
  readonly place: StalePlace;
}

function findAddress(kernel: KernelPort, address: IpAddress): readonly Found[] {
  const names = new Map(kernel.links().map(({ index, name }) => [index, name]));
  const all = kernel.addresses();
  return all
    .filter((entry) => entry.address === address)
    .map((entry) => {
      const device = names.get(entry.interfaceIndex) ?? `interface ${entry.interfaceIndex}`;
      return {
        entry,
        place: { interface: device, prefixLength: entry.prefixLength, takesAlong: takenAlong(entry, device, all) },
      };
    });
}

/** inet_del_ifa() of the kernel: without promote_secondaries (of the interface or of all) those of the same prefix go with the first. */
function takenAlong(
  { interfaceIndex, address, prefixLength, secondary }: InterfaceAddress,
  device: string,
  all: readonly InterfaceAddress[],
): readonly IpAddress[] {
  if (familyOf(address) === 6 || secondary) return [];
  if ([device, "all"].some((name) => readSetting(`ipv4/conf/${name}/promote_secondaries`) === 1)) return [];
  return all
    .filter(
      (other) =>
        other.secondary &&
        other.interfaceIndex === interfaceIndex &&
        other.prefixLength === prefixLength &&
        networkOf(other.address, prefixLength) === networkOf(address, prefixLength),
    )
    .map((other) => other.address);
}

function remove(kernel: KernelPort, found: readonly Found[]): string | null {
  const failures = kernel.change(
    found.map(({ entry }) => ({
      action: "remove",
      interfaceIndex: entry.interfaceIndex,
      lifetime: null,
      address: {
        address: entry.address,
        prefixLength: entry.prefixLength,
        device: null,
        broadcast: null,
        label: null,
        scope: 0,
      },
    })),
  );
  const [first] = failures;
  return first === undefined ? null : `cannot ${first.error.what}: ${first.error.errno}`;
}

function factsOf(
  tools: StaleTools,
  address: IpAddress,
  found: readonly Found[],
): Omit<StaleFacts, "sights" | "owners"> {
  const macs = Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ mac }) => mac));
  const has = hasAddress(address);
  return {
    address,
    places: found.map(({ place }) => place),
    isStatic: tools.config().host.statics.addresses.some((one) => has(one.address)),
    keepalived: keepalivedProcesses(new Set(tools.ownPids())).map(({ pid, file }) => namesIt(pid, file, address)),
    ownMacs: new Set(macs),
  };
}

const hasAddress =
  (address: IpAddress) =>
  (one: VirtualAddress): boolean =>
    one.address === address;

function ownersOf(status: readonly VrrpInstanceStatus[] | null, config: HoldfastConfig, address: IpAddress) {
  if (status === null) return null;
  const has = hasAddress(address);
  const names = new Set(
    config.instances
      .filter(({ vrrp }) => vrrp.advertised.some(has) || vrrp.excluded.some(has))
      .map(({ vrrp }) => vrrp.name),
  );
  return status.filter(({ name, addresses }) => names.has(name) || addresses.includes(address));
}

function namesIt(pid: number, file: string, address: IpAddress): LivingKeepalived {
  return { pid, file, names: namesOneOf(file, new Set([address])) };
}

/** Whether a keepalived with that file would set one of the addresses; null when it cannot be read. */
export function namesOneOf(file: string, addresses: ReadonlySet<IpAddress>): boolean | null {
  const { readable, config } = loadConfig(createConfigSource(), file, {});
  if (!readable) return null;
  const has = ({ address }: Pick<VirtualAddress, "address">): boolean => addresses.has(address);
  return (
    config.instances.some(({ vrrp }) => vrrp.advertised.some(has) || vrrp.excluded.some(has)) ||
    config.host.statics.addresses.some(({ address }) => has(address))
  );
}
