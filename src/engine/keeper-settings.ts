/**
 * Brings the keeper's process settings into force and says which are: a daemon without the right for one of them serves all the same.
 * Raises the real-time priority by itself, one step each time the loop was late, where the file allows it.
 */
import type { HostEventBody } from "../core/events/host-events.ts";
import type { Result } from "../core/lib/result.ts";
import { type Instant, toMillis } from "../core/lib/units.ts";
import type { KeeperSettings, SettingOutcome } from "../core/link/keeper-settings.ts";
import type { KernelError } from "../ports/network.ts";
import type { OwnProcess } from "../ports/own-process.ts";

export interface KeeperTuner {
  /** At the start and at each reload. */
  apply(settings: KeeperSettings): void;
  /** After each wait that had a deadline: `now` is read only where lateness matters. */
  woke(due: Instant | null, now: () => Instant): void;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EPERM: "needs CAP_SYS_NICE, or CAP_IPC_LOCK for memory: give it in the unit's CapabilityBoundingSet, or run as root",
  EACCES: "needs CAP_SYS_NICE: give it in the unit's CapabilityBoundingSet, or run as root",
  ENOMEM: "more memory than the process may lock: set LimitMEMLOCK=infinity",
  EINVAL: "none of these processors is there and allowed: look at /sys/devices/system/cpu/online and the cpuset",
};

export function createKeeperTuner(own: OwnProcess, publish: (body: HostEventBody) => void): KeeperTuner {
  return new Tuner(own, publish);
}

class Tuner implements KeeperTuner {
  readonly #own: OwnProcess;
  readonly #publish: (body: HostEventBody) => void;
  #settings: KeeperSettings | null = null;
  /** Real-time priority in force; 0 is ordinary scheduling. */
  #realtime = 0;
  #autoFailed = false;

  constructor(own: OwnProcess, publish: (body: HostEventBody) => void) {
    this.#own = own;
    this.#publish = publish;
  }

  apply(settings: KeeperSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#autoFailed = false;
    const outcomes: SettingOutcome[] = [];
    const note = (setting: string, result: Result<void, KernelError>): void => {
      outcomes.push({ setting, problem: result.ok ? null : problemOf(result.error) });
    };
    const { nice, realtime, realtimeLimit, processors, lockMemory } = settings;
    if (nice !== null) note(`vrrp_priority ${nice}`, this.#own.setNice(nice));
    else if (before?.nice != null) note("vrrp_priority 0", this.#own.setNice(0));
    if (realtime !== null) {
      const set = this.#own.setRealtime(realtime, realtimeLimit);
      this.#realtime = set.ok ? realtime : this.#realtime;
      note(`vrrp_rt_priority ${realtime}, at most ${toMillis(realtimeLimit)} ms without a wait`, set);
    } else if (this.#realtime > 0) {
      note("ordinary scheduling", this.#own.setRealtime(null, realtimeLimit));
      this.#realtime = 0;
    }
    if (processors !== null) note(`vrrp_cpu_affinity ${processors.join(" ")}`, this.#own.setProcessors(processors));
    else if (before?.processors != null) note("all processors", this.#own.setProcessors(null));
    if (lockMemory || before?.lockMemory)
      note(`vrrp_no_swap ${lockMemory ? "on" : "off"}`, this.#own.lockMemory(lockMemory));
    if (outcomes.length > 0) this.#publish({ kind: "keeper-settings", settings: outcomes });
  }

  woke(due: Instant | null, now: () => Instant): void {
    const settings = this.#settings;
    if (due === null || settings === null || this.#realtime >= settings.autoRealtimeMax || this.#autoFailed) return;
    const late = now() - due;
    if (late < settings.autoRealtimeDelay) return;
    const next = this.#realtime + 1;
    const raised = this.#own.setRealtime(next, settings.realtimeLimit);
    if (raised.ok) {
      this.#realtime = next;
      this.#publish({ kind: "priority-raised", realtime: next, lateMillis: Math.round(late / 1_000) });
    } else {
      // Once is enough to be told: it would fail each time.
      this.#autoFailed = true;
      const setting = `max_auto_priority ${settings.autoRealtimeMax}`;
      this.#publish({ kind: "keeper-settings", settings: [{ setting, problem: problemOf(raised.error) }] });
    }
  }
}

function problemOf({ errno, what }: KernelError): string {
  const remedy = REMEDIES[errno];
  return `cannot ${what} (${errno})${remedy === undefined ? "" : `; ${remedy}`}`;
}
