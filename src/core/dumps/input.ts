/**
 * What a dump is made from: the configuration in force, what the keeper and the checks say of themselves, and what the
 * host shows of its interfaces. Everything is a value; the renderers beside this file read no clock and no file.
 */
import type { HoldfastConfig } from "../config/model.ts";
import type { ScriptStanding, Standings } from "../link/messages.ts";
import type { VrrpInstanceStatus } from "../vrrp/status.ts";

/** One network interface as the kernel has it. */
export interface InterfaceFacts {
  readonly name: string;
  readonly index: number;
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  /** Null for one without a hardware address. */
  readonly mac: string | null;
  readonly broadcast: string | null;
  /** IFF_* of netdevice(7). */
  readonly flags: number;
  readonly running: boolean;
  readonly mtu: number;
  /** ARPHRD_*: 1 is Ethernet, 772 the loopback. */
  readonly hardwareType: number;
}

export interface CheckFacts {
  readonly key: string;
  readonly standing: ScriptStanding;
  readonly running: boolean;
}

/** Users and groups of the host by name. */
export interface Accounts {
  readonly users: ReadonlyMap<string, { readonly uid: number; readonly gid: number }>;
  readonly groups: ReadonlyMap<string, number>;
}

export interface DumpInput {
  readonly config: HoldfastConfig;
  /** In the order of the configuration; as last seen when the keeper does not answer. */
  readonly instances: readonly VrrpInstanceStatus[];
  readonly checks: readonly CheckFacts[];
  /** What is in tracked files and how many of tracked processes run. */
  readonly trackers: Pick<Standings, "files" | "processes">;
  readonly interfaces: readonly InterfaceFacts[];
  readonly accounts: Accounts;
  readonly hostName: string;
  readonly umask: number;
  readonly now: {
    /** CLOCK_MONOTONIC, microseconds. */
    readonly at: number;
    /** Microseconds since the epoch. */
    readonly wall: number;
    readonly utcOffsetMinutes: number;
  };
}

/** Lines that are indented as keepalived indents its own: each level by two, all of them by one. */
export class DumpText {
  readonly #lines: string[] = [];

  section(title: string): void {
    this.#lines.push(`------< ${title} >------`);
  }

  line(level: 0 | 1 | 2, text: string): void {
    this.#lines.push(`${" ".repeat(1 + 2 * level)}${text}`);
  }

  /** `name = value`; nothing for null. */
  field(level: 0 | 1 | 2, name: string, value: string | number | null): void {
    if (value !== null) this.line(level, `${name} = ${value}`);
  }

  /** Lines that keepalived indents in a way of their own. */
  raw(text: string): void {
    this.#lines.push(text);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

export const yesNo = (value: boolean): string => (value ? "yes" : "no");
export const trueFalse = (value: boolean): string => (value ? "true" : "false");
export const onOff = (value: boolean): string => (value ? "enabled" : "disabled");

/** keepalived's words for a moment that never was. */
export const momentOfNothing = "0.000000 (Thu Jan  1 00:00:00.000000)";
