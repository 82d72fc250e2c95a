/** The peer link among the links between daemons. */
import type { Protocol } from "../keyed-link/protocol.ts";

export const PEER_LINK: Protocol = { name: "the peer link", purpose: "holdfast peer link 1", least: 1, most: 1 };
