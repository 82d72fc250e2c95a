import { beforeEach, expect, test } from "vitest";
import { after, type Instant, instant, millis, seconds } from "../core/lib/units.ts";
import { EXIT_DO_NOT_RESTART, type FromKeeper, LINK_VERSION } from "../core/link/messages.ts";
import { createKeeperLoop, type KeeperLoop } from "./keeper-loop.ts";
import type { VrrpEngine } from "./vrrp-engine.ts";

const START = instant(0);
let calls: string[];
let sent: FromKeeper[];
let loop: KeeperLoop;
let interval: number;

beforeEach(() => {
  calls = [];
  sent = [];
  interval = 1_000_000;
  // Only what the loop asks of an engine; anything else would be a mistake of the loop.
  const engine = {
    finished: false,
    longestInterval: () => interval,
    controlSilent: (silentMillis: number) => calls.push(`silent ${silentMillis}`),
    controlBack: () => calls.push("back"),
    handleControl: (message: { type: string }) => calls.push(message.type),
  } as unknown as VrrpEngine;
  loop = createKeeperLoop(engine, {
    send: (message) => sent.push(message),
    onSettings: ({ nice }) => calls.push(`nice ${nice}`),
  });
});

const at = (milliseconds: number): Instant => after(START, millis(milliseconds));

test("each heartbeat is answered, and none is begun", () => {
  loop.tick(at(400));
  expect(sent).toEqual([]);
  loop.handleMessage({ type: "heartbeat" }, at(500));
  expect(sent).toEqual([{ type: "heartbeat" }]);
});

test("control silent for 2 s counts as gone, once, and is taken back with its first word", () => {
  loop.handleMessage({ type: "heartbeat" }, at(500));
  calls.length = 0;
  expect(loop.nextDeadline()).toBe(at(2_500));
  loop.tick(at(2_499));
  expect(calls).toEqual([]);
  loop.tick(at(2_500));
  loop.tick(at(2_600));
  expect(calls).toEqual(["silent 2000"]);
  expect(loop.nextDeadline()).toBe(null);
  loop.handleMessage({ type: "heartbeat" }, at(3_000));
  expect(calls).toContain("back");
  expect(loop.nextDeadline()).toBe(at(5_000));
});

test("with adverts every 5 s the limit is one advert interval", () => {
  interval = seconds(5);
  loop.handleMessage({ type: "heartbeat" }, START);
  calls.length = 0;
  loop.tick(at(4_999));
  expect(calls).toEqual([]);
  loop.tick(at(5_000));
  expect(calls).toEqual(["silent 5000"]);
});

test("a keeper that was stopped itself listens once more before it believes the silence", () => {
  loop.handleMessage({ type: "heartbeat" }, START);
  calls.length = 0;
  loop.tick(at(60_000));
  expect(calls).toEqual([]);
  loop.tick(at(62_000));
  expect(calls).toEqual(["silent 2000"]);
});

test("a keeper that was started ahead may wait long for the first word: that is no silence", () => {
  expect(loop.nextDeadline()).toBe(null);
  loop.tick(at(60_000));
  expect(calls).toEqual([]);
  loop.handleMessage({ type: "heartbeat" }, at(60_000));
  expect(loop.nextDeadline()).toBe(at(62_000));
});

test("another version of the protocol ends the keeper for good", () => {
  loop.handleMessage({ type: "hello", version: LINK_VERSION + 1 }, START);
  expect(loop.exitCode).toBe(EXIT_DO_NOT_RESTART);
});

test("control that has announced its absence is waited for as long as it asked, at most 30 s, and only once", () => {
  loop.handleMessage({ type: "pause", forMillis: 15_000 }, at(0));
  // What is still on its way when control leaves changes nothing.
  loop.handleMessage({ type: "heartbeat" }, at(100));
  expect(loop.nextDeadline()).toBe(at(15_100));
  loop.handleMessage({ type: "hello", version: LINK_VERSION }, at(1_000));
  expect(loop.nextDeadline()).toBe(at(3_000));
  loop.handleMessage({ type: "pause", forMillis: 3_600_000 }, at(2_000));
  calls.length = 0;
  loop.tick(at(32_000));
  expect(calls).toEqual(["silent 30000"]);
});
