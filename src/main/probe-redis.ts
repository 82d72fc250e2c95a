/**
 * `holdfast probe redis`: one look at one server with the daemon's eyes, without a daemon. The composition of adapter, engine and core;
 * what counts and what the words mean is theirs.
 */
import { createRedisPort } from "../adapters/redis/client.ts";
import { EXIT } from "../cli/exit-codes.ts";
import { parseRedisProbe, REDIS_PROBE_HELP, type RedisProbeOptions } from "../cli/probe-redis-options.ts";
import { addressInWords, type ServerAddress } from "../core/database/config.ts";
import { troubleInWords } from "../core/database/trouble.ts";
import type { Verdict } from "../core/database/verdict.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { troubleOfFailure } from "../core/redis/failure.ts";
import type { RedisFacts } from "../core/redis/info.ts";
import type { RedisFailure } from "../core/redis/reply.ts";
import { judgeFacts, judgeTrouble, type Surroundings } from "../core/redis/verdict.ts";
import { observe, surroundingsOf } from "../engine/redis-observe.ts";
import type { ProbeIo } from "./probe-io.ts";

export async function runRedisProbe(words: readonly string[], io: ProbeIo): Promise<number> {
  const options = parseRedisProbe(words);
  if (!options.ok) {
    io.err(`holdfast: ${options.error}`);
    io.err("          see `holdfast probe redis --help`");
    return EXIT.usage;
  }
  if (options.value === "help") {
    io.out(REDIS_PROBE_HELP.trimEnd());
    return EXIT.ok;
  }
  return await probe(options.value, io);
}

async function probe(options: RedisProbeOptions, io: ProbeIo): Promise<number> {
  const { host, port, socket, json, ping } = options;
  const address = { socket, host, port };
  const look = await lookWithin(options, address);
  const verdict = look.ok
    ? judgeFacts(look.value.facts, look.value.surroundings, options.rules)
    : judgeTrouble(troubleOfFailure(look.error, false));
  const { always } = verdict;
  const exit = exitCode(verdict);
  const server = addressInWords(address);
  const facts = look.ok ? look.value.facts : null;
  if (json) io.out(JSON.stringify({ server, good: always === null, exit, cause: always, ...inWords(verdict), facts }));
  if (always !== null) io.err(`redis ${server} is bad: ${troubleInWords(always)}`);
  else if (ping && !json) io.out("PONG");
  else if (!json) io.out(`redis ${server} is good: ${goodness(facts, verdict)}`);
  return exit;
}

function exitCode({ always }: Verdict): number {
  if (always === null) return EXIT.ok;
  return always.kind === "setup" || always.kind === "denied" || always.kind === "acl" ? EXIT.notPermitted : EXIT.failed;
}

const inWords = ({ always, findings }: Verdict) => ({
  text: always === null ? null : troubleInWords(always),
  findings,
});

function goodness(facts: RedisFacts | null, { findings }: Verdict): string {
  const remarks = findings.map(({ trouble }) => troubleInWords(trouble));
  return [facts?.version ?? "", ...(remarks.length === 0 ? ["nothing is wrong"] : remarks)].join("; ");
}

interface Look {
  readonly facts: RedisFacts;
  readonly surroundings: Surroundings;
}

/** A connection that takes too long says so itself, in better words. */
const LATE_MILLIS = 5;

/** One deadline for everything: a check script that takes longer than it says is of no use. */
async function lookWithin(options: RedisProbeOptions, address: ServerAddress): Promise<Result<Look, RedisFailure>> {
  const { timeoutMillis } = options;
  const late = new Promise<Result<never, RedisFailure>>((resolve) => {
    const failure = err<RedisFailure>({ kind: "timeout", phase: "query", afterMillis: timeoutMillis });
    setTimeout(() => resolve(failure), timeoutMillis + LATE_MILLIS).unref();
  });
  return await Promise.race([look(options, address), late]);
}

async function look(options: RedisProbeOptions, address: ServerAddress): Promise<Result<Look, RedisFailure>> {
  const { timeoutMillis, defaultsFile, user, tls, tlsCa, tlsCert, tlsKey } = options;
  const reach = {
    credentials: defaultsFile,
    user,
    tls: { mode: tls, ca: tlsCa, cert: tlsCert, key: tlsKey },
    connectTimeoutMillis: timeoutMillis,
  };
  const redis = createRedisPort();
  const opened = await redis.open({ ...reach, address }, () => undefined);
  if (!opened.ok) return opened;
  const facts = await observe(opened.value, timeoutMillis);
  opened.value.close();
  if (!facts.ok) return facts;
  const surroundings = await surroundingsOf(redis, { address, facts: facts.value }, { ...reach, timeoutMillis });
  return ok({ facts: facts.value, surroundings });
}
