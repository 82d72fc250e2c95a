import { expect, it } from "vitest";
import { seconds } from "../core/lib/units.ts";
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
