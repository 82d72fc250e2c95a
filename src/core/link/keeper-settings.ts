/**
 * What the keeper does to itself before it serves: priority, processors, memory. Part of the protocol between control and
 * keeper, sent right after `hello`; a reload may change it.
 */
import type { Micros } from "../lib/units.ts";

export interface KeeperSettings {
  /** -20 to 19, all threads; null leaves it. */
  readonly nice: number | null;
  /** SCHED_RR, 1 to 99, the loop's thread alone; null leaves it. */
  readonly realtime: number | null;
  /** RLIMIT_RTTIME: processor time at real-time priority without a wait, after which the kernel ends the process. */
  readonly realtimeLimit: Micros;
  /** Numbers of processors; null means all. */
  readonly processors: readonly number[] | null;
  readonly lockMemory: boolean;
  /** The keeper raises `realtime` by itself up to this, one step each time it was late; 0 means never. */
  readonly autoRealtimeMax: number;
  readonly autoRealtimeDelay: Micros;
}

/** An event's word for one setting. */
export interface SettingOutcome {
  /** The keyword and its value. */
  readonly setting: string;
  /** Null when it is in force; else why not, with the remedy. */
  readonly problem: string | null;
}
