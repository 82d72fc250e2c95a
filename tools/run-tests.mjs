/*
 * Runs the groups of tests one after the other and adds them up: gates count one each, vitest's tests by its JSON report.
 * A group that finds no tests has failed: silence is not success. A group past its time budget is ended and has failed.
 * The last line is the sum, in the form that script/test promises.
 */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const BIN = "node_modules/.bin";
const REPORTS = ".cache/test";
/** In this order. */
const GROUPS = ["gates", "vm", "unit", "sim", "lab"];
/** Minutes; a hanging test must not hold the whole run. */
const BUDGET = { gates: 5, unit: 8, sim: 15, vm: 15, lab: 50 };
const FULL_FACTOR = 4;
/** About 60 MB from Debian's archive, once. */
const UNPACK_MINUTES = 5;
/** Tests of IPVS need a kernel of their own; it may write to the folder of reports. */
const MACHINE = ["lab/ipvs-vm/run.sh", "--rw", REPORTS, "--"];
/** By the modules that a lab test takes. */
const STARTS_DATABASES =
  /from "[^"]*\/(?:managed-pair|incidents|nemesis|play|[a-z-]*(?:mysql|mariadb|redis|mha)[a-z-]*)(?:\/[^"]*)?\.ts"/;
const LOADS = /\/(?:flood|hostile|reload-load|kernel-objects|package)\.lab\.test\.ts$/;
const SHELL_FILES = ["script", ".ci", ".githooks"].flatMap((folder) =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
);

const GATES = [
  { name: "types and build", command: [join(BIN, "tsc"), "-b"] },
  { name: "bundle", command: [process.execPath, "tools/bundle.mjs"] },
  { name: "lint and format", command: [join(BIN, "biome"), "check", "--error-on-warnings", "."] },
  {
    name: "layers",
    command: [join(BIN, "depcruise"), "--config", ".dependency-cruiser.cjs", "--output-type", "err", "src"],
  },
  { name: "tidy", command: [process.execPath, "tools/tidy.mjs"] },
  { name: "shell syntax", command: ["bash", "-n", ...SHELL_FILES] },
  { name: "gates prove themselves", command: [join(BIN, "vitest"), "run", "--project", "gates", "--reporter=dot"] },
];

const total = { passed: 0, failed: 0, skipped: 0 };
const problems = [];
const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const options = process.argv.slice(2).filter((word) => word.startsWith("--"));
const full = options.includes("--full");

const say = (text) => process.stdout.write(`${text}\n`);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Runs a command in a process group of its own, so that ending it ends what it started. `output`: a descriptor instead of ours. */
function run(command, minutes, output = "inherit") {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      stdio: ["ignore", output, output],
      detached: true,
      env: {
        ...process.env,
        ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }),
        ...(full ? { HOLDFAST_FULL: "1" } : {}),
        ...(bundled ? { HOLDFAST_BUNDLED: "1" } : {}),
      },
    });
    let late = false;
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // Already gone.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      end("SIGTERM");
      setTimeout(() => end("SIGKILL"), 5_000).unref();
    }, minutes * 60_000);
    const onSignal = (signal) => {
      stopping = true;
      end("SIGTERM");
      setTimeout(() => process.exit(signal === "SIGINT" ? 130 : 143), 2_000);
    };
    process.once("SIGINT", onSignal);
    process.once("SIGTERM", onSignal);
    const settle = (code) => {
      clearTimeout(timer);
      process.removeListener("SIGINT", onSignal);
      process.removeListener("SIGTERM", onSignal);
      // What would come next would outlive us.
      if (!stopping) resolve({ code, late });
    };
    child.on("error", () => settle(127));
    child.on("exit", (code) => settle(code ?? 1));
  });
}

function failed(what) {
  total.failed += 1;
  problems.push(what);
}

async function runGate(gate) {
  const since = performance.now();
  const { code, late } = await run(gate.command, BUDGET.gates);
  if (code === 0) total.passed += 1;
  else failed(`gate: ${gate.name}${late ? " (out of time)" : ""}`);
  say(`  ${code === 0 ? "ok    " : "FAILED"} ${gate.name} (${seconds(since)})`);
}

