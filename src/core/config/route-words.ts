/**
 * The keywords of a route line, one entry each, as ip-route(8) and keepalived.conf(5) name them. An entry reads its own value and
 * says whether the route can still be used; what it cannot use it has reported.
 */
import { readPrefix } from "./line-reader.ts";
import { type RouteDraft, type RouteReading, readFamilyAddress, readGateway, settleFamily } from "./route-draft.ts";
import { readEncapsulation } from "./route-encap.ts";
import type { NameTable } from "./routing-names.ts";
import { readName, readRealms, readTrackGroup } from "./routing-words.ts";
import type { Word } from "./words.ts";

/** False: the route is left out. */
type RouteWord = (reading: RouteReading, word: Word) => boolean;

/** RTAX_* of linux/rtnetlink.h. */
export const RTAX = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rto_min: 13,
  initrwnd: 14,
  quickack: 15,
  congctl: 16,
  fastopen_no_cookie: 17,
} as const;

const U32 = 0xffff_ffff;
const FEATURE_ECN = 1;

function setMetric(draft: RouteDraft, attribute: number, value: number): void {
  const known = draft.metrics.findIndex((metric) => metric.attribute === attribute);
  if (known >= 0) draft.metrics.splice(known, 1);
  draft.metrics.push({ attribute, value });
}

/** `lock` before the value of a metric. */
function readLock({ line, draft }: RouteReading, attribute: number): void {
  if (line.peek()?.text !== "lock") return;
  line.take();
  draft.locked |= 1 << attribute;
}

const metric =
  (attribute: number, most: number, lockable: boolean): RouteWord =>
  (reading, word) => {
    if (lockable) readLock(reading, attribute);
    const value = reading.line.number(word, most, "bad-route");
    if (value !== null) setMetric(reading.draft, attribute, value);
    return value !== null;
  };

/** The kernel takes no less than its own least time (TCP_RTO_MIN), in milliseconds. */
const SHORTEST_TIME = 200;

/** A time with `s` or `ms`; a bare number is in the kernel's unit, of which there are `unit` in a millisecond. */
const time =
  (attribute: number, unit: number): RouteWord =>
  (reading, word) => {
    readLock(reading, attribute);
    const value = reading.line.value(word);
    if (value === null) return false;
    const parts = /^(\d{1,9}(?:\.\d{1,6})?)(s|secs?|ms|msecs?)?$/.exec(value.text);
    const factor = parts?.[2] === undefined ? 1 : parts[2].startsWith("s") ? 1_000 * unit : unit;
    const scaled = parts === null ? U32 : Math.ceil(Number(parts[1]) * factor);
    if (scaled < SHORTEST_TIME * unit) {
      const message = `${word.text} ${value.text} becomes ${SHORTEST_TIME}ms, the shortest there is`;
      const fix = reading.line.substitute(value, `${SHORTEST_TIME}ms`);
      reading.line.report("metric-raised", value, message, { text: null, fix });
    }
    if (scaled < U32) {
      setMetric(reading.draft, attribute, Math.max(scaled, SHORTEST_TIME * unit));
      return true;
    }
    reading.line.report("bad-route", value, `\`${value.text}\` is no time for \`${word.text}\``, "write N, Nms or Ns");
    return false;
  };

const named =
  (table: NameTable, key: "table" | "protocol" | "scope" | "tos"): RouteWord =>
  (reading, word) => {
    const number = readName(reading, word, table, "route");
    if (number !== null) reading.draft[key] = number;
    return number !== null;
  };

const device: RouteWord = ({ line, draft }, word) => {
  draft.device = line.value(word)?.text ?? null;
  return draft.device !== null;
};

const priority: RouteWord = ({ line, draft }, word) => {
  draft.priority = line.number(word, U32, "bad-route");
  return draft.priority !== null;
};

const gateway: RouteWord = (reading, word) => {
  const { line, draft } = reading;
  if (word.text === "gw") {
    const advice = { text: "write via", fix: line.substitute(word, "via") };
    line.report("deprecated-word", word, "`gw` of a route is an old word; it works", advice);
  }
  draft.gateway = readGateway(reading, word);
  return draft.gateway !== null;
};

/** The first form of two next hops: `via A or B`. */
const alternative: RouteWord = (reading, word) => {
  const { line, draft } = reading;
  line.report("deprecated-word", word, "`or` of a route is an old word; it works", "write nexthop via ADDRESS");
  const address = readFamilyAddress(reading, word);
  if (address === null) return false;
  if (draft.nextHops.length > 0) return true;
  const hop = { device: null, weight: 1, onlink: false, realms: null, encapsulation: null };
  draft.nextHops.push({ ...hop, gateway: draft.gateway }, { ...hop, gateway: address });
  draft.gateway = null;
  return true;
};

/** `from PREFIX`: source routing, which only IPv6 has. */
const from: RouteWord = (reading, word) => {
  const { line, draft } = reading;
  const value = line.value(word);
  if (value === null) return false;
  const prefix = readPrefix(value.text);
  if (prefix === null || prefix.address?.includes(":") !== true) {
    line.report("bad-route", value, `\`from ${value.text}\` is no IPv6 prefix; the route is left out`, "use a rule");
    return false;
  }
  draft.source = prefix;
  return settleFamily(reading, 6, word);
};

