/** For tests only: runs a scenario of this folder in a network namespace of its own and returns what it observed. */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const RUNNER = `${ROOT}dist/linux/testing/run-scenario.js`;

/** The scenarios run compiled: Node 20 takes no TypeScript. */
export function buildScenarios(): void {
  execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, "-b", `${ROOT}src/linux`], {
    stdio: "inherit",
  });
}

export interface InNamespaceOptions {
  /** Take CAP_NET_RAW and CAP_NET_ADMIN away first. */
  readonly powerless?: boolean;
}

export function inNamespace<T>(scenario: string, options: InNamespaceOptions = {}): T {
  // Root needs no user namespace; everybody else becomes root in one.
  const flags = process.getuid?.() === 0 ? "-mn" : "-Urmn";
  const drop = options.powerless
    ? ["setpriv", "--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]
    : [];
  const command = [flags, "--propagation", "private", "--", ...drop, process.execPath, RUNNER, scenario];
  const run = spawnSync("unshare", command, { encoding: "utf8", timeout: 60_000 });
  if (run.status !== 0)
    throw new Error(`scenario ${scenario}: exit ${run.status} ${run.signal ?? ""}\n${run.stderr}${run.stdout}`);
  return JSON.parse(run.stdout) as T;
}
