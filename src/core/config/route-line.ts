/**
 * One line of virtual_routes or static_routes to a Route, judged as keepalived 2.2.7 judges it: what it leaves out is left out
 * here, what it only complains of is only complained of. Keywords are route-words.ts.
 */
import type { NextHop, Route } from "../routing/model.ts";
import { PROTOCOL_KEEPALIVED } from "../routing/model.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { closePrefix, familyOfPrefix, LineReader, readPrefix } from "./line-reader.ts";
import { newRouteDraft, type RouteReading, readGateway, settleFamily } from "./route-draft.ts";
import { readEncapsulation } from "./route-encap.ts";
import { ROUTE_WORDS } from "./route-words.ts";
import type { RoutingNames } from "./routing-names.ts";
import { readRealms } from "./routing-words.ts";
import type { Node } from "./tree.ts";
import type { Word } from "./words.ts";

export interface RoutingContext {
  readonly names: RoutingNames;
  readonly diagnostics: DiagnosticSink;
  /** Track groups defined above; null for virtual objects, which take none. */
  readonly trackGroups: ReadonlySet<string> | null;
}

export interface RouteLine {
  readonly route: Route;
  readonly node: Node;
}

/** The routes of all given blocks; lines that cannot be used are reported and left out. */
export function readRoutes(blocks: readonly Node[], context: RoutingContext): readonly RouteLine[] {
  const routes: RouteLine[] = [];
  for (const node of blocks.flatMap((block) => block.block ?? [])) {
    const route = readRoute(node, context);
    if (route !== null) routes.push({ route, node });
  }
  return routes;
}

function readRoute(node: Node, context: RoutingContext): Route | null {
  const line = new LineReader(node, context.diagnostics);
  const reading: RouteReading = {
    line,
    names: context.names,
    draft: newRouteDraft(),
    trackGroups: context.trackGroups,
  };
  for (let word = line.take(); word !== null; word = line.take()) {
    if (word.text === "nexthop") {
      if (!readNextHops(reading, word)) return null;
      break;
    }
    if (!readWord(reading, word)) return null;
  }
  return finish(reading);
}

function readWord(reading: RouteReading, word: Word): boolean {
  const { line } = reading;
  if (word.text === "as") return skipAs(reading, word);
  const known = ROUTE_WORDS.get(word.text);
  if (known !== undefined && (word.text !== "track_group" || reading.trackGroups !== null)) return known(reading, word);
  if (word.text === "to") {
    const next = line.value(word);
    return next !== null && readDestination(reading, next);
  }
  return readDestination(reading, word);
}

/** `as [to] ADDRESS` exists for MPLS only; keepalived ignores it with a message. */
function skipAs({ line }: RouteReading, word: Word): boolean {
  if (line.peek()?.text === "to") line.take();
  line.take();
  line.report("bad-route", word, "`as` is for MPLS only and is ignored", "remove it");
  return true;
}

/** RTN_* of linux/rtnetlink.h. */
const TYPES: ReadonlyMap<string, number> = new Map([
  ["unicast", 1],
  ["local", 2],
  ["broadcast", 3],
  ["anycast", 4],
  ["multicast", 5],
  ["blackhole", 6],
  ["unreachable", 7],
  ["prohibit", 8],
  ["throw", 9],
  ["nat", 10],
  ["xresolve", 11],
]);

export function routeType(text: string): number | null {
  return TYPES.get(text) ?? null;
}

function readDestination(reading: RouteReading, first: Word): boolean {
  const { line, draft } = reading;
  const type = routeType(first.text);
  const word = type === null ? first : line.value(first);
  if (word === null) return false;
  if (type !== null) draft.type = type;
  const prefix = readPrefix(word.text);
  if (prefix === null) {
    line.report(
      "bad-route",
      word,
      `\`${word.text}\` is no word of a route; the route is left out`,
      "write [TYPE] PREFIX [via ADDRESS] [dev INTERFACE] ..., as ip-route(8) names the options",
    );
    return false;
  }
  if (prefix.tooLong) line.report("bad-address", word, `\`${word.text}\`: the prefix length is too long`, null);
  draft.destination = prefix;
  return settleFamily(reading, familyOfPrefix(prefix), word);
}

