// The watch in virtual time: what makes it look, when it tells, and that it leaves everybody alone otherwise.
import { beforeEach, expect, test } from "vitest";
import type { SplitBrainEventBody } from "../core/events/split-brain-events.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { instant, millis, seconds } from "../core/lib/units.ts";
import type { Sign } from "../core/split-brain/signs.ts";
import { SplitBrainWatch } from "./split-brain.ts";
import { createVirtualTimers, type VirtualTimers } from "./testing/virtual-timers.ts";

const OTHER = "192.0.2.2" as IpAddress;
const VIP = "192.0.2.100" as IpAddress;
const RIVAL: HoldfastEventBody = {
  kind: "vrrp",
  instance: "VI_1",
  report: { kind: "lower-priority-advert", source: OTHER, priority: 90, ours: 100, state: "MASTER" },
};
const CONFLICT: HoldfastEventBody = {
  kind: "address-conflict",
  instance: "VI_1",
  interface: "eth0",
  address: VIP,
  mac: "02:00:00:00:00:02",
};
const ANSWER: Sign = { kind: "address", address: VIP, mac: "02:00:00:00:00:02", interface: "eth0" };
const PEER: Sign = { kind: "peer", peer: "db2", priority: 90, ours: 100 };

let timers: VirtualTimers;
let told: SplitBrainEventBody[];
let world: { master: boolean; answering: Sign[]; peer: Sign[]; linked: boolean; keeper: boolean };
let asked: number;
let watch: SplitBrainWatch;

beforeEach(() => {
  timers = createVirtualTimers();
  told = [];
  asked = 0;
  world = { master: true, answering: [], peer: [], linked: false, keeper: true };
  watch = new SplitBrainWatch({
    timers,
    publish: (body) => told.push(body),
    instances: () =>
      Promise.resolve(world.keeper ? [{ name: "VI_1", master: world.master, advertInterval: millis(1_000) }] : null),
    peerSigns: () => world.peer,
    addressSigns: () => {
      asked += 1;
      return Promise.resolve(world.answering);
    },
    hasPeers: () => world.linked,
  });
});

const hear = (body: HoldfastEventBody): void => watch.hear({ at: instant(0), time: 0, origin: "vrrp", body });
const told2 = () => told.map(({ action, yields }) => `${action} ${yields}`);

test("one advert of who lets go is a hand-over: nothing is told, and after a while nobody is asked any more", async () => {
  hear(RIVAL);
  await timers.advance(seconds(2));
  // It stood for as long as adverts may: here two looks would have seen it if it had been heard again.
  await timers.advance(seconds(20));
  expect(told).toEqual([]);
  const before = asked;
  await timers.advance(seconds(60));
  expect(asked).toBe(before);
});

test("hand-overs again and again are no second master", async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    hear(RIVAL);
    await timers.advance(millis(5));
    hear(RIVAL);
    await timers.advance(seconds(5));
  }
  expect(told).toEqual([]);
});

test("adverts that go on are told with who yields, and that it is over after they have ended", async () => {
  for (let at = 0; at < 10; at += 1) {
    hear(RIVAL);
    await timers.advance(seconds(1));
  }
  expect(told2()).toEqual(["seen other"]);
  expect(told[0]).toMatchObject({ instance: "VI_1", signs: ["adverts of 192.0.2.2 with priority 90 are heard"] });
  await timers.advance(seconds(15));
  expect(told2()).toEqual(["seen other", "over other"]);
  expect(told[1]?.forMillis).toBeGreaterThan(9_000);
});

test("an address in use elsewhere is asked for: told while somebody answers, by nobody to be settled", async () => {
  world.answering = [ANSWER];
  hear(CONFLICT);
  await timers.advance(seconds(4));
  expect(told2()).toEqual(["seen nobody"]);
  expect(told[0]?.detail).toContain("holdfast doctor --vip 192.0.2.100");
  world.answering = [];
  await timers.advance(seconds(6));
  expect(told2()).toEqual(["seen nobody", "over other"]);
});

test("a single frame for which nobody answers is nothing", async () => {
  hear(CONFLICT);
  await timers.advance(seconds(20));
  expect(told).toEqual([]);
});

test("with peers it is looked without another reason; when this host lets go it is over at once", async () => {
  world.linked = true;
  watch.begin();
  await timers.advance(seconds(5));
  expect(asked).toBe(0);
  world.peer = [PEER];
  await timers.advance(seconds(4));
  expect(told2()).toEqual(["seen other"]);
  world.master = false;
  await timers.advance(seconds(2));
  expect(told2()).toEqual(["seen other", "over this-host"]);
});

test("a keeper that does not answer ends nothing and begins nothing", async () => {
  world.answering = [ANSWER];
  hear(CONFLICT);
  await timers.advance(seconds(4));
  world.keeper = false;
  await timers.advance(seconds(10));
  expect(told2()).toEqual(["seen nobody"]);
  watch.end();
  await timers.advance(seconds(60));
  expect(told2()).toEqual(["seen nobody"]);
});
