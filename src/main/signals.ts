/** The signals of the control process, which is the one that init scripts and administrators know. */
import { ignoreRealtimeSignals } from "../linux/process.ts";

export interface SignalActions {
  readonly stop: (signal: string) => void;
  readonly reload: () => void;
  /** keepalived's dumps, which are not there yet. */
  readonly dump: (signal: string) => void;
}

/** First of all: without a listener Node opens its debugger on USR1, and HUP would end us. Returns the way to give actions. */
export function takeSignals(): (actions: SignalActions) => void {
  let actions: SignalActions | null = null;
  let early: string | null = null;
  // Node cannot handle the real-time signals: ignored, they at least do no harm.
  ignoreRealtimeSignals();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      early ??= signal;
      actions?.stop(signal.slice(3));
    });
  }
  process.on("SIGHUP", () => actions?.reload());
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => actions?.dump(signal));
  return (given) => {
    actions = given;
    if (early !== null) given.stop(early.slice(3));
  };
}