/** `nexthop` words up to the end of the line. What is wrong in them costs the hop, not the route, as in keepalived. */
function readNextHops(reading: RouteReading, first: Word): boolean {
  const { line, draft } = reading;
  if (draft.nextHops.length > 0) {
    line.report("bad-route", first, "`nexthop` cannot follow `or`; the route is left out", "write nexthop for both");
    return false;
  }
  for (let word: Word | null = first; word !== null; word = line.take()) {
    if (word.text !== "nexthop") {
      line.report("bad-route", word, `\`${word.text}\` after the next hops is ignored`, "write it before nexthop");
      return true;
    }
    const hop = readNextHop(reading);
    if (hop === null) return true;
    draft.nextHops.push(hop);
  }
  return true;
}

type EditableHop = { -readonly [Key in keyof NextHop]: NextHop[Key] };

const HOP_WORDS = new Set(["via", "dev", "weight", "onlink", "encap", "realms"]);

function readNextHop(reading: RouteReading): NextHop | null {
  const { line } = reading;
  const hop: EditableHop = {
    gateway: null,
    device: null,
    weight: 1,
    onlink: false,
    realms: null,
    encapsulation: null,
  };
  for (let word = line.peek(); word !== null && HOP_WORDS.has(word.text); word = line.peek()) {
    line.take();
    if (!setHopWord(reading, hop, word)) return null;
  }
  return hop;
}

const HEAVIEST = 256;

function setHopWord(reading: RouteReading, hop: EditableHop, word: Word): boolean {
  const { line } = reading;
  switch (word.text) {
    case "via":
      hop.gateway = readGateway(reading, word);
      return hop.gateway !== null;
    case "dev":
      hop.device = line.value(word)?.text ?? null;
      return hop.device !== null;
    case "weight":
      return setWeight(reading, hop, word);
    case "encap":
      hop.encapsulation = readEncapsulation(line, word, reading.names);
      return true;
    case "realms":
      hop.realms = readRealms(reading, word, "route");
      return hop.realms !== null && settleFamily(reading, 4, word);
    default:
      hop.onlink = true;
      return true;
  }
}

function setWeight({ line }: RouteReading, hop: EditableHop, word: Word): boolean {
  const weight = line.number(word, HEAVIEST, "bad-route");
  if (weight === 0) line.report("bad-route", word, "weight 0 is no weight", `write a number from 1 to ${HEAVIEST}`);
  if (weight === null || weight === 0) return false;
  hop.weight = weight;
  return true;
}

function finish({ line, draft }: RouteReading): Route | null {
  const { destination, noTrack, source, ...rest } = draft;
  if (destination === null) {
    line.complain("bad-route", "a route without destination is left out", "write a prefix, or default");
    return null;
  }
  const tracked = !noTrack && isWatched(line, draft);
  const family = draft.family ?? 4;
  return {
    ...rest,
    family,
    destination: closePrefix(destination, family),
    source: source === null ? null : closePrefix(source, family),
    protocol: protocolOf(line, draft),
    tracked,
    trackGroup: trackGroupOf(line, draft, noTrack),
    text: line.text,
  };
}

type Draft = RouteReading["draft"];

/** Without an interface of its own nobody can tell whether a deletion was ours to mind. */
function isWatched(line: LineReader, { device }: Draft): boolean {
  if (device !== null) return true;
  line.complain(
    "route-not-tracked",
    "the route names no interface: that somebody deletes it will not be noticed",
    "add dev INTERFACE, or no_track to say that this is meant",
  );
  return false;
}

function protocolOf(line: LineReader, { noTrack, protocol }: Draft): number {
  if (noTrack) return protocol ?? PROTOCOL_KEEPALIVED;
  if (protocol !== null && protocol !== PROTOCOL_KEEPALIVED) {
    line.complain(
      "adjusted",
      `a tracked route has protocol ${PROTOCOL_KEEPALIVED} (keepalived); ${protocol} is replaced`,
      "remove protocol, or add no_track",
    );
  }
  return PROTOCOL_KEEPALIVED;
}

function trackGroupOf(line: LineReader, draft: Draft, noTrack: boolean): string | null {
  if (draft.trackGroup === null) return null;
  if (draft.device !== null && !noTrack) return draft.trackGroup;
  line.complain(
    "unknown-track-group",
    `track_group ${draft.trackGroup} needs an interface and no no_track; nothing depends on this route`,
    "add dev INTERFACE",
  );
  return null;
}
