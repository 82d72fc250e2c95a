/*
 * What neither the compiler nor the linter sees: file length, opening comments, promises without a link, paths of
 * somebody's home, download addresses in the lockfile, scripts that go on after an error.
 * `node tools/tidy.mjs [FOLDER]` prints one line a finding and exits 1 when there is one.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const FILE_LIMIT = 400;
const SKIPPED = new Set(["node_modules", "dist", ".git", ".cache"]);
const SKIPPED_PATHS = ["fixtures/gates", "tools/tidy.mjs", "LICENSE", "holdfast"];
const TEXT = /\.(ts|tsx|css|html|mjs|cjs|js|json|jsonl|md|sh|py|conf|cnf|yml|yaml|txt|log)$/;
const SCRIPT_FOLDERS = /^(script|\.ci|\.githooks)\/[^.]+$/;

const root = resolve(process.argv[2] ?? ".");

/** @returns {string[]} paths relative to the root, in a stable order */
function filesBelow(folder) {
  const found = [];
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const shown = relative(root, path);
    if (SKIPPED.has(name) || SKIPPED_PATHS.includes(shown)) continue;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) found.push(...filesBelow(path));
    else if (TEXT.test(name) || SCRIPT_FOLDERS.test(shown)) found.push(shown);
  }
  return found;
}

/** Long files by agreement, with the length they may not exceed: the list only shrinks. */
function readExceptions() {
  const path = join(root, "tools/tidy-exceptions.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).longFiles : {};
}

const isTest = (path) => /\.(test|suite)\.ts$/.test(path);
const isCode = (path) =>
  /^(src|tools|lab|script)\/.*\.(ts|tsx|css|mjs|cjs|py|sh)$/.test(path) || SCRIPT_FOLDERS.test(path);

/** @type {{ name: string, check: (path: string, lines: string[], text: string) => string[] }[]} */
const PER_FILE = [
  {
    name: "file-length",
    check: (path, lines) => {
      if (!isCode(path) || isTest(path)) return [];
      const limit = exceptions[path] ?? FILE_LIMIT;
      return lines.length > limit
        ? [`${path}:${limit}: ${lines.length} lines, the limit is ${limit}: split by topic`]
        : [];
    },
  },
  {
    name: "header",
    check: (path, lines) => {
      if (!/^src\/.*\.tsx?$/.test(path) || isTest(path)) return [];
      const first = lines[0]?.startsWith("#!") ? lines[1] : lines[0];
      return /^\/[*/]/.test(first ?? "")
        ? []
        : [`${path}:1: opens without a comment: say what it owns and what it refuses`];
    },
  },
  {
    name: "todo",
    check: (path, lines) =>
      matching(
        path === "CONTRIBUTING.md" ? [] : lines,
        /\b(TODO|FIXME|XXX)\b/,
        (line) => !/https?:\/\//.test(line),
      ).map((at) => `${path}:${at}: a TODO needs the link of its report, or it is nobody's`),
  },
  {
    name: "home-path",
    check: (path, lines) =>
      matching(lines, /(^|[\s"'`=(:])\/(home|Users)\/[A-Za-z0-9_.-]+|(^|[\s"'`=(:])\/root\//).map(
        (at) => `${path}:${at}: a path of somebody's home works on one machine only`,
      ),
  },
  {
    name: "lockfile",
    check: (path, lines) =>
      path === "package-lock.json"
        ? matching(lines, /"resolved":/).map(
            (at) => `${path}:${at}: no download addresses (npm config omit-lockfile-registry-resolved)`,
          )
        : [],
  },
  {
    name: "shell",
    check: (path, _lines, text) =>
      SCRIPT_FOLDERS.test(path) && /^#!.*\b(bash|sh)\b/.test(text) && !/^set -e/m.test(text)
        ? [`${path}:1: a shell script stops at the first error: set -euo pipefail`]
        : [],
  },
];

/** Line numbers where the pattern matches and the condition holds. */
function matching(lines, pattern, condition = () => true) {
  return lines.flatMap((line, index) => (pattern.test(line) && condition(line) ? [index + 1] : []));
}

function staleExceptions() {
  return Object.keys(exceptions).flatMap((path) => {
    const file = join(root, path);
    const length = existsSync(file) ? linesOf(readFileSync(file, "utf8")).length : 0;
    return length > FILE_LIMIT
      ? []
      : [`tools/tidy-exceptions.json:1: ${path} no longer needs its exception: remove it`];
  });
}

const linesOf = (text) => text.replace(/\n$/, "").split("\n");
const exceptions = readExceptions();
const files = filesBelow(root);
const findings = staleExceptions().map((line) => `stale-exception ${line}`);
for (const path of files) {
  const text = readFileSync(join(root, path), "utf8");
  for (const rule of PER_FILE) {
    for (const finding of rule.check(path, linesOf(text), text)) findings.push(`${rule.name} ${finding}`);
  }
}

for (const finding of findings) process.stdout.write(`${finding}\n`);
process.stdout.write(`tidy: ${files.length} files, ${findings.length} findings\n`);
process.exitCode = findings.length > 0 || files.length === 0 ? 1 : 0;
