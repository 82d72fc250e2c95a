/**
 * The whole registry: every keyword of keepalived 2.2.7 to 2.4, by the block it stands in, and the extensions. Owns
 * look-up by name; the tables themselves are in the files beside this one.
 */

import { API } from "./api.ts";
import { GLOBAL_DEFS } from "./global-defs.ts";
import { LVS_BLOCKS } from "./lvs.ts";
import { MYSQL } from "./mysql.ts";
import { PEER_LINK } from "./peer-link.ts";
import { QUORUM_STORE } from "./quorum.ts";
import { REDIS } from "./redis.ts";
import { ROOT } from "./root.ts";
import { GARP_GROUP, VRRP_SYNC_GROUP } from "./sync-groups.ts";
import { TRACK_FILE, VRRP_TRACK_PROCESS } from "./trackers.ts";
import type { KeywordEntry } from "./types.ts";
import { AUTH_HMAC, AUTHENTICATION, BFD_INSTANCE, TRACK_GROUP, VRRP_INSTANCE, VRRP_SCRIPT } from "./vrrp.ts";
import { WITNESS } from "./witness.ts";

export const REGISTRY: Readonly<Record<string, readonly KeywordEntry[]>> = {
  root: ROOT,
  global_defs: GLOBAL_DEFS,
  vrrp_script: VRRP_SCRIPT,
  vrrp_instance: VRRP_INSTANCE,
  authentication: AUTHENTICATION,
  auth_hmac: AUTH_HMAC,
  vrrp_sync_group: VRRP_SYNC_GROUP,
  vrrp_track_process: VRRP_TRACK_PROCESS,
  track_file: TRACK_FILE,
  mysql: MYSQL,
  api: API,
  redis: REDIS,
  peer_link: PEER_LINK,
  quorum_store: QUORUM_STORE,
  witness: WITNESS,
  bfd_instance: BFD_INSTANCE,
  garp_group: GARP_GROUP,
  track_group: TRACK_GROUP,
  ...LVS_BLOCKS,
};

const byBlock = new Map(
  Object.entries(REGISTRY).map(([name, entries]) => [name, new Map(entries.map((entry) => [entry.name, entry]))]),
);

export function findKeyword(block: string, name: string): KeywordEntry | null {
  return byBlock.get(block)?.get(name) ?? null;
}

export function keywordNames(block: string): readonly string[] {
  return [...(byBlock.get(block)?.keys() ?? [])];
}

/** Blocks in which a word is a keyword, for "that belongs into ..." remedies. */
export function blocksOf(name: string): readonly string[] {
  return [...byBlock].filter(([, keywords]) => keywords.has(name)).map(([block]) => block);
}

export interface RegistryRow extends KeywordEntry {
  readonly block: string;
}

/** The registry as flat rows, for generated documents. */
export function registryRows(): readonly RegistryRow[] {
  return Object.entries(REGISTRY).flatMap(([block, entries]) => entries.map((entry) => ({ block, ...entry })));
}
