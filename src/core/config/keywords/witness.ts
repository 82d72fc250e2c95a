/** Keywords of `witness { }`: what `holdfast witness` serves for `quorum_store witness { }` of other hosts. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { done, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

export const WITNESS: readonly KeywordEntry[] = [
  known("listen", words, "ADDRESS [PORT] of this host where the database hosts ask.", "port 8113"),
  known(
    "key",
    words,
    "ID hex:VALUE or file:/PATH (32 to 64 bytes, mode 0600): what a host proves; several while a key is changed.",
  ),
  known(
    "client",
    words,
    "ADDRESS of a host that may ask; one or several, also on several lines.",
    "every host that proves a key",
  ),
];
