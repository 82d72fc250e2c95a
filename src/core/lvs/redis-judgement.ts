/** Whether a Redis server belongs behind a service: facts of one look to a finding. */
import type { RedisFacts } from "../redis/info.ts";
import type { RedisChecker } from "./checkers.ts";
import { type Finding, OK } from "./findings.ts";

const trouble = (text: string): Finding => ({ kind: "trouble", text });

/** `master`: what its master says of itself; null: it was not asked, or does not answer. */
export function judgeRedis(
  { role, maxBehind }: Pick<RedisChecker, "role" | "maxBehind">,
  { loading, source, history }: Pick<RedisFacts, "loading" | "source" | "history">,
  master: Pick<RedisFacts, "history"> | null,
): Finding {
  if (loading !== null) return trouble("it loads its data");
  const is = source === null ? "master" : "replica";
  if (role !== "any" && role !== is) return trouble(`it is a ${is}`);
  if (source === null) return OK;
  if (source.syncing) return trouble(`it copies all data from ${source.address}`);
  if (!source.up) return trouble(`its link to ${source.address} is down`);
  if (maxBehind === null) return OK;
  if (master === null) return trouble(`${source.address} does not say how far it is`);
  // Offsets of two streams cannot be compared.
  if (master.history.id !== history.id) return trouble(`it follows another stream than that of ${source.address}`);
  const behind = Math.max(0, master.history.offset - history.offset);
  return behind <= maxBehind ? OK : trouble(`it lacks ${behind} bytes, and max_behind is ${maxBehind}`);
}
