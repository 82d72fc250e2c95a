/**
 * Watches from outside who holds and who answers for the virtual address. Two independent views: ARP requests sent
 * from the client (what the network sees) and the kernels' address events on both hosts (for the timeline).
 * It never asks the daemons.
 */
import { join } from "node:path";
import { wallClock } from "./clock.ts";
import { type Lab, type LabHost, VIP } from "./lab.ts";
import { LAB_DATA } from "./paths.ts";
import type { RunningProgram } from "./processes.ts";

export interface Probe {
  readonly at: number;
  readonly macs: readonly string[];
}

export interface AddressEvent {
  readonly at: number;
  readonly host: string;
  readonly kind: "added" | "removed";
}

export class AddressObserver {
  readonly probes: Probe[] = [];
  readonly events: AddressEvent[] = [];
  readonly #programs: RunningProgram[] = [];
  readonly #held = new Map<string, boolean>();

  static async start(lab: Lab, hosts: readonly LabHost[], intervalMs = 10): Promise<AddressObserver> {
    const observer = new AddressObserver();
    for (const host of hosts) {
      observer.#held.set(host.name, await host.holds(VIP));
      const monitor = host.spawn(["ip", "-4", "-o", "monitor", "address"]);
      monitor.onLine((line) => observer.#takeEvent(host.name, line.text));
      observer.#programs.push(monitor);
    }
    const probe = lab.host("client").spawn([join(LAB_DATA, "observer/arp_probe.py"), "eth0", VIP, String(intervalMs)]);
    probe.onLine((line) => observer.#takeProbe(line.text));
    observer.#programs.push(probe);
    return observer;
  }

  /** Probes that more than one host answered. */
  get answeredTwice(): readonly Probe[] {
    return this.probes.filter((probe) => probe.macs.length > 1);
  }

  first(host: string, kind: AddressEvent["kind"], since: number): number | null {
    return this.events.find((event) => event.host === host && event.kind === kind && event.at >= since)?.at ?? null;
  }

  async stop(): Promise<void> {
    for (const program of this.#programs) await program.signal("SIGKILL");
  }

  #takeProbe(text: string): void {
    const [at, ...macs] = text.split(" ");
    if (!Number.isFinite(Number(at))) return;
    this.probes.push({ at: Number(at), macs: macs.filter((mac) => mac !== "-") });
  }

  #takeEvent(host: string, text: string): void {
    if (!text.includes(` ${VIP}/`)) return;
    const held = !text.startsWith("Deleted");
    // A renewed lifetime is an event too, but not a change.
    if (this.#held.get(host) === held) return;
    this.#held.set(host, held);
    this.events.push({ at: wallClock(), host, kind: held ? "added" : "removed" });
  }
}
