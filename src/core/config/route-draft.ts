/** A route in the making, what its line is read with, and how families are settled. Owned by route-line.ts and its parts. */
import type { Family, IpAddress } from "../lib/ip.ts";
import { familyOf } from "../lib/ip.ts";
import { type Encapsulation, type Metric, type NextHop, ROUTE_UNICAST, TABLE_MAIN } from "../routing/model.ts";
import type { LineReader, OpenPrefix } from "./line-reader.ts";
import type { RoutingNames } from "./routing-names.ts";
import { settleFamilyOf } from "./routing-words.ts";
import type { Word } from "./words.ts";

export interface RouteDraft {
  family: Family | null;
  type: number;
  destination: OpenPrefix | null;
  source: OpenPrefix | null;
  table: number;
  protocol: number | null;
  scope: number | null;
  tos: number | null;
  priority: number | null;
  preferredSource: IpAddress | null;
  gateway: IpAddress | null;
  device: string | null;
  onlink: boolean;
  realms: number | null;
  readonly metrics: Metric[];
  congestionControl: string | null;
  locked: number;
  expires: number | null;
  preference: number | null;
  ttlPropagate: boolean | null;
  encapsulation: Encapsulation | null;
  readonly nextHops: NextHop[];
  placement: "prepend" | "append" | "add";
  noTrack: boolean;
  trackGroup: string | null;
}

export interface RouteReading {
  readonly line: LineReader;
  readonly names: RoutingNames;
  readonly draft: RouteDraft;
  /** Track groups that a static object may name; null where none may be named. */
  readonly trackGroups: ReadonlySet<string> | null;
}

export function newRouteDraft(): RouteDraft {
  return {
    family: null,
    type: ROUTE_UNICAST,
    destination: null,
    source: null,
    table: TABLE_MAIN,
    protocol: null,
    scope: null,
    tos: null,
    priority: null,
    preferredSource: null,
    gateway: null,
    device: null,
    onlink: false,
    realms: null,
    metrics: [],
    congestionControl: null,
    locked: 0,
    expires: null,
    preference: null,
    ttlPropagate: null,
    encapsulation: null,
    nextHops: [],
    placement: "prepend",
    noTrack: false,
    trackGroup: null,
  };
}

/** True when the family fits what is known so far, and is known from now on. */
export const settleFamily = (reading: RouteReading, family: Family | null, word: Word): boolean =>
  settleFamilyOf(reading, family, word, "route");

/** An address after a keyword, of the route's family; null was reported. */
export function readFamilyAddress(reading: RouteReading, keyword: Word): IpAddress | null {
  const address = reading.line.address(keyword, "bad-route");
  if (address === null) return null;
  return settleFamily(reading, familyOf(address), keyword) ? address : null;
}

/** `via [inet|inet6] ADDRESS`; null was reported. */
export function readGateway(reading: RouteReading, keyword: Word): IpAddress | null {
  const { line } = reading;
  const word = line.peek();
  if (word?.text === "inet" || word?.text === "inet6") {
    line.take();
    if (!settleFamily(reading, word.text === "inet" ? 4 : 6, word)) return null;
  }
  return readFamilyAddress(reading, keyword);
}
