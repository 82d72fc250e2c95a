/** The keywords of a rule line, one entry each, as ip-rule(8) and keepalived.conf(5) name them. */
import type { Family } from "../lib/ip.ts";
import type { Range, Rule } from "../routing/model.ts";
import { familyOfPrefix, type LineReader, type OpenPrefix, readPrefix } from "./line-reader.ts";
import { unsigned64 } from "./route-encap.ts";
import type { NameTable, RoutingNames } from "./routing-names.ts";
import { plainNumber } from "./routing-names.ts";
import { readName, readRealms, readTrackGroup, settleFamilyOf } from "./routing-words.ts";
import type { Word } from "./words.ts";

/** FR_ACT_* of linux/fib_rules.h. */
export const ACTION = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

const ACTIONS: ReadonlyMap<string, number> = new Map([
  ["goto", ACTION.goto],
  ["nop", ACTION.nop],
  ["blackhole", ACTION.blackhole],
  ["unreachable", ACTION.unreachable],
  ["prohibit", ACTION.prohibit],
]);

type Plain = Omit<Rule, "family" | "action" | "from" | "to" | "priority" | "protocol" | "tracked" | "text">;

export type RuleDraft = { -readonly [Key in keyof Plain]: Plain[Key] } & {
  family: Family | null;
  action: number | null;
  from: OpenPrefix | null;
  to: OpenPrefix | null;
  priority: number | null;
  protocol: number | null;
  noTrack: boolean;
  /** A word that makes sense with a table only. */
  tableOption: boolean;
};

export interface RuleReading {
  readonly line: LineReader;
  readonly names: RoutingNames;
  readonly draft: RuleDraft;
  readonly trackGroups: ReadonlySet<string> | null;
}

type RuleWord = (reading: RuleReading, word: Word) => boolean;

export function newRuleDraft(): RuleDraft {
  return {
    family: null,
    invert: false,
    from: null,
    to: null,
    priority: null,
    action: null,
    table: null,
    gotoTarget: null,
    tos: null,
    fwmark: null,
    fwmask: null,
    inputDevice: null,
    outputDevice: null,
    realms: null,
    tunnelId: null,
    userIds: null,
    l3mdev: false,
    suppressPrefixLength: null,
    suppressGroup: null,
    ipProtocol: null,
    sourcePorts: null,
    destinationPorts: null,
    protocol: null,
    trackGroup: null,
    noTrack: false,
    tableOption: false,
  };
}

const U32 = 0xffff_ffff;
const I32 = 0x7fff_ffff;
const LARGEST_PORT = 65_535;

/** Reads one keyword with its value; false when the rule is of no use any more. */
export function readRuleWord(reading: RuleReading, word: Word): boolean {
  const { line } = reading;
  const known = WORDS.get(word.text);
  if (known !== undefined && (word.text !== "track_group" || reading.trackGroups !== null)) return known(reading, word);
  const name = word.text === "type" ? line.value(word) : word;
  if (name === null) return false;
  const action = ACTIONS.get(name.text);
  if (action === undefined) {
    line.report("bad-rule", name, `\`${name.text}\` is no word of a rule; the rule is left out`, "see ip-rule(8)");
    return false;
  }
  if (action === ACTION.goto) {
    reading.draft.gotoTarget = line.number(name, U32, "bad-rule");
    if (reading.draft.gotoTarget === null) return false;
  }
  return setAction(reading, name, action);
}

function setAction({ line, draft }: RuleReading, word: Word, action: number): boolean {
  if (draft.action === null) {
    draft.action = action;
    return true;
  }
  line.report("bad-rule", word, `\`${word.text}\` is a second action; the rule is left out`, "one action per rule");
  return false;
}

const settleFamily = (reading: RuleReading, family: Family | null, word: Word): boolean =>
  settleFamilyOf(reading, family, word, "rule");

const prefix =
  (key: "from" | "to"): RuleWord =>
  (reading, word) => {
    const { line, draft } = reading;
    const value = line.value(word);
    if (value === null) return false;
    const read = readPrefix(value.text);
    if (read === null) {
      line.report("bad-rule", value, `\`${value.text}\` is no prefix; the rule is left out`, "write ADDRESS/LENGTH");
      return false;
    }
    if (read.tooLong) line.report("bad-address", value, `\`${value.text}\`: the prefix length is too long`, null);
    draft[key] = read;
    return settleFamily(reading, familyOfPrefix(read), word);
  };

const named =
  (table: NameTable, key: "table" | "tos" | "suppressGroup"): RuleWord =>
  (reading, word) => {
    const number = readName(reading, word, table, "rule");
    if (number !== null) reading.draft[key] = number;
    return number !== null;
  };

const table: RuleWord = (reading, word) => {
  if (!named("tables", "table")(reading, word)) return false;
  if (reading.draft.table !== 0) return setAction(reading, word, ACTION.table);
  reading.line.report("bad-rule", word, "table 0 is no table; the rule is left out", "write a table from 1");
  return false;
};

const priority: RuleWord = ({ line, draft }, word) => {
  draft.priority = line.number(word, U32, "bad-rule");
  return draft.priority !== null;
};

const device =
  (key: "inputDevice" | "outputDevice"): RuleWord =>
  ({ line, draft }, word) => {
    draft[key] = line.value(word)?.text ?? null;
    return draft[key] !== null;
  };

