/**
 * The signals of the control process, which is the one that init scripts and administrators know. Owns which signal asks
 * for what (keepalived(8), SIGNALS; the real-time ones as glibc numbers them); what is done is the caller's.
 */
import type { DumpKind } from "../core/dumps/kinds.ts";
import { watchSignals } from "../linux/realtime-signals.ts";

/** threads: SIGRTMAX; it goes to the log. */
export type SignalDump = DumpKind | "threads";

export interface SignalActions {
  readonly stop: (signal: string) => void;
  readonly reload: () => void;
  readonly dump: (kind: SignalDump) => void;
}

export interface TakenSignals {
  /** False: this Node cannot handle real-time signals; they are ignored. */
  readonly realtime: boolean;
  /** Hands over; what came before is carried out now, a stop first. */
  give(actions: SignalActions): void;
}

const REALTIME: ReadonlyMap<number, SignalDump> = new Map([
  [36, "json"],
  [63, "stats-clear"],
  [64, "threads"],
]);

/** First of all: unhandled, HUP and the real-time signals would end us. */
export function takeSignals(): TakenSignals {
  let actions: SignalActions | null = null;
  let early: string | null = null;
  const waiting = new Map<string, (given: SignalActions) => void>();
  const act = (name: string, order: (given: SignalActions) => void): void => {
    if (actions === null) waiting.set(name, order);
    else order(actions);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      early ??= signal;
      actions?.stop(signal.slice(3));
    });
  }
  process.on("SIGHUP", () => act("reload", (given) => given.reload()));
  process.on("SIGUSR1", () => act("data", (given) => given.dump("data")));
  process.on("SIGUSR2", () => act("stats", (given) => given.dump("stats")));
  const realtime = watchSignals([...REALTIME.keys()], (signal) => {
    const kind = REALTIME.get(signal);
    if (kind !== undefined) act(kind, (given) => given.dump(kind));
  });
  return {
    realtime,
    give(given) {
      actions = given;
      if (early !== null) return given.stop(early.slice(3));
      for (const order of waiting.values()) order(given);
    },
  };
}
