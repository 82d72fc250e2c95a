/**
 * `holdfast lab demo redis`: a Redis pair that the daemon manages, the four incidents and a planned move, while applications write. With
 * `--with keepalived` each is played a second time under keepalived with the usual scripts. Only Holdfast's part decides the exit code.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wallClock } from "../clock.ts";
import type { DaemonKind } from "../daemon.ts";
import { failed, heading, passed, say } from "../demo-report.ts";
import { createLab, type Lab } from "../lab.ts";
import { INCIDENTS, type Incident, play } from "./incidents.ts";
import { type Outcome, Telling } from "./outcome.ts";
import { IncidentScene } from "./scene.ts";
import { tableOf } from "./table.ts";

const LIMIT_MS = { holdfast: 240_000, keepalived: 300_000 };

export async function demoRedis(kinds: readonly DaemonKind[]): Promise<number> {
  const started = wallClock();
  const directory = mkdtempSync(join(tmpdir(), "holdfast-lab-"));
  let lab: Lab | null = null;
  const cleanUp = async (): Promise<void> => {
    // Without a lab yet, its sandbox ends with this process.
    await lab?.destroy();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const leave = (code: number): void => void cleanUp().finally(() => process.exit(code));
  process.once("SIGINT", () => leave(130)).once("SIGTERM", () => leave(143));
  const limitMs = kinds.reduce((sum, kind) => sum + LIMIT_MS[kind], 0);
  const limit = setTimeout(() => {
    failed(`not finished after ${limitMs / 1_000} s`);
    leave(1);
  }, limitMs);
  try {
    lab = await createLab(undefined, { directory });
    return await playAll(lab, kinds, started);
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    clearTimeout(limit);
    await cleanUp();
  }
}

async function playAll(lab: Lab, kinds: readonly DaemonKind[], started: number): Promise<number> {
  heading("Two Redis hosts, a client and a gateway, in private network namespaces on this machine");
  say(
    "an application writes one key to the address every 20 ms, over a new connection each, and counts what is acknowledged",
  );
  const outcomes: Outcome[] = [];
  for (const incident of INCIDENTS) {
    for (const kind of kinds) outcomes.push(await tell(lab, incident, kind));
  }
  heading("Result");
  for (const line of tableOf(outcomes)) say(line);
  say(`took ${((wallClock() - started) / 1_000).toFixed(0)} s`);
  const own = outcomes.filter(({ kind }) => kind === "holdfast");
  const bad = own.filter(({ problems }) => problems.length > 0);
  if (bad.length === 0) passed(`${own.length} of ${own.length} under Holdfast`);
  else failed(bad.map(({ incident }) => incident).join(", "));
  return bad.length === 0 ? 0 : 1;
}

async function tell(lab: Lab, incident: Incident, kind: DaemonKind): Promise<Outcome> {
  heading(`${incident.name}: ${incident.title} [${kind === "holdfast" ? "Holdfast" : "keepalived with scripts"}]`);
  const scene = await IncidentScene.start(lab, kind);
  try {
    const outcome = await play(incident, scene, new Telling(say));
    say(
      `acknowledged ${outcome.acknowledged}, missing at the end ${outcome.lost}` +
        `${outcome.copied > 0 ? ` (${outcome.copied} of them in a copy)` : ""}; writes interrupted for ${outcome.outage.toFixed(0)} ms`,
    );
    for (const problem of outcome.problems) failed(problem);
    if (outcome.problems.length === 0) passed(incident.name);
    return outcome;
  } finally {
    await scene.end();
  }
}
