/**
 * Handlers for signals that Node has no name for. `process.on` knows the 31 classic signals only; libuv underneath takes any
 * number: its handler writes to a pipe of the event loop, on whichever thread the signal arrives, and the action runs in
 * the loop. Node offers that without a name only through its internal signal binding (decision 30). Where a Node
 * has it no more the signals are ignored, as a process that does not know them must, and the caller is told.
 */
import { ignoreSignal } from "./libc.ts";

interface SignalWatcher {
  onsignal: (signal: number) => void;
  start(signal: number): number;
  unref(): void;
}

type BindingHost = { readonly binding?: (name: "signal_wrap") => { readonly Signal: new () => SignalWatcher } };

/** Watchers must not be collected: the handle would be closed with them. */
const watchers: SignalWatcher[] = [];

/** Runs the action for each of these signals. False: they cannot be handled here and are ignored. */
export function watchSignals(signals: readonly number[], action: (signal: number) => void): boolean {
  for (const signal of signals) ignoreSignal(signal);
  const Signal = signalWatcher();
  if (Signal === null) return false;
  return signals.map((signal) => watch(Signal, signal, action)).every((watching) => watching);
}

function watch(Signal: new () => SignalWatcher, signal: number, action: (signal: number) => void): boolean {
  const watcher = new Signal();
  watcher.onsignal = action;
  // A daemon that has nothing left to do ends; it does not wait for a signal.
  watcher.unref();
  if (watcher.start(signal) !== 0) return false;
  watchers.push(watcher);
  return true;
}

function signalWatcher(): (new () => SignalWatcher) | null {
  // Only --pending-deprecation or a later Node would print its warning, and that into the daemon's log.
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    return (process as unknown as BindingHost).binding?.("signal_wrap").Signal ?? null;
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
