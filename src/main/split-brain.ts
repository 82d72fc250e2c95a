/** What the watch for a second master asks: the keeper, the peers' daemons, and whoever answers on the link. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { type PeerLinkConfig, placeInWords } from "../core/peer-link/config.ts";
import type { PeerInstance } from "../core/peer-link/questions.ts";
import type { Sign } from "../core/split-brain/signs.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { ControlProcess } from "../engine/control-process.ts";
import type { EventBus } from "../engine/event-bus.ts";
import { SplitBrainWatch } from "../engine/split-brain.ts";
import type { AddressProbe } from "../ports/address-probe.ts";
import type { PeerState } from "../ports/peer-link.ts";
import type { Timers } from "../ports/timers.ts";
import type { WriterJournal } from "../ports/writer-journal.ts";

export interface SplitBrainTools {
  readonly bus: EventBus;
  readonly timers: Timers;
  readonly keeper: () => ControlProcess["keeper"];
  readonly config: () => HoldfastConfig;
  readonly peers: () => readonly PeerState[];
  readonly probe: AddressProbe;
  readonly writers: WriterJournal;
}

export interface DaemonSplitBrain {
  configure(link: PeerLinkConfig | null): void;
  close(): void;
}

/** What a peer has said longer ago is no news. Microseconds. */
const FRESH = 3_000_000;
const PROBE_MILLIS = 200;
/** An instance may have hundreds: one that is held twice is held twice as a whole. */
const ASKED_MOST = 2;

export function watchSplitBrain(tools: SplitBrainTools): DaemonSplitBrain {
  const { bus, timers, keeper, config } = tools;
  let own: readonly VrrpInstanceStatus[] = [];
  let linked = false;
  const vrrpOf = (name: string) => config().instances.find(({ vrrp }) => vrrp.name === name) ?? null;
  const watch = new SplitBrainWatch({
    timers,
    publish: (body) => bus.publish("vrrp", body),
    hasPeers: () => linked,
    async instances() {
      const known = await keeper().status();
      if (known === null) return null;
      own = known;
      return known.flatMap(({ name, state }) => {
        const instance = vrrpOf(name);
        return instance === null
          ? []
          : [{ name, master: state === "MASTER", advertInterval: instance.vrrp.advertInterval }];
      });
    },
    peerSigns(name) {
      const instance = vrrpOf(name);
      const status = own.find((one) => one.name === name);
      return instance === null || status === undefined ? [] : peerSigns(tools, instance, status);
    },
    addressSigns: async (name, also) => {
      const instance = vrrpOf(name);
      if (instance === null) return [];
      const { vrrp } = instance;
      const all = [...vrrp.advertised, ...vrrp.excluded];
      const first = all.slice(0, ASKED_MOST);
      const wanted = [...first, ...all.filter((one) => also.includes(one.address) && !first.includes(one))];
      const asked = wanted
        .slice(0, 2 * ASKED_MOST)
        .map((one) => addressSign(tools, one.address, one.device ?? vrrp.interface));
      return (await Promise.all(asked)).flat();
    },
  });
  const stop = bus.subscribe((event) => watch.hear(event));
  return {
    configure(link) {
      linked = link !== null;
      watch.begin();
    },
    close() {
      stop();
      watch.end();
    },
  };
}

async function addressSign({ probe }: SplitBrainTools, address: IpAddress, device: string): Promise<readonly Sign[]> {
  const answered = await probe.whoAnswers(address, { device, millis: PROBE_MILLIS });
  if (!answered.ok) return [];
  return answered.value.map((mac): Sign => ({ kind: "address", address, mac, interface: device }));
}

function peerSigns(
  { peers, timers, writers }: SplitBrainTools,
  { vrrp, managesMysql }: HoldfastConfig["instances"][number],
  status: VrrpInstanceStatus,
): readonly Sign[] {
  const now = timers.now();
  const addresses: ReadonlySet<string> = new Set(vrrp.advertised.map(({ address }) => address));
  const isSame = (one: PeerInstance): boolean =>
    one.virtualRouterId === vrrp.virtualRouterId &&
    one.family === vrrp.family &&
    one.addresses.some((address) => addresses.has(address));
  const mine = managesMysql === null ? null : writers.last(managesMysql);
  return peers().flatMap(({ place, node, last }): readonly Sign[] => {
    // What it said before this host was master is of the hand-over.
    if (last === null || now - last.askedAt > FRESH || last.askedAt <= status.since) return [];
    const peer = node === null ? placeInWords(place) : node.host;
    const holds = last.answer.instances.find((one) => isSame(one) && one.holding);
    const theirs = last.answer.writers.find(({ group, role }) => group === managesMysql && role === "writer");
    return [
      ...(holds === undefined
        ? []
        : [{ kind: "peer", peer, priority: holds.priority, ours: status.priority } as const]),
      ...(mine?.role !== "writer" || theirs === undefined || theirs.epoch < mine.epoch
        ? []
        : [{ kind: "writer", group: mine.group, peer, epoch: theirs.epoch, ours: mine.epoch } as const]),
    ];
  });
}
