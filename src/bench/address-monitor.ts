/** When the kernel of a host added and removed addresses: `ip -ts monitor`, whose own delay is the same for both contestants. */
import type { LabHost } from "../lab/lab.ts";
import { type RunningProgram, sleep } from "../lab/processes.ts";

export interface AddressChange {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly action: "added" | "removed";
  readonly address: string;
}

export class AddressMonitor {
  readonly changes: AddressChange[] = [];
  readonly #program: RunningProgram;
  readonly #seen = new Set<string>();

  private constructor(host: LabHost) {
    // Room for the thousands of notices of a start; one line each.
    this.#program = host.spawn(["ip", "-rcvbuf", "16777216", "-4", "-o", "-ts", "monitor", "address"]);
    this.#program.onLine(({ text }) => this.#take(text));
  }

  static async start(host: LabHost): Promise<AddressMonitor> {
    const monitor = new AddressMonitor(host);
    await sleep(300);
    return monitor;
  }

  stop(): Promise<void> {
    return this.#program.signal("SIGKILL");
  }

  /** Renewals of a lifetime are told as if the address were new: only the first notice counts until it goes. */
  #take(text: string): void {
    const match = /^\[([0-9T:.-]+)\] (Deleted )?.* inet ([0-9.]+)\//.exec(text);
    if (match === null) return;
    const [, time = "", deleted, address = ""] = match;
    if (deleted === undefined && this.#seen.has(address)) return;
    if (deleted === undefined) this.#seen.add(address);
    else this.#seen.delete(address);
    this.changes.push({ at: localMillis(time), action: deleted === undefined ? "added" : "removed", address });
  }
}

/** "2026-01-31T12:00:00.123456", local time. */
function localMillis(text: string): number {
  const [whole = "", fraction = "0"] = text.split(".");
  return new Date(whole).getTime() + Number(`0.${fraction}`) * 1_000;
}