const preferredSource: RouteWord = (reading, word) => {
  reading.draft.preferredSource = readFamilyAddress(reading, word);
  return reading.draft.preferredSource !== null;
};

const family =
  (wanted: 4 | 6): RouteWord =>
  (reading, word) =>
    settleFamily(reading, wanted, word);

const placement =
  (wanted: RouteDraft["placement"]): RouteWord =>
  ({ draft }) => {
    draft.placement = wanted;
    return true;
  };

const PREFERENCES: ReadonlyMap<string, number> = new Map([
  ["low", 3],
  ["medium", 0],
  ["high", 1],
]);

const preference: RouteWord = (reading, word) => {
  const { line, draft } = reading;
  const value = line.value(word);
  if (value === null || !settleFamily(reading, 6, word)) return false;
  draft.preference = PREFERENCES.get(value.text) ?? (/^\d{1,3}$/.test(value.text) ? Number(value.text) : 256);
  if (draft.preference <= 255) return true;
  line.report("bad-route", value, `\`${value.text}\` is no router preference`, "write low, medium or high");
  return false;
};

const expires: RouteWord = (reading, word) => {
  if (!settleFamily(reading, 6, word)) return false;
  reading.draft.expires = reading.line.number(word, U32, "bad-route");
  return reading.draft.expires !== null;
};

const features: RouteWord = ({ line, draft }, word) => {
  const value = line.value(word);
  if (value === null) return false;
  if (value.text === "ecn") setMetric(draft, RTAX.features, FEATURE_ECN);
  else line.report("bad-route", value, `\`${value.text}\` is no feature of a route; it is ignored`, "write ecn");
  return true;
};

const congestion: RouteWord = (reading, word) => {
  readLock(reading, RTAX.congctl);
  reading.draft.congestionControl = reading.line.value(word)?.text ?? null;
  return reading.draft.congestionControl !== null;
};

const ttlPropagate: RouteWord = ({ line, draft }, word) => {
  const value = line.value(word);
  if (value === null) return false;
  if (value.text === "enabled" || value.text === "disabled") draft.ttlPropagate = value.text === "enabled";
  else line.report("bad-route", value, `\`${value.text}\` is ignored`, "write ttl-propagate enabled or disabled");
  return true;
};

const realms: RouteWord = (reading, word) => {
  reading.draft.realms = readRealms(reading, word, "route");
  return reading.draft.realms !== null && settleFamily(reading, 4, word);
};

const trackGroup: RouteWord = (reading, word) => readTrackGroup(reading, word, "route");

export const ROUTE_WORDS: ReadonlyMap<string, RouteWord> = new Map<string, RouteWord>([
  ["inet", family(4)],
  ["inet6", family(6)],
  ["src", preferredSource],
  ["via", gateway],
  ["gw", gateway],
  ["or", alternative],
  ["from", from],
  ["tos", named("dsfield", "tos")],
  ["dsfield", named("dsfield", "tos")],
  ["table", named("tables", "table")],
  ["protocol", named("protos", "protocol")],
  ["scope", named("scopes", "scope")],
  ["metric", priority],
  ["priority", priority],
  ["preference", priority],
  ["dev", device],
  ["oif", device],
  ["onlink", ({ draft }) => (draft.onlink = true)],
  [
    "encap",
    (reading, word) => {
      reading.draft.encapsulation = readEncapsulation(reading.line, word, reading.names);
      return true;
    },
  ],
  ["expires", expires],
  ["mtu", metric(RTAX.mtu, U32, true)],
  ["hoplimit", metric(RTAX.hoplimit, 255, false)],
  ["advmss", metric(RTAX.advmss, U32, true)],
  ["rtt", time(RTAX.rtt, 8)],
  ["rttvar", time(RTAX.rttvar, 4)],
  ["rto_min", time(RTAX.rto_min, 1)],
  ["reordering", metric(RTAX.reordering, U32, true)],
  ["window", metric(RTAX.window, U32, false)],
  ["cwnd", metric(RTAX.cwnd, U32, true)],
  ["ssthresh", metric(RTAX.ssthresh, U32, true)],
  ["initcwnd", metric(RTAX.initcwnd, U32, false)],
  ["initrwnd", metric(RTAX.initrwnd, U32, false)],
  ["quickack", metric(RTAX.quickack, 1, false)],
  ["fastopen_no_cookie", metric(RTAX.fastopen_no_cookie, 1, false)],
  ["features", features],
  ["congctl", congestion],
  ["pref", preference],
  ["ttl-propagate", ttlPropagate],
  ["realms", realms],
  ["add", placement("add")],
  ["append", placement("append")],
  ["prepend", placement("prepend")],
  ["no_track", ({ draft }) => (draft.noTrack = true)],
  ["track_group", trackGroup],
]);
