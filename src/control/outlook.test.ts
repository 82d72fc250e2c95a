import { expect, it } from "vitest";
import { seconds } from "../core/lib/units.ts";
import { explainInstance } from "./explain.ts";
import { outlookOf } from "./outlook.ts";
import { fakeClock, NOON, sampleConfig, sampleModel, sampleStatus } from "./testing/samples.ts";

function leaveFault(trackScripts: readonly { key: string; weight: number; reverse: boolean }[]): string | undefined {
  const clock = fakeClock();
  const model = sampleModel(clock);
  const config = sampleConfig();
  const instances = config.instances.map((one) => ({
    ...one,
    vrrp: { ...one.vrrp, trackScripts, claimGate: { timeout: seconds(20) } },
  }));
  const fault = { kind: "claim-refused", reason: "behind" } as const;
  model.setSnapshot([sampleStatus(clock, { state: "FAULT", phase: "FAULT", faults: [fault] })]);
  const status = model.status();
  const view = status.instances[0];
  if (view === undefined) throw new Error("the sample has an instance");
  return outlookOf({
    view,
    status,
    config: { ...config, instances },
    events: [],
    clockText: () => String(NOON),
  })[0];
}

it("a refused claim waits for the next success of a check that can put it into FAULT", () => {
  expect(leaveFault([{ key: "vs_mysql_82", weight: 0, reverse: false }])).toContain("when a check next succeeds");
});

it("without such a check the clock decides: ten adverts, at least claim_timeout", () => {
  expect(leaveFault([])).toContain("tried again 50 s after it was refused");
  expect(leaveFault([{ key: "vs_mysql_82", weight: -5, reverse: false }])).toContain("tried again 50 s after");
});

it("a member of a sync group whose timer has run out says for whom it waits, in status and explain", () => {
  const clock = fakeClock();
  const model = sampleModel(clock);
  const names = ["VI_82", "VI_83", "VI_84", "VI_85", "VI_86", "VI_87"];
  const wants = (...willing: string[]) => {
    model.setSnapshot(
      names.map((name) => sampleStatus(clock, { name, syncGroup: "G1", wantsMaster: willing.includes(name) })),
    );
    const status = model.status();
    const view = status.instances[0];
    if (view === undefined) throw new Error("the sample has an instance");
    const told = explainInstance({ view, status, config: sampleConfig(), events: [], clockText: () => "12:00" });
    return [view.reason, told.because[0]?.text ?? null, told.outlook[0]];
  };
  expect(wants("VI_82", "VI_84", "VI_85", "VI_86")).toEqual([
    "waits for VI_83, VI_87 of sync group G1 to want MASTER",
    "its own timer has run out, but VI_83, VI_87 of sync group G1 cannot or need not become MASTER yet",
    "It becomes MASTER when VI_83, VI_87 of sync group G1 would, too: see there.",
  ]);
  expect(wants("VI_82")[0]).toBe("waits for VI_83, VI_84, VI_85 (and 2 more) of sync group G1 to want MASTER");
  expect(wants("VI_83")[0]).toBeNull();
  expect(wants(...names)[0]).toBeNull();
});

it("the silence that ends a BACKUP's wait is counted by the interval of the master that it hears", () => {
  const clock = fakeClock();
  const model = sampleModel(clock);
  const learned = { deadline: null, masterDown: 1_800_000, masterAdvertInterval: 500_000 };
  model.setSnapshot([sampleStatus(clock, { timers: learned })]);
  const status = model.status();
  const view = status.instances[0];
  if (view === undefined) throw new Error("the sample has an instance");
  const told = outlookOf({ view, status, config: sampleConfig(), events: [], clockText: () => String(NOON) });
  expect(told[0]).toBe("It becomes MASTER when no master is heard for 1.8 s.");
});
