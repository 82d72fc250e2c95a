/** One incident on a lab of its own, with its whole story in the message of whatever fails. */
import { expect } from "vitest";
import type { DaemonKind } from "../../src/lab/daemon.ts";
import { INCIDENTS, play } from "../../src/lab/incidents/incidents.ts";
import { type Outcome, Telling } from "../../src/lab/incidents/outcome.ts";
import { IncidentScene } from "../../src/lab/incidents/scene.ts";
import type { Lab } from "../../src/lab/lab.ts";

export interface Played {
  readonly outcome: Outcome;
  readonly story: string;
}

export async function playOn(lab: Lab, kind: DaemonKind, name: string): Promise<Played> {
  const incident = INCIDENTS.find((it) => it.name === name);
  if (incident === undefined) throw new Error(`no incident is called ${name}`);
  const scene = await IncidentScene.start(lab, kind);
  const lines: string[] = [];
  try {
    const outcome = await play(incident, scene, new Telling((text) => lines.push(text)));
    const story = [...lines, scene.said()].join("\n");
    expect(outcome.acknowledged, story).toBeGreaterThan(40);
    return { outcome, story };
  } finally {
    await scene.end();
  }
}
