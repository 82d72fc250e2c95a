/** What every command that asks the daemon needs. */
import { type Client, createClient } from "../client.ts";
import { type PlaceOptions, socketPath } from "../paths.ts";
import type { Terminal } from "../terminal.ts";

export interface CommandContext {
  readonly terminal: Terminal;
  readonly client: Client;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export function contextFor(terminal: Terminal, options: PlaceOptions, signal: AbortSignal): CommandContext {
  return { terminal, client: createClient(socketPath(options, terminal.env)), signal };
}

export const printJson = (terminal: Terminal, value: unknown): void =>
  terminal.out(`${JSON.stringify(value, null, 2)}\n`);

/** Waits, but not past the signal. */
export function pause(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, millis);
    signal.addEventListener("abort", done);
  });
}
