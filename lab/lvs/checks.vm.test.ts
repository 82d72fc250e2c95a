/** One story of three real servers, told by keepalived and by the daemon here: the same lines in the same order, the same scripts. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../src/lab/processes.ts";

const HOLDFAST = fileURLToPath(new URL("../../bin/holdfast", import.meta.url));
const FOLDER = "/run/checks";
const FILE = `${FOLDER}/k.conf`;
const CALLS = `${FOLDER}/calls`;
const MISC = `${FOLDER}/misc.sh`;
const CODE = `${FOLDER}/code`;
const PATIENCE = 60_000;

const call = (what: string): string => `"${FOLDER}/call.sh ${what}"`;
const server = (port: number, name: string, checker: string): string => `
  real_server 127.0.0.1 ${port} {
    notify_up ${call(`up-${name}`)}
    notify_down ${call(`down-${name}`)}
    ${checker}
  }`;
const QUICK = "retry 1\ndelay_before_retry 0.3\n";
const CONFIG = `
global_defs {
  script_user root
  enable_script_security
}
virtual_server 10.9.0.100 80 {
  delay_loop 0.7
  warmup 0.1
  lvs_sched wrr
  lvs_method NAT
  protocol TCP
  quorum 2
  quorum_up ${call("quorum-up")}
  quorum_down ${call("quorum-down")}
  sorry_server 127.0.0.9 80
  ${server(8001, "tcp", `TCP_CHECK {\n${QUICK}}`)}
  ${server(8002, "http", `HTTP_GET {\n${QUICK}url {\npath /\nstatus_code 200\n}\n}`)}
  ${server(8003, "misc", `MISC_CHECK {\nmisc_path ${MISC}\nmisc_timeout 30\nmisc_dynamic\n}`)}
}
`;

beforeAll(() => {
  mkdirSync("/run/keepalived", { recursive: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, CONFIG);
  writeFileSync(MISC, `#!/bin/sh\nexit $(cat ${CODE})\n`);
  writeFileSync(`${FOLDER}/call.sh`, `#!/bin/sh\necho "$1" >> ${CALLS}\n`);
  for (const file of [MISC, `${FOLDER}/call.sh`]) chmodSync(file, 0o755);
});
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

function listen(port: number): Promise<Server> {
  const http = createServer((_request, response) => response.end("ok"));
  return new Promise((resolve) => http.listen(port, "127.0.0.1", () => resolve(http)));
}

function shut(http: Server): Promise<void> {
  http.closeAllConnections();
  return new Promise((resolve) => http.close(() => resolve()));
}

/** Lines of the health checkers, without what only one of the two has to say: processes, BFD, kernel, ends of scripts. */
const OURS = /service|quorum|sorry server|the pool|healthchecker for|success|succeed|Misc check|weight/;
const NOT = /ended: |IPVS|BFD/;

interface Story {
  readonly lines: readonly string[];
  readonly calls: readonly string[];
  /** The kernel's table at each chapter. */
  readonly tables: readonly string[];
}

async function tell(argv: readonly string[]): Promise<Story> {
  rmSync(CALLS, { force: true });
  writeFileSync(CODE, "0");
  const [tcp, http] = [await listen(8001), await listen(8002)];
  const log: string[] = [];
  const daemon: ChildProcess = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => daemon.on("exit", resolve));
  let rest = "";
  const read = (bytes: Buffer): void => {
    const all = (rest + bytes.toString()).split("\n");
    rest = all.pop() ?? "";
    log.push(...all.map((text) => text.replace(/^\w+ \w+ +\d+ [\d:]+ \d{4}: /, "")));
  };
  daemon.stdout?.on("data", read);
  daemon.stderr?.on("data", read);
  const tables: string[] = [];
  let seen = 0;
  const said = async (text: string, table = true): Promise<void> => {
    await until(() => log.slice(seen).some((one) => one.startsWith(text)) || undefined, `"${text}"`, PATIENCE);
    seen = log.length;
    if (table) tables.push(await settledTable());
  };
  const opened: Server[] = [http];
  try {
    await until(
      () =>
        [8001, 8002, 8003].every((port) => log.some((one) => one.includes(`:${port}`) && /succe/.test(one))) ||
        undefined,
      "three successes",
      PATIENCE,
    );
    seen = log.length;
    await shut(tcp);
    await said("Removing service [127.0.0.1]:tcp:8001");
    writeFileSync(CODE, "7");
    await said("Changing weight from 1 to 5");
    writeFileSync(CODE, "1");
    await said("Removing alive servers");
    opened.push(await listen(8001));
    await said("Adding alive servers");
    await shut(http);
    await said("Removing alive servers");
    opened.push(await listen(8002));
    await said("Adding service [127.0.0.1]:tcp:8002");
    writeFileSync(CODE, "0");
    await said("Adding service [127.0.0.1]:tcp:8003");
  } finally {
    daemon.kill("SIGTERM");
    await ended;
    for (const one of opened.slice(1)) await shut(one);
  }
  const calls = existsSync(CALLS) ? readFileSync(CALLS, "utf8").trim().split("\n") : [];
  return { lines: log.filter((text) => OURS.test(text) && !NOT.test(text)), calls, tables };
}

/** What the kernel has once two looks agree. */
async function settledTable(): Promise<string> {
  let before = "";
  return await until(
    () => {
      const now = execFileSync("ipvsadm", ["-S", "-n"], { encoding: "utf8" }).split("\n").sort().join("\n").trim();
      const same = now === before;
      before = now;
      return same ? now : undefined;
    },
    "a table that stays",
    PATIENCE,
  );
}

/** Checks of several servers run side by side, so that only the lines of each one's own have an order at the start. */
const sorted = (lines: readonly string[]): readonly string[] => [...lines].sort();

test("keepalived and the daemon tell the same story", { timeout: 300_000 }, async () => {
  const theirs = await tell([
    "keepalived",
    "-n",
    "-l",
    "-C",
    "-f",
    FILE,
    "-p",
    `${FOLDER}/k.pid`,
    "-c",
    `${FOLDER}/c.pid`,
  ]);
  const ours = await tell([
    HOLDFAST,
    "run",
    "-n",
    "-l",
    "-f",
    FILE,
    "-p",
    `${FOLDER}/h.pid`,
    "-r",
    `${FOLDER}/v.pid`,
    "--state-dir",
    FOLDER,
    "--socket",
    `${FOLDER}/s`,
  ]);
  expect(theirs.lines.length).toBeGreaterThan(25);
  expect(sorted(ours.lines)).toEqual(sorted(theirs.lines));
  const story = ({ lines }: Story): readonly string[] =>
    lines.filter((text) => /^(Add|Remov|Gained|Lost|Chang)/.test(text));
  expect(story(ours)).toEqual(story(theirs));
  // keepalived starts scripts side by side: which of two comes first is chance there.
  expect(sorted(ours.calls)).toEqual(sorted(theirs.calls));
  expect(ours.tables).toEqual(theirs.tables);
});
