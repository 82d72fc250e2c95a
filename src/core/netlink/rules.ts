/**
 * Routing rules by rtnetlink (linux/fib_rules.h, RTM_NEWRULE and RTM_DELRULE). Rules name their interfaces by text, so they may name
 * one that does not exist yet.
 */
import { type Family, ipBytes } from "../lib/ip.ts";
import type { Prefix, Range, Rule } from "../routing/model.ts";
import { unsigned64Bytes } from "./encapsulation.ts";
import { familyNumber, familyOfNumber } from "./family.ts";
import {
  type Attribute,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  readAttributes,
  readText,
  readUint32,
  viewOf,
  writeMessage,
  writeText,
  writeUint32,
} from "./message.ts";
import { isSamePrefix, readPrefixOf } from "./routes.ts";

export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;

const FIB_RULE_HDR_BYTES = 12;
const FIB_RULE_INVERT = 2;

const FRA = {
  destination: 1,
  source: 2,
  inputName: 3,
  goto: 4,
  priority: 6,
  fwmark: 10,
  flow: 11,
  tunnelId: 12,
  suppressGroup: 13,
  suppressPrefixLength: 14,
  table: 15,
  fwmask: 16,
  outputName: 17,
  l3mdev: 19,
  userIds: 20,
  protocol: 21,
  ipProtocol: 22,
  sourcePorts: 23,
  destinationPorts: 24,
} as const;

export type RuleAction = "add" | "remove";

export interface RuleRecord {
  readonly family: Family;
  readonly priority: number;
  readonly action: number;
  readonly table: number;
  readonly protocol: number;
  readonly from: Prefix;
  readonly to: Prefix;
  readonly fwmark: number;
  readonly inputDevice: string | null;
  readonly outputDevice: string | null;
}

/** Adding is exclusive: EEXIST says that it is there. */
export function writeRule(rule: Rule, action: RuleAction, sequence: number): Uint8Array {
  const flags = NLM_F_REQUEST | NLM_F_ACK | (action === "add" ? NLM_F_CREATE | NLM_F_EXCL : 0);
  const type = action === "add" ? RTM_NEWRULE : RTM_DELRULE;
  return writeMessage({ type, flags, sequence }, fixedPart(rule), [...selectors(rule), ...outcome(rule)]);
}

/** struct fib_rule_hdr: family, lengths, tos, table, two reserved, action, flags. */
function fixedPart(rule: Rule): Uint8Array {
  const fixed = new Uint8Array(FIB_RULE_HDR_BYTES);
  fixed[0] = familyNumber(rule.family);
  fixed[1] = rule.to?.length ?? 0;
  fixed[2] = rule.from?.length ?? 0;
  fixed[3] = rule.tos ?? 0;
  fixed[4] = rule.table !== null && rule.table < 256 ? rule.table : 0;
  fixed[7] = rule.action;
  viewOf(fixed).setUint32(8, rule.invert ? FIB_RULE_INVERT : 0, true);
  return fixed;
}

const number = (type: number, value: number): Attribute => ({ type, value: writeUint32(value) });

function selectors(rule: Rule): Attribute[] {
  const attributes: Attribute[] = [];
  const add = (type: number, value: Uint8Array): void => void attributes.push({ type, value });
  if (rule.to !== null && rule.to.length > 0) add(FRA.destination, ipBytes(rule.to.address));
  if (rule.from !== null && rule.from.length > 0) add(FRA.source, ipBytes(rule.from.address));
  if (rule.fwmark !== null) add(FRA.fwmark, writeUint32(rule.fwmark));
  if (rule.fwmask !== null) add(FRA.fwmask, writeUint32(rule.fwmask));
  if (rule.inputDevice !== null) add(FRA.inputName, writeText(rule.inputDevice));
  if (rule.outputDevice !== null) add(FRA.outputName, writeText(rule.outputDevice));
  if (rule.tunnelId !== null) add(FRA.tunnelId, unsigned64Bytes(rule.tunnelId));
  if (rule.userIds !== null) add(FRA.userIds, writeUint32(rule.userIds.first, rule.userIds.last));
  if (rule.ipProtocol !== null) add(FRA.ipProtocol, Uint8Array.of(rule.ipProtocol));
  if (rule.sourcePorts !== null) add(FRA.sourcePorts, ports(rule.sourcePorts));
  if (rule.destinationPorts !== null) add(FRA.destinationPorts, ports(rule.destinationPorts));
  return attributes;
}