async function runGates(gates) {
  say("== gates");
  for (const gate of gates) await runGate(gate);
}

function vitestCommand(project, report, filters) {
  const reporting = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const vitest = [join(BIN, "vitest"), "run", "--project", project, "--passWithNoTests", ...reporting, ...filters];
  return project === "vm" ? [...MACHINE, ...vitest] : vitest;
}

async function runProject(project, filters, emptyIsFine) {
  say(`== ${project}`);
  if (project === "lab" && !(await labReady())) return countLabAsSkipped(filters);
  judge(project, await runTests(project, filters), emptyIsFine);
}

/**
 * A group beside others, which mostly waits: its lines go to a file and are shown with the result, when what is returned is called.
 * `lane`: its name where a project is split.
 */
async function runAside(project, filters, lane = project) {
  say(`== ${lane}: beside the next, its lines come after`);
  const log = join(REPORTS, `${lane}.log`);
  const output = openSync(log, "w");
  const end = await runTests(project, filters, { output, lane });
  closeSync(output);
  return () => {
    say(`== ${lane}`);
    process.stdout.write(readFileSync(log));
    judge(project, end, false);
  };
}

/**
 * The lab mostly waits for timers of the protocol, so it goes on two lanes: what starts database servers, of which at most
 * four are to be alive, and all else. What loads a machine on purpose comes alone, after both.
 */
async function runLab() {
  if (!(await labReady())) return countLabAsSkipped([]);
  const files = testFiles("lab")
    .concat(testFiles("src"))
    .filter((path) => projectOf(path) === "lab");
  const alone = files.filter((path) => LOADS.test(path));
  const rest = files.filter((path) => !LOADS.test(path));
  const databases = rest.filter((path) => STARTS_DATABASES.test(readFileSync(path, "utf8")));
  const network = rest.filter((path) => !databases.includes(path));
  const aside = runAside("lab", network, "lab-network");
  say("== lab-databases");
  judge("lab", await runTests("lab", databases, { lane: "lab-databases" }), false);
  (await aside)();
  say("== lab-alone");
  judge("lab", await runTests("lab", alone, { lane: "lab-alone" }), false);
}

async function runTests(project, filters, { output, lane = project } = {}) {
  const since = performance.now();
  const report = join(REPORTS, `${lane}.json`);
  rmSync(report, { force: true });
  const minutes = BUDGET[project] * (full ? FULL_FACTOR : 1);
  const { code, late } = await run(vitestCommand(project, report, filters), minutes, output);
  return { lane, report, minutes, code, late, took: seconds(since) };
}

function judge(project, { lane, report, minutes, code, late, took }, emptyIsFine) {
  const sum = existsSync(report) ? addUp(project, JSON.parse(readFileSync(report, "utf8"))) : null;
  if (late) failed(`${lane}: not done after ${minutes} minutes`);
  else if (sum === null) failed(`${lane}: vitest ended with code ${code} and left no report`);
  else if (sum.passed + sum.failed + sum.skipped === 0 && !emptyIsFine) failed(`${lane}: no tests found`);
  else if (code !== 0 && sum.failed === 0) failed(`${lane}: vitest ended with code ${code}`);
  say(`   ${lane}: ${sum?.passed ?? 0} passed, ${sum?.failed ?? 0} failed, ${sum?.skipped ?? 0} skipped (${took})`);
  if (project === "lab" && sum !== null && sum.skipped > 0 && process.getuid() !== 0)
    say(`needs root: ${sum.skipped} not run`);
}

/** Debian has Oracle's MySQL only in unstable: unpacked into the cache, not installed. Elsewhere its tests say that it is missing. */
async function labReady() {
  if (!namespacesWork()) return false;
  const { code } = await run(["lab/mysql/unpack.sh"], UNPACK_MINUTES);
  if (code !== 0) say("MySQL could not be unpacked (lab/mysql/unpack.sh): tests that need it are skipped");
  return true;
}

