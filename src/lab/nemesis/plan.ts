/**
 * What is done to a pair, and when: drawn from the seed alone, so that a run can be repeated as far as real programs allow. At most two faults
 * last at the same time, and never two of the same thing.
 */

export type FaultKind =
  | "kill-daemon"
  | "kill-keeper"
  | "kill-control"
  | "freeze-daemon"
  | "freeze-keeper"
  | "freeze-control"
  | "kill-database"
  | "freeze-database"
  | "restart-database"
  | "power-off"
  | "link-down"
  | "link-silent"
  | "deaf"
  | "partition"
  | StoreFaultKind;

/** Of a pair with `quorum_store` alone. */
export type StoreFaultKind = "kill-store" | "stop-store" | "freeze-store" | "cut-store" | "gateway-silent";

export type Target = "db1" | "db2";

export interface PlannedFault {
  readonly kind: FaultKind;
  readonly target: Target;
  /** Milliseconds from the beginning of the run. */
  readonly at: number;
  /** Until it is healed, milliseconds. */
  readonly lasts: number;
}

interface KindOfFault {
  readonly words: (target: Target, other: Target) => string;
  /** How often it is drawn, compared with the others. */
  readonly weight: number;
  /** Two faults that share one of these never last together; `network` is the whole network's, the others are the target's. */
  readonly touches: readonly ("daemon" | "database" | "network" | "store")[];
}

export const KINDS: Readonly<Record<FaultKind, KindOfFault>> = {
  "kill-daemon": {
    words: (target) => `both processes of the daemon on ${target} get kill -9`,
    weight: 3,
    touches: ["daemon"],
  },
  "kill-keeper": {
    words: (target) => `the process that sends adverts on ${target} gets kill -9`,
    weight: 2,
    touches: ["daemon"],
  },
  "kill-control": {
    words: (target) => `the controlling process on ${target} gets kill -9`,
    weight: 2,
    touches: ["daemon"],
  },
  "freeze-daemon": {
    words: (target) => `both processes of the daemon on ${target} are stopped (SIGSTOP)`,
    weight: 2,
    touches: ["daemon"],
  },
  "freeze-keeper": {
    words: (target) => `the process that sends adverts on ${target} is stopped (SIGSTOP)`,
    weight: 1,
    touches: ["daemon"],
  },
  "freeze-control": {
    words: (target) => `the controlling process on ${target} is stopped (SIGSTOP)`,
    weight: 1,
    touches: ["daemon"],
  },
  "kill-database": {
    words: (target) => `the database server on ${target} gets kill -9`,
    weight: 4,
    touches: ["database"],
  },
  "freeze-database": {
    words: (target) => `the database server on ${target} hangs (SIGSTOP)`,
    weight: 2,
    touches: ["database"],
  },
  "restart-database": {
    words: (target) => `the database server on ${target} is restarted in good order`,
    weight: 2,
    touches: ["database"],
  },
  "power-off": { words: (target) => `${target} loses its power`, weight: 2, touches: ["daemon", "database"] },
  "link-down": { words: (target) => `the cable of ${target} is pulled`, weight: 2, touches: ["network"] },
  "link-silent": {
    words: (target) => `the switch drops everything to and from ${target}`,
    weight: 3,
    touches: ["network"],
  },
  deaf: {
    words: (target, other) => `${target} gets nothing from ${other} any more; the other direction works`,
    weight: 2,
    touches: ["network"],
  },
  partition: {
    words: (target, other) => `${target} and ${other} lose each other; client and gateway reach both`,
    weight: 2,
    touches: ["network"],
  },
  "kill-store": { words: () => "the quorum store gets kill -9", weight: 3, touches: ["store"] },
  "stop-store": { words: () => "the quorum store is stopped in good order", weight: 1, touches: ["store"] },
  "freeze-store": { words: () => "the quorum store hangs (SIGSTOP)", weight: 2, touches: ["store"] },
  "cut-store": {
    words: (target) => `${target} does not reach the quorum store any more`,
    weight: 4,
    touches: ["store"],
  },
  "gateway-silent": {
    words: () => "the switch drops everything to and from the gateway",
    weight: 2,
    touches: ["network"],
  },
};

export const otherOf = (target: Target): Target => (target === "db1" ? "db2" : "db1");

export function wordsOf({ kind, target }: Pick<PlannedFault, "kind" | "target">): string {
  return KINDS[kind].words(target, otherOf(target));
}

const FIRST_AT_MS = 3_000;
/** From what nobody must notice to what everybody must. */
const LASTS_MS = [300, 15_000] as const;
const PAUSE_MS = [1_000, 12_000] as const;
/** After every so many faults nothing is done for longer than a pair may need to come together. */
const CALM_EVERY = 6;
export const CALM_MS = 25_000;
const OVERLAPPING = 0.3;

/** `kinds`: what is drawn from. */
export function planFaults(
  seed: number,
  durationMs: number,
  kinds: readonly FaultKind[] = allKinds(),
): readonly PlannedFault[] {
  const draw = new Draw(seed);
  const faults: PlannedFault[] = [];
  for (let at = FIRST_AT_MS, round = 1; at < durationMs; round++) {
    const lasts = draw.logBetween(...LASTS_MS);
    const first = drawn(draw, kinds, { at, lasts });
    faults.push(first);
    let over = at + lasts;
    if (draw.next() < OVERLAPPING) {
      const beside = kinds.filter((kind) => !KINDS[kind].touches.some((it) => KINDS[first.kind].touches.includes(it)));
      const second = { at: at + draw.between(0, lasts), lasts: draw.logBetween(...LASTS_MS) };
      if (beside.length > 0) faults.push(drawn(draw, beside, second));
      over = Math.max(over, beside.length > 0 ? second.at + second.lasts : 0);
    }
    at = over + (round % CALM_EVERY === 0 ? CALM_MS : draw.between(...PAUSE_MS));
  }
  return faults.filter(({ at, lasts }) => at + lasts <= durationMs).sort((a, b) => a.at - b.at);
}

const STORE_KINDS: readonly FaultKind[] = [
  "kill-store",
  "stop-store",
  "freeze-store",
  "cut-store",
  "gateway-silent",
] satisfies readonly StoreFaultKind[];

/** Without a store a seed is the plan that it was before there were faults of stores. */
export const allKinds = (withStore = false): readonly FaultKind[] =>
  (Object.keys(KINDS) as FaultKind[]).filter((kind) => withStore || !STORE_KINDS.includes(kind));

function drawn(
  draw: Draw,
  kinds: readonly FaultKind[],
  { at, lasts }: { readonly at: number; readonly lasts: number },
): PlannedFault {
  const tickets = kinds.flatMap((kind) => Array<FaultKind>(KINDS[kind].weight).fill(kind));
  const kind = tickets[Math.floor(draw.next() * tickets.length)];
  if (kind === undefined) throw new Error("no kind of fault to draw from");
  return { kind, target: draw.next() < 0.5 ? "db1" : "db2", at: Math.round(at), lasts: Math.round(lasts) };
}

/** mulberry32: enough chance for a plan, and the same everywhere. */
class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Short times as often as long ones. */
  logBetween(low: number, high: number): number {
    return Math.exp(this.between(Math.log(low), Math.log(high)));
  }
}
