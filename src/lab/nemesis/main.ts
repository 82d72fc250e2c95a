/** `script/nemesis`: random faults on real programs, judged from outside; ends with a report of what broke the promise. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { DaemonKind } from "../daemon.ts";
import { failed, heading, passed, say } from "../demo-report.ts";
import { createLab, type Lab } from "../lab.ts";
import { namespacesUnavailable } from "../namespace.ts";
import { MariadbSubject } from "./mariadb-subject.ts";
import { allKinds, type FaultKind, planFaults } from "./plan.ts";
import { RedisSubject } from "./redis-subject.ts";
import { type NemesisReport, pageOf, type RunIdentity, reportOf } from "./report.ts";
import { NemesisRun } from "./run.ts";
import type { StoreKind } from "./store.ts";
import type { DatabaseName, Subject } from "./subject.ts";

const USAGE = `script/nemesis [redis|mariadb] [--minutes M] [--seed S] [--daemon holdfast|keepalived] [--store witness|etcd] [--kinds KIND,...] [--out DIR] [--json]

A pair of databases in private network namespaces, applications that write through the address, and M minutes (2) of random faults
drawn from the seed; then quiet, and the judgement: acknowledged writes that are gone, two hosts answering, two servers writing,
addresses left over, a pair that does not come together. DIR (.cache/nemesis) gets NAME.json, NAME.md and NAME.log, what the daemons
said. Exit code 0: no violation; 1: violations; 2: wrong options; 77: this machine gives no namespaces.
--store (redis under holdfast) gives the pair a quorum_store on a third host, and faults of it; then no cut excuses a second holder.
Kinds of faults: ${allKinds(true).join(" ")}`;

interface Options extends RunIdentity {
  readonly kinds: readonly FaultKind[];
  readonly out: string;
  readonly json: boolean;
}

class UsageError extends Error {}

function optionsOf(words: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: "1" },
      daemon: { type: "string", default: "holdfast" },
      store: { type: "string", default: "none" },
      kinds: { type: "string" },
      out: { type: "string", default: ".cache/nemesis" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const [database = "redis", ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`unexpected: ${rest.join(" ")}`);
  const store = oneOf(values.store, ["none", "witness", "etcd"], "--store");
  const daemon = oneOf(values.daemon, ["holdfast", "keepalived"], "--daemon");
  if (store !== "none" && (database !== "redis" || daemon !== "holdfast"))
    throw new UsageError("--store: a quorum store goes with redis under holdfast");
  const known = allKinds(store !== "none");
  return {
    database: oneOf(database, ["redis", "mariadb"], "database"),
    daemon,
    store,
    minutes: numberOf(values.minutes, "--minutes"),
    seed: numberOf(values.seed, "--seed"),
    kinds: values.kinds?.split(",").map((kind) => oneOf(kind, known, "--kinds")) ?? known,
    out: values.out,
    json: values.json,
  };
}

function oneOf<T extends string>(word: string, known: readonly T[], what: string): T {
  const found = known.find((it) => it === word);
  if (found === undefined) throw new UsageError(`${what}: "${word}" is none of ${known.join(", ")}`);
  return found;
}

function numberOf(text: string, what: string): number {
  const value = Number(text);
  if (!(value >= 0) || text.trim() === "") throw new UsageError(`${what}: "${text}" is no number`);
  return value;
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const unavailable = await namespacesUnavailable();
  if (unavailable !== null) {
    process.stderr.write(`needs root: not run (${unavailable})\n`);
    return 77;
  }
  const directory = mkdtempSync(join(tmpdir(), "holdfast-nemesis-"));
  let lab: Lab | null = null;
  const cleanUp = async (): Promise<void> => {
    await lab?.destroy();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const leave = (code: number): void => void cleanUp().finally(() => process.exit(code));
  process.once("SIGINT", () => leave(130)).once("SIGTERM", () => leave(143));
  try {
    lab = await createLab(undefined, { directory });
    return await playOn(lab, options);
  } finally {
    await cleanUp();
  }
}

type Start = (lab: Lab, kind: DaemonKind, store: StoreKind) => Promise<Subject>;

const SUBJECTS: Readonly<Record<DatabaseName, Start>> = {
  redis: (lab, kind, store) => RedisSubject.start(lab, kind, store),
  mariadb: (lab, kind) => MariadbSubject.start(lab, kind),
};

async function playOn(lab: Lab, options: Options): Promise<number> {
  const { database, daemon, seed, minutes, store } = options;
  const tell = options.json ? () => undefined : say;
  const plan = planFaults(seed, minutes * 60_000, options.kinds);
  if (!options.json) heading(`${database} under ${daemon}: ${plan.length} faults in ${minutes} minutes, seed ${seed}`);
  const subject = await SUBJECTS[database](lab, daemon, store);
  try {
    const evidence = await new NemesisRun(subject, tell).play(plan);
    const report = reportOf({ database, daemon, seed, minutes, store }, evidence);
    write(options.out, report, saidBy(subject, evidence.span.from));
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else conclude(report, options.out);
    return report.violations.length === 0 ? 0 : 1;
  } finally {
    await subject.end();
  }
}

const nameOf = ({ database, daemon, seed, store }: NemesisReport): string =>
  [database, daemon, ...(store === "none" ? [] : [store]), String(seed)].join("-");

function write(directory: string, report: NemesisReport, log: string): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, nameOf(report));
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${path}.md`, pageOf(report));
  writeFileSync(`${path}.log`, log);
}

/** In the order of time, whichever daemon it was; times count from the beginning of the run. */
function saidBy({ programs }: Subject, began: number): string {
  const lines = programs.flatMap(({ host, program }) =>
    program.lines.map(({ at, text }) => ({ at: performance.timeOrigin + at, host, text })),
  );
  const shown = ({ at, host, text }: (typeof lines)[number]) =>
    `${((at - began) / 1_000).toFixed(3).padStart(9)} ${host} ${text}\n`;
  return lines
    .sort((a, b) => a.at - b.at)
    .map(shown)
    .join("");
}

function conclude(report: NemesisReport, out: string): void {
  const { writes, probes, violations, recovery } = report;
  heading("Result");
  say(
    `${writes.acknowledged} writes acknowledged of ${writes.attempted}; ${writes.inCopyOnly} only in a copy, ${writes.gone} gone`,
  );
  say(`${probes.asked} ARP probes, ${probes.answeredTwice} answered by two hosts`);
  say(
    `from a heal to the next acknowledged write: median ${recovery.medianMs ?? "-"} ms, longest ${recovery.maxMs ?? "-"} ms`,
  );
  say(`report: ${join(out, nameOf(report))}.md`);
  for (const { kind, text, from } of violations) failed(`${kind} at ${from.toFixed(1)} s: ${text.split("\n")[0]}`);
  if (violations.length === 0) passed(`${report.faults.length} faults, no violation`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const wrong = error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${wrong ? `\n\n${USAGE}` : ""}\n`);
  process.exitCode = wrong ? 2 : 1;
}
