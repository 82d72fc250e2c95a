/** A copy of a server's data set on this host, before it gives the data up: BGSAVE, then the file beside the original. */
import { isLocal } from "../core/database/config.ts";
import { err, type Result } from "../core/lib/result.ts";
import { after, millis, seconds } from "../core/lib/units.ts";
import { pairsOf } from "../core/redis/reply.ts";
import type { RedisMember } from "./redis-group.ts";
import { failureInWords } from "./redis-group.ts";
import type { RedisTools } from "./redis-takeover.ts";

const PAUSE = millis(50);
/** A save of many gigabytes takes its time; meanwhile the server is closed and serves reads. */
const LONGEST = seconds(3_600);

/** The path of the copy. */
export async function saveCopy(tools: RedisTools, own: RedisMember): Promise<Result<string, string>> {
  if (!isLocal(own.address)) return err("it is not on this host, so its data set cannot be copied: on_divergence ask");
  const where = await own.order([
    ["CONFIG", "GET", "dir"],
    ["CONFIG", "GET", "dbfilename"],
  ]);
  if (!where.ok) return err(failureInWords(where.error));
  const [dir, file] = where.value.map(pairsOf);
  const path = `${dir?.get("dir") ?? ""}/${file?.get("dbfilename") ?? ""}`;
  const begun = await own.order([["BGSAVE"]]);
  if (!begun.ok) return err(`BGSAVE: ${failureInWords(begun.error)}`);
  const deadline = after(tools.timers.now(), LONGEST);
  for (;;) {
    await new Promise<void>((resolve) => {
      tools.timers.schedule(PAUSE, resolve);
    });
    const facts = await own.facts();
    if (!facts.ok) return err(failureInWords(facts.error));
    if (facts.value.savesNow && tools.timers.now() < deadline) continue;
    if (facts.value.savesNow || facts.value.dumpFailed === true) return err("BGSAVE has failed: see the server's log");
    return await tools.copies.keep(path);
  }
}