const fwmark: RuleWord = ({ line, draft }, word) => {
  const value = line.value(word);
  if (value === null) return false;
  const [mark, mask] = value.text.split("/");
  draft.fwmark = plainNumber(mark ?? "");
  // `5/` is read as mask 0, as strtoul(3) reads it for keepalived.
  draft.fwmask = mask === undefined ? null : mask === "" ? 0 : plainNumber(mask);
  if (draft.fwmark !== null && draft.fwmark <= U32 && (mask === undefined || (draft.fwmask ?? U32 + 1) <= U32))
    return true;
  line.report("bad-rule", value, `\`${value.text}\` is no mark; the rule is left out`, "write MARK or MARK/MASK");
  return false;
};

const suppressPrefixLength: RuleWord = ({ line, draft }, word) => {
  draft.suppressPrefixLength = line.number(word, I32, "bad-rule");
  draft.tableOption = true;
  return draft.suppressPrefixLength !== null;
};

const suppressGroup: RuleWord = (reading, word) => {
  reading.draft.tableOption = true;
  return named("group", "suppressGroup")(reading, word);
};

const realms: RuleWord = (reading, word) => {
  reading.draft.realms = readRealms(reading, word, "rule");
  reading.draft.tableOption = true;
  return reading.draft.realms !== null && settleFamily(reading, 4, word);
};

const tunnelId: RuleWord = ({ line, draft }, word) => {
  const value = line.value(word);
  draft.tunnelId = value === null ? null : unsigned64(value.text);
  if (value !== null && draft.tunnelId === null) {
    line.report("bad-rule", value, `\`${value.text}\` is no tunnel key; the rule is left out`, null);
  }
  return draft.tunnelId !== null;
};

/** `FIRST-LAST`; null when it is none. */
function readRange(text: string, most: number): Range | null {
  const parts = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  if (parts === null) return null;
  const [first, last] = [Number(parts[1]), Number(parts[2])];
  return first <= most && last <= most ? { first, last } : null;
}

const userIds: RuleWord = ({ line, draft }, word) => {
  const value = line.value(word);
  if (value === null) return false;
  draft.userIds = readRange(value.text, U32);
  if (draft.userIds !== null) return true;
  line.report("bad-rule", value, `\`${value.text}\` is no range of user ids; the rule is left out`, "write FIRST-LAST");
  return false;
};

/** keepalived keeps a rule whose port range it cannot read, without the range: it would then match far too much. */
const ports =
  (key: "sourcePorts" | "destinationPorts"): RuleWord =>
  ({ line, draft }, word) => {
    const value = line.value(word);
    if (value === null) return false;
    const single = /^\d{1,5}$/.test(value.text) ? `${value.text}-${value.text}` : value.text;
    draft[key] = readRange(single, LARGEST_PORT);
    if (draft[key] !== null) return true;
    line.report("bad-rule", value, `\`${value.text}\` is no port range; the rule is left out`, "write FIRST-LAST");
    return false;
  };

/** Names from /etc/protocols that rules use; any other by number. */
const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["icmp", 1],
  ["igmp", 2],
  ["tcp", 6],
  ["udp", 17],
  ["dccp", 33],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["ipv6-icmp", 58],
  ["ospf", 89],
  ["vrrp", 112],
  ["sctp", 132],
  ["udplite", 136],
]);

const ipProtocol: RuleWord = ({ line, draft }, word) => {
  const value = line.value(word);
  if (value === null) return false;
  const number = IP_PROTOCOLS.get(value.text.toLowerCase()) ?? plainNumber(value.text);
  draft.ipProtocol = number !== null && number <= 255 ? number : null;
  if (draft.ipProtocol !== null) return true;
  line.report("bad-rule", value, `\`${value.text}\` is no IP protocol; the rule is left out`, "write its number");
  return false;
};

const protocol: RuleWord = ({ line, draft }, word) => {
  draft.protocol = line.number(word, 255, "bad-rule");
  return draft.protocol !== null;
};

const trackGroup: RuleWord = (reading, word) => readTrackGroup(reading, word, "rule");

const WORDS: ReadonlyMap<string, RuleWord> = new Map<string, RuleWord>([
  ["inet", (reading, word) => settleFamily(reading, 4, word)],
  ["inet6", (reading, word) => settleFamily(reading, 6, word)],
  ["from", prefix("from")],
  ["to", prefix("to")],
  ["not", ({ draft }) => (draft.invert = true)],
  ["table", table],
  ["lookup", table],
  ["preference", priority],
  ["order", priority],
  ["priority", priority],
  ["tos", named("dsfield", "tos")],
  ["dsfield", named("dsfield", "tos")],
  ["fwmark", fwmark],
  ["realms", realms],
  ["suppress_prefixlength", suppressPrefixLength],
  ["sup_pl", suppressPrefixLength],
  ["suppress_ifgroup", suppressGroup],
  ["sup_group", suppressGroup],
  ["dev", device("inputDevice")],
  ["iif", device("inputDevice")],
  ["oif", device("outputDevice")],
  ["tunnel-id", tunnelId],
  ["uidrange", userIds],
  [
    "l3mdev",
    (reading, word) => {
      reading.draft.l3mdev = true;
      return setAction(reading, word, ACTION.table);
    },
  ],
  ["protocol", protocol],
  ["ipproto", ipProtocol],
  ["sport", ports("sourcePorts")],
  ["dport", ports("destinationPorts")],
  ["no_track", ({ draft }) => (draft.noTrack = true)],
  ["track_group", trackGroup],
]);
