/**
 * `holdfast probe mysql`: one look at one server with the daemon's eyes, without a daemon. The composition of adapter, engine and core;
 * what counts and what the words mean is theirs.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readLogin } from "../adapters/credentials.ts";
import { createSqlPort } from "../adapters/mysql/client.ts";
import { EXIT } from "../cli/exit-codes.ts";
import { PROBE_HELP, type ProbeOptions, parseProbe } from "../cli/probe-options.ts";
import { addressInWords, isLocal } from "../core/database/config.ts";
import { troubleInWords } from "../core/database/trouble.ts";
import type { Verdict } from "../core/database/verdict.ts";
import { err, type Result } from "../core/lib/result.ts";
import type { MysqlAddress } from "../core/mysql/config.ts";
import type { MysqlFacts } from "../core/mysql/facts.ts";
import { type SqlFailure, troubleOfFailure } from "../core/mysql/failure.ts";
import { judgeFacts, judgeTrouble } from "../core/mysql/verdict.ts";
import { versionInWords } from "../core/mysql/version.ts";
import { identify, observe } from "../engine/mysql-observe.ts";
import { createDatabaseHost } from "../linux/database-host.ts";
import type { SqlSession } from "../ports/sql.ts";
import type { ProbeIo } from "./probe-io.ts";

export async function runProbe(words: readonly string[], io: ProbeIo): Promise<number> {
  const [product, ...rest] = words;
  if (product === "redis") return await (await import("./probe-redis.ts")).runRedisProbe(rest, io);
  const options = parseProbe(words);
  if (!options.ok) {
    io.err(`holdfast: ${options.error}`);
    io.err("          see `holdfast probe --help`");
    return EXIT.usage;
  }
  if (options.value === "help") {
    io.out(PROBE_HELP.trimEnd());
    return EXIT.ok;
  }
  return probe(options.value, io);
}

interface Look {
  readonly address: MysqlAddress;
  readonly facts: MysqlFacts | null;
  readonly verdict: Verdict;
}

async function probe(options: ProbeOptions, io: ProbeIo): Promise<number> {
  const look = await lookOnce(options, io.home);
  const { always } = look.verdict;
  const exit = always === null ? EXIT.ok : always.kind === "setup" ? EXIT.notPermitted : EXIT.failed;
  if (options.json) io.out(JSON.stringify(asJson(look, exit)));
  if (always !== null) io.err(`mysql ${addressInWords(look.address)} is bad: ${troubleInWords(always)}`);
  else if (!options.json) io.out(`mysql ${addressInWords(look.address)} is good: ${goodness(look)}`);
  return exit;
}

function asJson({ address, facts, verdict }: Look, exit: number): object {
  return {
    server: addressInWords(address),
    good: verdict.always === null,
    exit,
    cause: verdict.always,
    text: verdict.always === null ? null : troubleInWords(verdict.always),
    version: facts === null ? null : versionInWords(facts.version),
    closedBy: facts?.closedBy ?? null,
    connections: facts?.connections ?? null,
    replicas: facts?.replicas ?? [],
    findings: verdict.findings,
  };
}

function goodness({ facts, verdict }: Look): string {
  const version = facts === null ? [] : [versionInWords(facts.version)];
  const remarks = verdict.findings.map(({ trouble }) => troubleInWords(trouble));
  return [...version, ...(remarks.length === 0 ? ["nothing is wrong"] : remarks)].join("; ");
}

async function lookOnce(options: ProbeOptions, home: string | null): Promise<Look> {
  const credentials = options.defaultsFile ?? ownDefaults(home);
  const login = await readLogin(credentials);
  const file = login.ok ? login.value.options : {};
  const address: MysqlAddress = {
    // A host on the command line beats a socket of the file.
    socket: options.socket ?? (options.host === null && options.port === null ? (file.socket ?? null) : null),
    host: options.host ?? file.host ?? "127.0.0.1",
    port: options.port ?? file.port ?? 3_306,
    reservedPort: null,
  };
  const facts = login.ok
    ? await ask({ ...options, credentials }, address)
    : err<SqlFailure>({ kind: "setup", detail: login.error });
  if (facts.ok) return { address, facts: facts.value, verdict: judgeFacts(facts.value, options.rules) };
  const processStarts = isLocal(address) ? createDatabaseHost().serverStarts(null) : null;
  const trouble = troubleOfFailure(facts.error, { wasUp: false, processStarts });
  return { address, facts: null, verdict: judgeTrouble(trouble, options.rules) };
}

function ownDefaults(home: string | null): string | null {
  const path = home === null ? null : join(home, ".my.cnf");
  return path !== null && existsSync(path) ? path : null;
}

/** One deadline for everything: a check script that takes longer than it says is of no use. */
async function ask(
  options: ProbeOptions & { readonly credentials: string | null },
  address: MysqlAddress,
): Promise<Result<MysqlFacts, SqlFailure>> {
  const { timeoutMillis, credentials, tls, tlsCa, user, rules } = options;
  const target = {
    address,
    credentials,
    user,
    tls: { mode: tls, ca: tlsCa, cert: null, key: null },
    connectTimeoutMillis: timeoutMillis,
  };
  const start = performance.now();
  const opened = await createSqlPort().open(target, () => undefined);
  if (!opened.ok) return opened;
  const session = opened.value;
  const left = Math.max(1, timeoutMillis - (performance.now() - start));
  const looked = look(session, { address, rules, timeoutMillis });
  const answer = await Promise.race([looked, late(left, timeoutMillis)]);
  session.close();
  return answer;
}

async function look(
  session: SqlSession,
  { address, rules, timeoutMillis }: Pick<ProbeOptions, "rules" | "timeoutMillis"> & { readonly address: MysqlAddress },
): Promise<Result<MysqlFacts, SqlFailure>> {
  const identity = await identify(session, timeoutMillis);
  if (!identity.ok) return identity;
  return observe({ session, host: createDatabaseHost(), address, rules, timeoutMillis }, identity.value);
}

function late(inMillis: number, afterMillis: number): Promise<Result<never, SqlFailure>> {
  return new Promise((resolve) => {
    const failure = err<SqlFailure>({ kind: "timeout", phase: "query", afterMillis });
    setTimeout(() => resolve(failure), inMillis).unref();
  });
}
