/** `keepalived.stats`: the counters of every instance, line by line as keepalived writes them (vrrp_print_stats). */
import type { VrrpCounters } from "../vrrp/status.ts";
import type { DumpInput } from "./input.ts";

/** keepalived's counters, made of ours. The names are those of its JSON dump. */
export function keepalivedCounters(counters: VrrpCounters): Readonly<Record<string, number>> {
  const dropped = (...reasons: readonly (keyof VrrpCounters["drops"])[]): number =>
    reasons.reduce((sum, reason) => sum + (counters.drops[reason] ?? 0), 0);
  return {
    advert_rcvd: counters.advertsReceived,
    advert_sent: counters.advertsSent,
    become_master: counters.becameMaster,
    release_master: counters.releasedMaster,
    packet_len_err: dropped("truncated", "length", "ip-header"),
    advert_interval_err: dropped("interval"),
    ip_ttl_err: dropped("ttl"),
    invalid_type_rcvd: dropped("type"),
    addr_list_err: dropped("address-list"),
    // Also in keepalived a type it cannot do counts with the types that differ; it never raises this one on its own.
    invalid_authtype: 0,
    authtype_mismatch: dropped("auth-type"),
    auth_failure: dropped("auth-fail"),
    pri_zero_rcvd: counters.priorityZeroReceived,
    pri_zero_sent: counters.priorityZeroSent,
  };
}

export function renderStats(input: Pick<DumpInput, "instances">): string {
  return input.instances.map(({ name, counters }) => statsOf(name, keepalivedCounters(counters))).join("");
}

function statsOf(name: string, values: Readonly<Record<string, number>>): string {
  const value = (key: string): number => values[key] ?? 0;
  const lines = [
    `VRRP Instance: ${name}`,
    "  Advertisements:",
    `    Received: ${value("advert_rcvd")}`,
    `    Sent: ${value("advert_sent")}`,
    `  Became master: ${value("become_master")}`,
    `  Released master: ${value("release_master")}`,
    "  Packet Errors:",
    `    Length: ${value("packet_len_err")}`,
    `    TTL: ${value("ip_ttl_err")}`,
    `    Invalid Type: ${value("invalid_type_rcvd")}`,
    `    Advertisement Interval: ${value("advert_interval_err")}`,
    `    Address List: ${value("addr_list_err")}`,
    "  Authentication Errors:",
    `    Invalid Type: ${value("invalid_authtype")}`,
    `    Type Mismatch: ${value("authtype_mismatch")}`,
    `    Failure: ${value("auth_failure")}`,
    "  Priority Zero:",
    `    Received: ${value("pri_zero_rcvd")}`,
    `    Sent: ${value("pri_zero_sent")}`,
  ];
  return `${lines.join("\n")}\n`;
}
