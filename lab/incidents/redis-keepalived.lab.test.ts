/**
 * The same stories under keepalived with the scripts that are handed round. They end badly, which is what Holdfast is for, and which shows that
 * the judgement can tell. All of them under `script/test --full`.
 */
import { expect, test } from "vitest";
import { runs } from "../../tools/test-runs.ts";
import { describeStages, type Stage } from "../stage.ts";
import { playOn } from "./play.ts";

interface Harm {
  readonly incident: string;
  readonly problems: readonly RegExp[];
}

const GONE = /^\d+ acknowledged keys are gone$/;

const HARMS: readonly Harm[] = [
  { incident: "cold-start-both", problems: [/replicas of each other/, GONE] },
  { incident: "stale-vip", problems: [/both hosts had the address/, /both servers took writes/, GONE] },
  {
    incident: "partition",
    problems: [/kept the address/, /both servers took writes/, /a standby that reached neither/, GONE],
  },
  { incident: "fault-to-master", problems: [GONE] },
  { incident: "switchover", problems: [/db1's server goes on taking writes/] },
];

async function harmful(stage: Stage, { incident, problems }: Harm): Promise<void> {
  const { outcome, story } = await playOn(stage.lab, "keepalived", incident);
  for (const pattern of problems) {
    expect(outcome.problems, story).toContainEqual(expect.stringMatching(pattern));
  }
}

describeStages("incidents under keepalived with scripts", {
  redis: (stage) => {
    const played = HARMS.slice(0, runs(1, HARMS.length)).map((harm) => [harm.incident, harm] as const);
    test.sequential.each(played)("%s ends badly", (_name, harm) => harmful(stage, harm));
  },
});
