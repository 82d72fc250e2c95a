import { expect, test } from "vitest";
import { type FromKeeper, NO_STANDINGS } from "../core/link/messages.ts";
import { knownStandings } from "./keeper-leaving.ts";
import { createKeeperVoice } from "./keeper-voice.ts";

test("after `paused` nothing is said before hello, and then everything that matters, in order", () => {
  const said: string[] = [];
  const voice = createKeeperVoice((message) => said.push(message.type));
  const event: FromKeeper = { type: "event", at: 1, body: { kind: "control-back" } };
  voice.send({ type: "heartbeat" });
  voice.pause();
  voice.pause();
  for (const message of [event, { type: "heartbeat" }, { type: "status", id: 1, instances: [] }] as const)
    voice.send(message);
  voice.send({ type: "cancel-gate", instance: "VI", gate: 1 });
  expect(said).toEqual(["heartbeat", "paused"]);
  voice.resume();
  voice.send({ type: "heartbeat" });
  expect(said).toEqual(["heartbeat", "paused", "event", "cancel-gate", "heartbeat"]);
});

test("a keeper that was taken over hears of no check that has not answered yet", () => {
  const scripts = { slow: { kind: "unknown" }, good: { kind: "ok" }, bad: { kind: "failed" } } as const;
  expect(knownStandings({ ...NO_STANDINGS, scripts }).scripts).toEqual({
    good: { kind: "ok" },
    bad: { kind: "failed" },
  });
});
