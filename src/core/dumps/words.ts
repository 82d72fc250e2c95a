/** Texts that several dumps share: an address with its options, a command, a moment, as keepalived writes them. */
import type { Command, HoldfastConfig } from "../config/model.ts";
import { mapped } from "../config/text.ts";
import { commandWords } from "../config/words.ts";
import { asctime } from "../events/log-line.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../vrrp/config.ts";
import type { VrrpStateName } from "../vrrp/state.ts";
import type { VrrpInstanceStatus } from "../vrrp/status.ts";
import type { DumpInput } from "./input.ts";

/** rtnetlink(7) scopes by the names of rt_scopes; another number stands for itself. */
const SCOPES: Readonly<Record<number, string>> = { 0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere" };

/** `10.0.0.1/24 brd 10.0.0.255 dev eth0 scope global label eth0:1 set`; a whole-host prefix is left out. */
export function addressText(entry: VirtualAddress, instance: VrrpInstanceConfig, set: boolean): string {
  const whole = entry.address.includes(":") ? 128 : 32;
  const words = [entry.prefixLength === whole ? entry.address : `${entry.address}/${entry.prefixLength}`];
  if (entry.broadcast !== null) words.push("brd", entry.broadcast);
  words.push("dev", entry.device ?? instance.interface, "scope", SCOPES[entry.scope] ?? String(entry.scope));
  if (entry.label !== null) words.push("label", entry.label);
  if (set) words.push("set");
  return words.join(" ");
}

/** `'/path/to/program' 'argument'`, without secrets. */
export const commandText = (command: Command): string =>
  commandWords(mapped(command.text))
    .words.map(({ text }) => `'${text}'`)
    .join(" ");

/** The owner as configured; numbers are looked up when the script runs. */
export function ownerText(command: Command, config: HoldfastConfig): string {
  const fallback = config.global.scriptUser;
  const user = command.user ?? fallback?.user ?? "0";
  const group = command.user === null ? (command.group ?? fallback?.group ?? user) : (command.group ?? user);
  const number = (name: string): string => (name === "root" ? "0" : name);
  return `${number(user)}:${number(group)}`;
}

/** keepalived's numbers of the states. */
export const STATE_NUMBERS: Readonly<Record<VrrpStateName, number>> = {
  INIT: 0,
  BACKUP: 1,
  MASTER: 2,
  FAULT: 3,
  STOP: 97,
};

/** Seconds since the epoch with microseconds, of an instant on the monotonic clock. */
export function wallSeconds(input: DumpInput, at: number): string {
  return ((input.now.wall - (input.now.at - at)) / 1e6).toFixed(6);
}

/** `1795646475.903040 (Wed Nov 25 22:41:15.903040 2026)`. */
export function momentText(input: DumpInput, at: number): string {
  const seconds = wallSeconds(input, at);
  const fraction = seconds.slice(seconds.indexOf("."));
  const text = asctime(Math.floor(Number(seconds)) * 1_000, input.now.utcOffsetMinutes);
  const year = text.lastIndexOf(" ");
  return `${seconds} (${text.slice(0, year)}${fraction}${text.slice(year)})`;
}

export interface InstanceRow {
  readonly vrrp: VrrpInstanceConfig;
  readonly status: VrrpInstanceStatus;
  readonly hooks: HoldfastConfig["instances"][number]["hooks"];
}

/** Instances that the keeper knows, in the order of the configuration. */
export function instanceRows(input: DumpInput): readonly InstanceRow[] {
  const byName = new Map(input.instances.map((status) => [status.name, status]));
  return input.config.instances.flatMap(({ vrrp, hooks }) => {
    const status = byName.get(vrrp.name);
    return status === undefined ? [] : [{ vrrp, status, hooks }];
  });
}
