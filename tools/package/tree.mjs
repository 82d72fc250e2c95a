/*
 * What is installed, as a folder that looks like the root of a host: the same for .deb and .rpm. Nothing is fetched: what the programs
 * need at run time is bundled or copied from node_modules, and the Node that runs this.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HOME = "usr/lib/holdfast";
/** Page, configuration, examples: with where they go. */
const FILES = [
  ["packaging/systemd/holdfast.service", "usr/lib/systemd/system/holdfast.service"],
  ["packaging/systemd/holdfast-witness.service", "usr/lib/systemd/system/holdfast-witness.service"],
  ["packaging/default/holdfast", "etc/default/holdfast"],
  ["packaging/completions/holdfast.bash", "usr/share/bash-completion/completions/holdfast"],
  ["packaging/completions/_holdfast", "usr/share/zsh/vendor-completions/_holdfast"],
  ["packaging/examples/mysql-pair.conf", "usr/share/doc/holdfast/examples/mysql-pair.conf"],
  ["packaging/examples/witness.conf", "usr/share/doc/holdfast/examples/witness.conf"],
  ["packaging/prometheus/holdfast.rules.yml", "usr/share/doc/holdfast/examples/holdfast.rules.yml"],
  ["packaging/grafana/holdfast.json", "usr/share/doc/holdfast/examples/holdfast-grafana.json"],
  ["docs/rules", "usr/share/doc/holdfast/rules"],
  ["docs/runbooks.md", "usr/share/doc/holdfast/runbooks.md"],
  ["docs/runbooks.zh-CN.md", "usr/share/doc/holdfast/runbooks.zh-CN.md"],
  ["README.md", "usr/share/doc/holdfast/README.md"],
  ["README.zh-CN.md", "usr/share/doc/holdfast/README.zh-CN.md"],
];
const MANUALS = [
  ["packaging/man/holdfast.8", "usr/share/man/man8/holdfast.8.gz"],
  ["packaging/man/holdfast.conf.5", "usr/share/man/man5/holdfast.conf.5.gz"],
  ["CHANGELOG.md", "usr/share/doc/holdfast/changelog.gz"],
];
/** Configuration files: an administrator's changes to them survive an upgrade. */
export const CONFFILES = ["/etc/default/holdfast"];
/** Where a distribution's package of Node keeps its licence. */
const NODE_LICENCES = ["/usr/share/doc/nodejs/LICENSE", "/usr/share/doc/nodejs/copyright"];
/** The names of koffi's parts that a Linux host with glibc on amd64 loads. */
const KOFFI = [
  "koffi/package.json",
  "koffi/index.js",
  "koffi/index.cjs",
  "koffi/indirect.js",
  "koffi/LICENSE.txt",
  "koffi/src",
];
const KOFFI_NATIVE = ["package.json", "index.js", "linux_x64"];

export function makeTree(target, { version, withNode }) {
  const put = (from, to) => {
    mkdirSync(dirname(join(target, to)), { recursive: true });
    // Links are kept as they are: `keepalived`'s kin are links to holdfast.
    cpSync(join(ROOT, from), join(target, to), { recursive: true, verbatimSymlinks: true });
  };
  for (const [from, to] of FILES) put(from, to);
  for (const [from, to] of MANUALS) compress(join(ROOT, from), join(target, to));
  put("bin", `${HOME}/bin`);
  put("dist/bundle", `${HOME}/dist/bundle`);
  put("dist/lab/writer.js", `${HOME}/dist/lab/writer.js`);
  for (const name of ["checks", "hooks"]) put(`lab/${name}`, `${HOME}/lab/${name}`);
  putKoffi(put);
  writePackageJson(target, version);
  mkdirSync(join(target, "usr/bin"), { recursive: true });
  symlinkSync("../lib/holdfast/bin/holdfast", join(target, "usr/bin/holdfast"));
  if (withNode) putNode(target);
  writeFileSync(join(target, "usr/share/doc/holdfast/copyright"), copyright(withNode));
  modes(target);
}

function putKoffi(put) {
  for (const name of KOFFI) put(`node_modules/${name}`, `${HOME}/node_modules/${name}`);
  const native = "@koromix/koffi-linux-x64";
  for (const name of KOFFI_NATIVE) put(`node_modules/${native}/${name}`, `${HOME}/node_modules/${native}/${name}`);
}

function writePackageJson(target, version) {
  const { name, description, license, type } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(
    join(target, HOME, "package.json"),
    `${JSON.stringify({ name, version, description, license, type }, null, 2)}\n`,
  );
}

/** The binary alone, without what only debuggers read. */
function putNode(target) {
  const to = join(target, HOME, "node/bin/node");
  mkdirSync(dirname(to), { recursive: true });
  cpSync(process.execPath, to);
  try {
    execFileSync("strip", ["--strip-debug", to], { stdio: "ignore" });
  } catch {
    // Without binutils it is a little larger.
  }
}

function copyright(withNode) {
  const parts = [
    ["Holdfast, Apache License 2.0", join(ROOT, "LICENSE")],
    ["Packages that are part of its programs", join(ROOT, "dist/bundle/LICENSES.txt")],
    ["koffi, MIT License", join(ROOT, "node_modules/koffi/LICENSE.txt")],
  ];
  const node = NODE_LICENCES.find((path) => existsSync(path));
  if (withNode && node === undefined)
    throw new Error(`no licence of Node found in ${NODE_LICENCES.join(", ")}; use --without-node`);
  if (withNode) parts.push([`Node.js ${process.version} (/usr/lib/holdfast/node)`, node]);
  return parts
    .map(([title, path]) => `${title}\n\n${readFileSync(path, "utf8").trim()}\n`)
    .join(`\n${"=".repeat(80)}\n\n`);
}

function compress(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, gzipSync(readFileSync(from), { level: 9 }));
}

const PROGRAMS = /\/usr\/lib\/holdfast\/(?:bin\/|node\/bin\/|lab\/(?:checks|hooks)\/)/;

function modes(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) {
      chmodSync(path, 0o755);
      modes(path);
    } else chmodSync(path, PROGRAMS.test(path) ? 0o755 : 0o644);
  }
}

export function installedKilobytes(folder) {
  return Number(execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")[0]);
}