function addUp(project, report) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    // A file that does not load reports no tests at all; it has failed all the same.
    if (file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed")) {
      sum.failed += 1;
      problems.push(`${project}: ${file.name}: did not load or its hooks failed`);
    }
    for (const test of file.assertionResults) addTest(project, sum, test);
  }
  total.passed += sum.passed;
  total.failed += sum.failed;
  total.skipped += sum.skipped;
  return sum;
}

function addTest(project, sum, test) {
  if (test.status === "passed") sum.passed += 1;
  else if (test.status === "failed") {
    sum.failed += 1;
    problems.push(`${project}: ${test.fullName}`);
  } else if (filteredOut(test)) return;
  else sum.skipped += 1;
}

/** With -t, vitest reports every other test of the file as skipped. */
const filteredOut = (test) => titles.length > 0 && !titles.some((title) => test.fullName.includes(title));

/** Root may make namespaces; others only where the kernel lets users have one of their own. */
function namespacesWork() {
  const flags = process.getuid() === 0 ? "-mnp" : "-Urmnp";
  return spawnSync("unshare", [flags, "--fork", "true"], { stdio: "ignore" }).status === 0;
}

function countLabAsSkipped(filters) {
  // --json takes what follows as a file to write: it must come last, or the first filter is overwritten.
  const listed = spawnSync(join(BIN, "vitest"), ["list", "--project", "lab", ...filters, "--json"], {
    encoding: "utf8",
    // What is skipped is not listed otherwise.
    env: { ...process.env, HOLDFAST_LAB_COUNT: "1" },
  });
  const start = listed.stdout.indexOf("[");
  const count = start < 0 ? 1 : JSON.parse(listed.stdout.slice(start)).length;
  total.skipped += count;
  say("   this machine gives you no network namespace (unshare -Urmn is refused)");
  say(`needs root: ${count} not run`);
}

/** Test files whose path has the name in it; failing that, those whose text has it. */
function filesFor(name) {
  const all = testFiles("src").concat(testFiles("lab"), testFiles("tools"));
  const byPath = all.filter((path) => path.includes(name));
  if (byPath.length > 0) return byPath;
  titles.push(name);
  return all.filter((path) => readFileSync(path, "utf8").includes(name));
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.ts") && path !== "tools/gates.test.ts" ? [path] : [];
  });
}

const projectOf = (path) => /\.(vm|lab|sim)\.test\.ts$/.exec(path)?.[1] ?? "unit";

async function runNamed(name) {
  const files = filesFor(name);
  if (files.length === 0) return failed(`no test file and no test is called ${name}`);
  const pattern = titles.includes(name) ? ["-t", name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")] : [];
  for (const project of ["unit", "sim", "vm", "lab"]) {
    const chosen = files.filter((path) => projectOf(path) === project);
    if (chosen.length > 0) await runProject(project, [...chosen, ...pattern], pattern.length > 0);
  }
}

const titles = [];
let bundled = false;
let stopping = false;
const groups = names.length === 0 ? GROUPS : GROUPS.filter((group) => names.includes(group));
const others = names.filter((name) => !GROUPS.includes(name));
const unknown = options.filter((option) => option !== "--full");
if (unknown.length > 0) {
  say(`unknown option ${unknown[0]}; usage: script/test [gates|unit|sim|vm|lab|NAME ...] [--full]`);
  process.exit(2);
}

const began = performance.now();
mkdirSync(REPORTS, { recursive: true });
if (groups.includes("gates")) await runGates(GATES);
// The machine, the lab and the commands run the built program.
else if (groups.includes("vm") || groups.includes("lab") || others.length > 0) await runGates(GATES.slice(0, 2));
bundled = true;
const computing = groups.filter((name) => name === "unit" || name === "sim");
// The virtual machine has one processor. Beside the lab it would disturb what is timed there.
const aside = groups.includes("vm") && computing.length > 0 ? runAside("vm", []) : null;
if (groups.includes("vm") && aside === null) await runProject("vm", [], false);
for (const group of computing) await runProject(group, [], false);
if (aside !== null) (await aside)();
if (groups.includes("lab")) await runLab();
for (const name of others) await runNamed(name);

for (const problem of problems) say(`failed: ${problem}`);
say(`in ${seconds(began)}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
say(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;
