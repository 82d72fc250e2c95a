/** What goes wrong with the store, beside what goes wrong with hosts and network. A host that stands still as a whole is left out: it stops every clock in it. */
import type { IpAddress } from "../../core/lib/ip.ts";
import { FAULTS, type Fault, type FaultTable } from "../faults.ts";
import type { Host } from "../host.ts";
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";
import type { Loss } from "./store.ts";
import type { StoreWeather } from "./weather.ts";

export interface StoreSide {
  readonly address: IpAddress;
  readonly ttl: number;
  readonly weather: StoreWeather;
  /** It forgets as soon as somebody could notice. */
  readonly forget: (loss: Loss) => void;
  /** How likely the server of a claim is to refuse. */
  refuses: number;
}

const OF_HOSTS = [
  "kill keeper",
  "kill control",
  "kill both",
  "stop daemon",
  "freeze keeper",
  "freeze control",
  "freeze both",
  "power off",
  "link down",
  "link flaps",
  "check fails",
  "address removed",
  "wall clock step",
  "partition",
  "one-way cut",
  "bad weather",
];

/** So long before its grant is over a holder that can still act lets go in order. */
const LETS_GO = 1_100_000;
/** An answer that is so late is just in time. */
const SLOW_MOST = 600_000;
const DELAY_MIN = 20_000;
const DELAY_MAX = 4_000_000;

const HANGS = ["freeze both", "freeze both", "kill both", "freeze keeper", "freeze control"];

interface Scene {
  readonly world: World;
  readonly host: Host;
  readonly prng: Prng;
}

const holderOf = ({ address }: StoreSide, world: World, host: Host): Host =>
  world.hosts.find((one) => one.answers(address)) ?? host;

/** Answers become late, then the holder is cut off from the store, or from everybody, and now and then the store forgets. */
function endOfGrant(
  side: StoreSide,
  { world, host, prng }: Scene,
  afterwards: (holder: Host) => () => void,
): () => void {
  const { weather, ttl } = side;
  const holder = holderOf(side, world, host);
  const alone = prng.chance(0.7);
  weather.delay = prng.chance(0.5) ? prng.between(0, SLOW_MOST) : 0;
  let open = true;
  const mends: (() => void)[] = [];
  world.after(prng.between(0, 2_000_000), () => {
    weather.delay = 0;
    if (!open) return;
    mends.push(alone ? world.network.partition([holder.node]) : weather.cut([holder.node]), afterwards(holder));
    if (prng.chance(0.4)) world.after(prng.between(0, ttl), () => side.forget(prng.pick(lossesOf(prng))));
  });
  return () => {
    open = false;
    for (const mend of mends) mend();
  };
}

const lossesOf = (prng: Prng): readonly Loss[] => ["key", "all", 1, 2, prng.integer(3, 40)];

function ofStore(side: StoreSide): FaultTable {
  const { weather } = side;
  const share = (name: "stale" | "lostAnswers" | "late", least: number, most: number): Fault => {
    return (_world, _host, prng) => {
      weather[name] = prng.between(least, most);
      return () => {
        weather[name] = 0;
      };
    };
  };
  return {
    "store has no leader": (_world, _host, prng) => {
      weather.leader = prng.chance(0.5) ? "refuses" : "silent";
      return () => {
        weather.leader = "there";
      };
    },
    "store is slow": (_world, _host, prng) => {
      weather.delay = prng.logBetween(DELAY_MIN, DELAY_MAX);
      return () => {
        weather.delay = 0;
      };
    },
    "store is cut off": (_world, { node }) => weather.cut([node]),
    "store is cut off from all": (world) => weather.cut(world.hosts.map(({ node }) => node)),
    "store answers out of the past": share("stale", 0.05, 0.6),
    "store's answers are lost": share("lostAnswers", 0.1, 0.9),
    "writes arrive late": share("late", 0.05, 0.6),
    "store forgets": (_world, _host, prng) => {
      side.forget(prng.pick(lossesOf(prng)));
      return null;
    },
    // In the last moments of a grant it matters what its holder can still do, and what the others believe.
    "holder is cut off": (world, host, prng) => endOfGrant(side, { world, host, prng }, () => () => undefined),
    "holder is cut off and hangs": (world, host, prng) => {
      return endOfGrant(side, { world, host, prng }, (holder) => {
        const kind = prng.pick(HANGS);
        let over = (): void => undefined;
        const inTime = prng.chance(0.7)
          ? side.ttl - prng.between(LETS_GO, LETS_GO + 2_500_000)
          : prng.between(0, side.ttl);
        world.after(inTime, () => {
          over = FAULTS[kind]?.(world, holder, prng) ?? over;
        });
        return () => over();
      });
    },
    "server refuses": (_world, _host, prng) => {
      side.refuses = prng.between(0.3, 1);
      return () => {
        side.refuses = 0;
      };
    },
  };
}

/** From the end of the wait on: an operator has had the time to look. */
const ORDERED_MAX = 3_000_000;
/** A store that is there again for so long, and so long away after that. */
const FLAP_MIN = 50_000;
const FLAP_MAX = 3_000_000;
const AWAY_MAX = 8_000_000;

/** One host, or all, lose the store until an operator may overrule it; it is there for a moment, and away again, perhaps with the other hosts. */
function flaps(side: StoreSide): Fault {
  return (world, host, prng) => {
    const { weather, ttl } = side;
    const nodes = prng.chance(0.7) ? [host.node] : world.hosts.map(({ node }) => node);
    const back = weather.cut(nodes);
    world.after((ttl + 1_100_000) * (1 + 0.003) + prng.between(0, ORDERED_MAX), () => {
      back();
      world.after(prng.logBetween(FLAP_MIN, FLAP_MAX), () => {
        const mends = [weather.cut(nodes), prng.chance(0.7) ? world.network.partition([host.node]) : null];
        world.after(prng.between(0, AWAY_MAX), () => {
          for (const mend of mends) mend?.();
        });
      });
    });
    // Shorter than any round, so it ends by itself.
    return null;
  };
}

/** `overrules`: an operator is there. */
export function quorumFaults(side: StoreSide, overrules: boolean): FaultTable {
  const ofHosts = Object.entries(FAULTS).filter(([kind]) => OF_HOSTS.includes(kind));
  const faults = overrules ? { ...ofStore(side), "store flaps": flaps(side) } : ofStore(side);
  const ofTheStore = Object.entries(faults).map(([kind, fault]): [string, Fault] => [kind, told(kind, fault)]);
  return Object.fromEntries([...ofHosts, ...ofTheStore]);
}

/** To the election's rules: every host may do what they cannot foresee. */
function told(kind: string, fault: Fault): Fault {
  return (world, host, prng) => {
    const mend = fault(world, host, prng);
    const tell = (active: boolean): void => {
      for (const { node } of world.hosts) world.disturbances.node(node, kind, active);
    };
    tell(mend !== null);
    return mend === null
      ? null
      : () => {
          mend();
          tell(false);
        };
  };
}
