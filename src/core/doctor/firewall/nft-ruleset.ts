/** Reads `nft -j list ruleset` (libnftables-json(5)) and, for the words of each rule, `nft -a list ruleset`. */
import { allOf } from "./facts.ts";
import type { Action, ChainBase, FilterChain, FilterRule, PacketFilter, ProbePacket, Truth } from "./model.ts";
import { asArray, asObject, asText, compare, type Json, judgeMatch, type NamedSets } from "./nft-conditions.ts";

/** Null when it is no such listing. `texts` is the listing for people, with handles; what it lacks is shown as JSON. */
export function readNftRuleset(json: string, texts: string): PacketFilter | null {
  const listed = asObject(parsed(json));
  if (listed === null || !Array.isArray(listed.nftables)) return null;
  const objects = listed.nftables.map(asObject).filter((one) => one !== null);
  const lookup = { words: ruleTexts(texts), sets: namedSets(objects), devices: chainDevices(texts) };
  return objects.flatMap((one) => {
    const chain = asObject(one.chain);
    return chain === null ? [] : [chainOf(chain, objects, lookup)];
  });
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Objects = readonly { readonly [key: string]: Json }[];
type JsonRecord = { readonly [key: string]: Json };

interface Lookup {
  readonly words: ReadonlyMap<string, string>;
  /** By "FAMILY TABLE CHAIN": older versions do not write them into the JSON. */
  readonly devices: ReadonlyMap<string, readonly string[]>;
  readonly sets: (family: string, table: string) => NamedSets;
}

function namedSets(objects: Objects): Lookup["sets"] {
  const found = new Map<string, readonly Json[]>();
  for (const one of objects) {
    const set = asObject(one.set) ?? asObject(one.map);
    if (set !== null)
      found.set(`${asText(set.family)} ${asText(set.table)} ${asText(set.name)}`, asArray(set.elem ?? []));
  }
  return (family, table) => (name) => found.get(`${family} ${table} ${name}`);
}

function chainOf(chain: JsonRecord, objects: Objects, { words, sets, devices }: Lookup): FilterChain {
  const [family, table, name] = [asText(chain.family), asText(chain.table), asText(chain.name)];
  const named = sets(family, table);
  const rules = objects
    .map((one) => asObject(one.rule))
    .filter((one) => one !== null)
    .filter((one) => one.family === family && one.table === table && one.chain === name)
    .map((one, at): FilterRule => {
      const handle = typeof one.handle === "number" ? one.handle : null;
      const text = words.get(`${family} ${table} ${handle}`) ?? JSON.stringify(one.expr);
      const statements = asArray(one.expr);
      return { handle, number: at + 1, text, judge: (packet) => judge(statements, packet, { sets: named, text }) };
    });
  return {
    tool: "nft",
    family,
    table,
    name,
    base: baseOf(chain, devices.get(`${family} ${table} ${name}`) ?? []),
    rules,
  };
}

function baseOf(chain: JsonRecord, listed: readonly string[]): ChainBase | null {
  if (typeof chain.hook !== "string") return null;
  const named = [chain.dev, chain.devs].flatMap((one) => (Array.isArray(one) ? one.map(asText) : [asText(one)]));
  return {
    hook: chain.hook,
    priority: Number(chain.prio ?? 0),
    policy: chain.policy === "drop" ? "drop" : "accept",
    devices: [...named.filter((one) => one !== ""), ...listed],
  };
}

interface Context {
  readonly sets: NamedSets;
  /** The rule's words. */
  readonly text: string;
}

/** Statements run from left to right; the first verdict ends the rule. */
function judge(statements: readonly Json[], packet: ProbePacket, context: Context): ReturnType<FilterRule["judge"]> {
  const truths: Truth[] = [];
  for (const statement of statements) {
    const one = asObject(statement);
    if (one === null) continue;
    const verdict = "vmap" in one ? mapped(one.vmap, packet, context.sets) : plainVerdict(one);
    if (verdict !== null) return ended(verdict.action, allOf([...truths, verdict.truth]));
    truths.push(conditionOf(one, packet, context));
    if (truths.includes(false)) return null;
  }
  return null;
}

function ended(action: Action, truth: Truth): ReturnType<FilterRule["judge"]> {
  return truth === false ? null : { action, certain: truth === true };
}

/** Rates, quotas and extensions of iptables hold now and then. */
const SOMETIMES = ["limit", "quota", "ct count", "xt"] as const;

function conditionOf(statement: JsonRecord, packet: ProbePacket, { sets, text }: Context): Truth {
  if ("match" in statement) return judgeMatch(statement.match, packet, sets);
  if (PER_ELEMENT.some((name) => name in statement)) return countsPerElement(statement, text) ? null : true;
  if (asText(asObject(statement.xt)?.name) === "comment") return true;
  return SOMETIMES.some((name) => name in statement) ? null : true;
}

/** Statements that add to a set or a map; each element may have a rate or a number of its own, as every element of a meter has. */
const PER_ELEMENT = ["set", "map", "meter"] as const;
const COUNTING = /\b(limit|quota|ct count)\b/;

/** Older versions of nft leave what belongs to the elements out of their JSON: the rule's words have it. */
function countsPerElement(statement: JsonRecord, text: string): boolean {
  if ("meter" in statement) return true;
  const { stmt } = asObject(statement.set) ?? asObject(statement.map) ?? {};
  return (
    COUNTING.test(text) || SOMETIMES.some((name) => asArray(stmt ?? []).some((one) => name in (asObject(one) ?? {})))
  );
}

const TERMINAL: readonly (readonly [string, Action["kind"]])[] = [
  ["accept", "accept"],
  ["drop", "drop"],
  ["reject", "drop"],
  ["return", "return"],
];

function plainVerdict(statement: JsonRecord): Verdict | null {
  for (const [name, kind] of TERMINAL) {
    if (name in statement) return { action: { kind: kind as "accept" | "drop" | "return" }, truth: true };
  }
  for (const kind of ["jump", "goto"] as const) {
    const target = asObject(statement[kind])?.target;
    if (typeof target === "string") return { action: { kind, target }, truth: true };
  }
  // A program decides.
  return "queue" in statement ? { action: { kind: "accept" }, truth: null } : null;
}

type Verdict = { readonly action: Action; readonly truth: Truth };

/** The first element that fits; none: the rule says nothing. Of those that may fit, one that drops is told. */
function mapped(vmap: Json, packet: ProbePacket, sets: NamedSets): Verdict | null {
  const { key, data } = asObject(vmap) ?? {};
  const fitting = elementsOf(data, sets)
    .map((element): Verdict | null => {
      const [value, verdict] = asArray(element);
      const plain = plainVerdict(asObject(verdict) ?? {});
      return plain === null ? null : { ...plain, truth: compare(key, { set: [value] }, packet, sets) };
    })
    .filter((one) => one !== null && one.truth !== false);
  const sure = fitting.find((one) => one?.truth === true);
  return sure ?? fitting.find((one) => one?.action.kind === "drop") ?? fitting[0] ?? null;
}

const elementsOf = (data: Json, sets: NamedSets): readonly Json[] =>
  typeof data === "string" && data.startsWith("@") ? (sets(data.slice(1)) ?? []) : asArray(asObject(data)?.set);

function chainDevices(listing: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let [table, chain] = ["", ""];
  for (const line of listing.split("\n")) {
    const opened = /^(?:table (\S+ \S+)|\s+chain (\S+)) \{/.exec(line);
    table = opened?.[1] ?? table;
    chain = opened?.[2] ?? chain;
    const devices = /\bdevices? (?:= )?(\{[^}]*\}|\S+)/.exec(line)?.[1];
    if (devices !== undefined && /^\s+type /.test(line))
      found.set(
        `${table} ${chain}`,
        [...devices.matchAll(/[^\s{},"]+/g)].map(([name]) => name),
      );
  }
  return found;
}

/** "FAMILY TABLE HANDLE" to the rule's words; a rule may go over several lines. */
function ruleTexts(listing: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let table = "";
  let begun = "";
  for (const raw of listing.split("\n")) {
    const line = raw.trim();
    const opened = /^table (\S+) (\S+) \{/.exec(line);
    if (opened !== null) table = `${opened[1]} ${opened[2]}`;
    const closing = /^(.*?) ?# handle (\d+)$/.exec(line);
    if (opened !== null || line === "" || line === "}" || /^(type|policy|flags|elements)\b/.test(line)) begun = "";
    else if (closing === null) begun = `${begun}${line} `;
    else {
      const text = `${begun}${closing[1]}`;
      if (!/^(chain|set|map|flowtable) \S+ \{$/.test(closing[1] ?? "")) found.set(`${table} ${closing[2]}`, text);
      begun = "";
    }
  }
  return found;
}
