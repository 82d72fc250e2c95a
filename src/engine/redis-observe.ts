/**
 * Asks one Redis server for all facts that a verdict needs. Knows no schedule and no verdict: `holdfast probe` and the daemon look with the
 * same eyes.
 */
import { addressInWords, type ServerAddress } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { factsOf, parseInfo, type RedisFacts } from "../core/redis/info.ts";
import { failureOf, pairsOf, type RedisFailure, textOf } from "../core/redis/reply.ts";
import { isParked, type Surroundings } from "../core/redis/verdict.ts";
import type { RedisPort, RedisSession, RedisTarget } from "../ports/redis.ts";

export const INFO = ["INFO"] as const;

export async function observe(session: RedisSession, timeoutMillis: number): Promise<Result<RedisFacts, RedisFailure>> {
  const asked = await session.call([INFO], timeoutMillis);
  if (!asked.ok) return asked;
  const [reply] = asked.value;
  if (reply?.kind === "error") return err(failureOf(reply.error));
  const facts = factsOf(parseInfo(textOf(reply)));
  if (facts === null) return err({ kind: "setup", detail: "what answers is not Redis or Valkey" });
  return facts.failedSave === "rdb" ? await withSaveRules(session, facts, timeoutMillis) : ok(facts);
}

const SAVE_RULES = [
  ["CONFIG", "GET", "save"],
  ["CONFIG", "GET", "stop-writes-on-bgsave-error"],
] as const;

/** A failed save refuses writes only where saves are wanted at all; an account that may not ask is told of the worse. */
async function withSaveRules(
  session: RedisSession,
  facts: RedisFacts,
  timeoutMillis: number,
): Promise<Result<RedisFacts, RedisFailure>> {
  const asked = await session.call(SAVE_RULES, timeoutMillis);
  if (!asked.ok) return asked;
  const [save, stop] = asked.value.map(pairsOf);
  const harmless = save?.get("save") === "" || stop?.get("stop-writes-on-bgsave-error") === "no";
  return ok(harmless ? { ...facts, failedSave: null } : facts);
}

/** Masters of masters that are looked at: a longer chain is no circle that anybody has built. */
const LONGEST = 5;
/** A host that lives answers its first packet in a round trip. */
const REACH_MILLIS = 300;

export type Reach = Omit<RedisTarget, "address" | "reachTimeoutMillis">;

/**
 * Follows the masters until there is none, or one that was there before. A link that is up proves nothing: two servers that follow each
 * other both say `up` (redis/redis#1277). Whoever cannot be asked ends the chain.
 */
export async function surroundingsOf(
  port: RedisPort,
  own: { readonly address: ServerAddress; readonly facts: RedisFacts },
  reach: Reach & { readonly timeoutMillis: number },
): Promise<Surroundings> {
  const path = [{ name: addressInWords(own.address), runId: own.facts.runId }];
  let { source } = own.facts;
  while (source !== null && !isParked(source.address) && path.length < LONGEST) {
    const next = await askOnce(port, placeOf(source.address), reach);
    if (!next.ok) break;
    const { runId } = next.value;
    const known = path.findIndex((one) => one.runId === runId);
    if (known >= 0) return { circle: path.slice(known).map(({ name }) => name) };
    path.push({ name: source.address, runId });
    source = next.value.source;
  }
  return { circle: null };
}

async function askOnce(
  port: RedisPort,
  address: ServerAddress,
  reach: Reach & { readonly timeoutMillis: number },
): Promise<Result<RedisFacts, RedisFailure>> {
  const opened = await port.open({ ...reach, address, reachTimeoutMillis: REACH_MILLIS }, () => undefined);
  if (!opened.ok) return opened;
  const facts = await observe(opened.value, reach.timeoutMillis);
  opened.value.close();
  return facts;
}

/** HOST:PORT as INFO has it; an IPv6 address stands there without brackets. */
export function placeOf(text: string): ServerAddress {
  const at = text.lastIndexOf(":");
  return { socket: null, host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