function outcome(rule: Rule): Attribute[] {
  const attributes: Attribute[] = [number(FRA.priority, rule.priority)];
  if (rule.table !== null && rule.table >= 256) attributes.push(number(FRA.table, rule.table));
  if (rule.gotoTarget !== null) attributes.push(number(FRA.goto, rule.gotoTarget));
  if (rule.realms !== null) attributes.push(number(FRA.flow, rule.realms));
  if (rule.suppressPrefixLength !== null) attributes.push(number(FRA.suppressPrefixLength, rule.suppressPrefixLength));
  if (rule.suppressGroup !== null) attributes.push(number(FRA.suppressGroup, rule.suppressGroup));
  if (rule.l3mdev) attributes.push({ type: FRA.l3mdev, value: Uint8Array.of(1) });
  if (rule.protocol !== 0) attributes.push({ type: FRA.protocol, value: Uint8Array.of(rule.protocol) });
  return attributes;
}

/** struct fib_rule_port_range, in the host's order. */
function ports({ first, last }: Range): Uint8Array {
  return Uint8Array.of(first & 0xff, first >> 8, last & 0xff, last >> 8);
}

/** Reads RTM_NEWRULE and RTM_DELRULE; null when the message is another one, of another family, or damaged. */
export function readRule(message: NetlinkMessage): RuleRecord | null {
  if (message.type !== RTM_NEWRULE && message.type !== RTM_DELRULE) return null;
  const { payload } = message;
  const family = familyOfNumber(payload[0]);
  if (family === null || payload.length < FIB_RULE_HDR_BYTES) return null;
  const attributes = readAttributes(payload, FIB_RULE_HDR_BYTES);
  const to = readPrefixOf(family, attributes.get(FRA.destination), payload[1] ?? 0);
  const from = readPrefixOf(family, attributes.get(FRA.source), payload[2] ?? 0);
  if (to === null || from === null) return null;
  const word = (type: number): number | null => readUint32(attributes.get(type) ?? EMPTY);
  const name = (type: number): string | null => textOf(attributes.get(type));
  return {
    family,
    to,
    from,
    priority: word(FRA.priority) ?? 0,
    action: payload[7] ?? 0,
    table: word(FRA.table) ?? payload[4] ?? 0,
    protocol: attributes.get(FRA.protocol)?.[0] ?? 0,
    fwmark: word(FRA.fwmark) ?? 0,
    inputDevice: name(FRA.inputName),
    outputDevice: name(FRA.outputName),
  };
}

const EMPTY = new Uint8Array(0);

function textOf(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : readText(bytes);
}

/** Whether the kernel's rule is the configured one. */
export function isSameRule(rule: Rule, record: RuleRecord): boolean {
  if (rule.family !== record.family || rule.priority !== record.priority || rule.action !== record.action) return false;
  if (rule.protocol !== record.protocol || (rule.table ?? 0) !== record.table) return false;
  if ((rule.fwmark ?? 0) !== record.fwmark) return false;
  if (rule.inputDevice !== record.inputDevice || rule.outputDevice !== record.outputDevice) return false;
  return isSameSelector(rule.from, record.from) && isSameSelector(rule.to, record.to);
}

function isSameSelector(wanted: Prefix | null, found: Prefix): boolean {
  if (wanted === null || wanted.length === 0) return found.length === 0;
  return isSamePrefix(wanted, found);
}
