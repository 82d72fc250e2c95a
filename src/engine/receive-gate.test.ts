import { beforeEach, expect, test } from "vitest";
import { after, type Instant, instant, millis, seconds } from "../core/lib/units.ts";
import { unicastTransport, type VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith, ip } from "../core/vrrp/example-config.ts";
import type { AdvertPort, Link, ListenPlan } from "../ports/network.ts";
import { countsAsStorm, mostPerSecond, ReceiveGate } from "./receive-gate.ts";
import { createRuntime, type Runtime } from "./vrrp-runtime.ts";

const ETH0: Link = { index: 7, name: "eth0", usable: true, mac: new Uint8Array(6), mtu: 1_500 } as Link;
const START = instant(5_000_000);

let plans: (readonly ListenPlan[])[];
let gate: ReceiveGate;
let now: Instant;

beforeEach(() => {
  plans = [];
  now = START;
  const port = { listen: (wanted: readonly ListenPlan[]) => void plans.push(wanted) } as unknown as AdvertPort;
  gate = new ReceiveGate(port);
});

function runtime(changes: Partial<VrrpInstanceConfig>): Runtime {
  const made = createRuntime(configWith(changes), 0, START);
  made.hearLink = ETH0;
  return made;
}

const latest = (): readonly ListenPlan[] => plans.at(-1) ?? [];

test("each channel of an interface has a plan of its own", () => {
  gate.follow(
    [
      runtime({ virtualRouterId: 1 }),
      runtime({ virtualRouterId: 2 }),
      runtime({ virtualRouterId: 3, authentication: { kind: "ah", password: [1] } }),
    ],
    now,
  );
  expect(latest().map(({ channel, expected }) => [channel, expected.map((it) => it.virtualRouterId)])).toEqual([
    [4, [1, 2]],
    ["ah", [3]],
  ]);
});

test("nothing is told to the kernel while nothing has changed", () => {
  const runtimes = [runtime({})];
  gate.follow(runtimes, now);
  gate.follow(runtimes, now);
  expect(plans).toHaveLength(1);
});

test("peers are named to the kernel only where their source is checked", () => {
  const peers = [ip("10.0.0.2")];
  gate.follow([runtime({ transport: unicastTransport(peers) })], now);
  expect(latest()[0]?.expected[0]?.sources).toBe(null);
  gate.follow([runtime({ transport: unicastTransport(peers, { checkSource: true }) })], now);
  expect(latest()[0]?.expected[0]?.sources).toEqual([Uint8Array.of(10, 0, 0, 2)]);
});

test("sizes of receive buffers add up over the instances of a socket", () => {
  const buffer = (wanted: VrrpInstanceConfig["receive"]["buffer"]) =>
    runtime({ receive: { ...configWith().receive, buffer: wanted } });
  gate.follow(
    [buffer({ kind: "bytes", bytes: 1_000 }), buffer({ kind: "mtu", count: 3 }), buffer({ kind: "adverts", count: 2 })],
    now,
  );
  expect(latest()[0]?.bufferBytes).toBe(1_000 + 3 * 1_500 + 2 * 40);
  gate.follow([buffer({ kind: "default" })], now);
  expect(latest()[0]?.bufferBytes).toBe(null);
});

test("a flood of what the kernel can tell shuts the socket for 10 s; a mistake of one neighbour does not", () => {
  gate.follow([runtime({})], now);
  for (let count = 0; count < 100; count++) expect(gate.refused(7, 4, "length", now)).toBe(null);
  expect(gate.refused(7, 4, "version", now)).toEqual({ interface: "eth0", reason: "version", packets: 101 });
  expect(latest()[0]?.shut).toBe(true);
  expect(gate.nextDeadline).toBe(after(START, seconds(10)));
  gate.tick(after(START, seconds(9)));
  expect(latest()[0]?.shut).toBe(true);
  gate.tick(after(START, seconds(10)));
  expect(latest()[0]?.shut).toBe(false);
  expect(gate.nextDeadline).toBe(null);
});

test("ten bad adverts a second, for ever, are counted and explained, never shut out", () => {
  gate.follow([runtime({})], now);
  for (let count = 0; count < 1_000; count++) {
    now = after(now, millis(100));
    expect(gate.refused(7, 4, "version", now)).toBe(null);
  }
});

test("what no filter can tell from a right advert does not shut the socket", () => {
  gate.follow([runtime({})], now);
  for (let count = 0; count < 1_000; count++) expect(gate.refused(7, 4, "auth-fail", now)).toBe(null);
});

test("a reload in the middle of a flood does not open the socket", () => {
  gate.follow([runtime({})], now);
  for (let count = 0; count <= 100; count++) gate.refused(7, 4, "length", now);
  gate.follow([runtime({}), runtime({ virtualRouterId: 3 })], now);
  expect(latest()[0]?.shut).toBe(true);
});

test("an honest segment never raises the alarm: eight masters at once, and their answers", () => {
  for (const [advertInterval, adverts] of [
    [seconds(1), 8 * 2],
    [millis(10), 8 * 200],
    [seconds(40), 16],
  ] as const) {
    const one = runtime({ version: 3, advertInterval });
    for (let count = 0; count < adverts; count++) expect(countsAsStorm(one.storm, mostPerSecond(one), now)).toBe(null);
  }
});

test("a storm is told once a minute", () => {
  const one = runtime({});
  const limit = mostPerSecond(one);
  const alarms = Array.from({ length: 10_000 }, () => countsAsStorm(one.storm, limit, now)).filter((it) => it !== null);
  expect(alarms).toEqual([limit + 1]);
  now = after(now, seconds(61));
  expect(Array.from({ length: limit + 1 }, () => countsAsStorm(one.storm, limit, now)).at(-1)).toBe(limit + 1);
});
