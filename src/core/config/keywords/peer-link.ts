/** Keywords of `peer_link { }`: the authenticated connection between the daemons of a pair. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { done, integer, seconds, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

export const PEER_LINK: readonly KeywordEntry[] = [
  known(
    "listen",
    words,
    "ADDRESS [PORT] of this host where the peers' daemons ask, and from which this one asks; not a virtual address.",
    "port 8112",
  ),
  known("peer", words, "ADDRESS [PORT] of a peer's daemon; one line each. Nobody else is let in.", "port 8112"),
  known(
    "key",
    words,
    "ID hex:VALUE or file:/PATH (32 to 64 bytes, mode 0600): the hosts of a link have the same keys; several while a key is changed.",
  ),
  known("active_key", integer(1, 255), "The key that this daemon shows when it asks."),
  known("interval", seconds(0.1, 60), "Seconds between two questions whether the peer is there.", "1"),
  known("timeout", seconds(0.1, 60), "Seconds that connecting, or one answer, may take.", "1"),
];
