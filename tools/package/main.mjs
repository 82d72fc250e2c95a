/*
 * script/package's work: which packages, where to. Each is made in a folder of its own below the system's temporary folder.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeDeb } from "./deb.mjs";
import { makeRpm } from "./rpm.mjs";
import { ROOT } from "./tree.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: join(ROOT, "build/packages") },
    "without-node": { type: "boolean", default: false },
    version: { type: "string" },
  },
});

const has = (program) => spawnSync(program, ["--version"]).error === undefined;

function makeNpm({ out }) {
  const packed = execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", out], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return join(out, packed.trim().split("\n").at(-1));
}

const MAKERS = {
  deb: { needs: "dpkg-deb", make: makeDeb },
  rpm: { needs: "rpmbuild", make: makeRpm },
  npm: { needs: "npm", make: makeNpm },
};

const unknown = positionals.filter((name) => MAKERS[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`package: unknown kind ${unknown.join(", ")}; known: ${Object.keys(MAKERS).join(", ")}\n`);
  process.exit(2);
}
const version = values.version ?? JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const work = mkdtempSync(join(tmpdir(), "holdfast-package-"));
try {
  for (const [name, { needs, make }] of Object.entries(MAKERS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    if (!has(needs)) {
      process.stderr.write(`package: no ${name}: this host has no ${needs}\n`);
      if (positionals.includes(name)) process.exitCode = 1;
      continue;
    }
    const file = make({ work, out, version, withNode: !values["without-node"] });
    process.stdout.write(`${file} (${(statSync(file).size / 1e6).toFixed(1)} MB)\n`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
