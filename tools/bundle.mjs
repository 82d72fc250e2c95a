/*
 * Bundles the programs that are started: few files to find, read and compile instead of some hundred (docs/decisions/0040). What is
 * imported dynamically becomes a chunk of its own and is loaded only when it is asked for. koffi stays outside: it is a native module.
 * The dashboard is bundled beside them for browsers.
 * Run after `tsc -b`, whose output it reads; before the lab's tests vitest runs it as its global set-up.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = "dist/bundle";
const NOTICES = "LICENSES.txt";
/** CommonJS packages ask for Node's own modules by require(). */
const REQUIRE =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);';

const PAGE = "dashboard";

async function bundle() {
  const [programs, page] = await Promise.all([bundlePrograms(), bundlePage()]);
  writeFileSync(join(ROOT, OUT, NOTICES), notices({ ...programs.inputs, ...page.inputs }));
  const made = new Set([NOTICES, PAGE, ...Object.keys(programs.outputs).map((path) => basename(path))]);
  for (const name of readdirSync(join(ROOT, OUT))) if (!made.has(name)) rmSync(join(ROOT, OUT, name));
}

async function bundlePrograms() {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["dist/main/holdfast.js", "dist/main/keeper.js"],
    outdir: OUT,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: ["koffi"],
    banner: { js: REQUIRE },
    // Names stay: stack traces are read by people.
    minifySyntax: true,
    minifyWhitespace: true,
    metafile: true,
    logLevel: "warning",
  });
  return metafile;
}

/** The page for browsers: one script, one sheet, and what is served as it stands. */
async function bundlePage() {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["dist/dashboard/app.js", "src/dashboard/style.css"],
    entryNames: "[name]",
    outdir: join(OUT, PAGE),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: ["chrome123", "firefox121", "safari17.5"],
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  for (const name of ["index.html", "icon.svg"])
    copyFileSync(join(ROOT, "src/dashboard", name), join(ROOT, OUT, PAGE, name));
  return metafile;
}

/** For vitest's globalSetup. script/test has made the bundle: its two lanes of the lab must not write it under each other. */
export const setup = () => (process.env.HOLDFAST_BUNDLED === "1" ? undefined : bundle());

/** The licences of the packages that are in it, as these ask for. */
function notices(inputs) {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
    const file = readdirSync(join(ROOT, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : readFileSync(join(ROOT, folder, file), "utf8").trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

if (
  process.argv[1] !== undefined &&
  existsSync(process.argv[1]) &&
  fileURLToPath(import.meta.url) === process.argv[1]
) {
  await bundle();
}
