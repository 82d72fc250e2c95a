/**
 * Letting go of a keeper that goes on serving, so that control can begin anew in its own process (docs/decisions/0093), and what the one
 * that comes tells the keeper it finds.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { seconds } from "../core/lib/units.ts";
import { LINK_VERSION, type Standings, type ToKeeper } from "../core/link/messages.ts";
import type { KeeperProcess } from "../ports/keeper-process.ts";
import type { Timers } from "../ports/timers.ts";

export interface LeftKeeper {
  readonly pid: number;
  /** Of the link's end that was control's. */
  readonly descriptor: number;
}

/** What a program that takes over this keeper may need until its first word. */
const PAUSE_MILLIS = 15_000;
const PAUSED_LIMIT = seconds(1);

export function createLeaving(timers: Timers, send: (message: ToKeeper) => void) {
  let onPaused: (() => void) | null = null;
  return {
    /** The keeper has said its last word. */
    heard: (): void => onPaused?.(),
    /** Null: it did not answer, or cannot be left; it has been greeted again then. */
    pause(keeper: KeeperProcess): Promise<LeftKeeper | null> {
      return new Promise((resolve) => {
        const finish = (paused: boolean): void => {
          late.cancel();
          onPaused = null;
          const descriptor = paused ? (keeper.detach?.() ?? null) : null;
          if (descriptor === null) send({ type: "hello", version: LINK_VERSION });
          resolve(descriptor === null ? null : { pid: keeper.pid, descriptor });
        };
        const late = timers.schedule(PAUSED_LIMIT, () => finish(false));
        onPaused = () => finish(true);
        send({ type: "pause", forMillis: PAUSE_MILLIS });
      });
    },
  };
}

/** What is told of a keeper that has said hello. */
export const arrival = (keeper: KeeperProcess | null, pid: number, restart: number): HoldfastEventBody =>
  keeper?.adopted === true ? { kind: "keeper-adopted", pid } : { kind: "keeper-started", pid, restart };

/** A keeper that was taken over knows more than a control that has just begun: it hears of what is known only. */
export function knownStandings(all: Standings): Standings {
  const known = Object.entries(all.scripts).filter(([, { kind }]) => kind !== "unknown");
  return { ...all, scripts: Object.fromEntries(known) };
}
