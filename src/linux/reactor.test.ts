import { describe, expect, it } from "vitest";
import type { Instant } from "../core/lib/units.ts";
import { createArena } from "./arena.ts";
import { checkCapabilities } from "./capabilities.ts";
import { createMonotonicClock } from "./clock.ts";
import { errnoName, read } from "./libc.ts";
import { createReactor } from "./reactor.ts";
import { createSocketPair } from "./testing/socket-pair.ts";

function setUp() {
  const arena = createArena();
  const clock = createMonotonicClock(arena);
  return { arena, clock, reactor: createReactor(arena, clock) };
}

const NOW = 0 as Instant;

describe("arena", () => {
  it("blocks are aligned, do not overlap, and come back empty", () => {
    const { arena } = setUp();
    const first = arena.allocate(100);
    const second = arena.allocate(100);
    expect(first % 64).toBe(0);
    expect(second - first).toBeGreaterThanOrEqual(100);
    arena.bytes.fill(0xff, first, first + 100);
    arena.release(first, 100);
    const again = arena.allocate(80);
    expect(again).toBe(first);
    expect(arena.bytes.subarray(again, again + 128).every((byte) => byte === 0)).toBe(true);
  });

  it("says so when it is full", () => {
    const arena = createArena(4096);
    arena.allocate(4096);
    expect(() => arena.allocate(1)).toThrow("arena of 4096 bytes is full");
  });
});

describe("clock", () => {
  it("is process.hrtime's clock", () => {
    const { clock } = setUp();
    const before = Number(process.hrtime.bigint()) / 1e3;
    const now = clock.now();
    const behind = Number(process.hrtime.bigint()) / 1e3;
    expect(now).toBeGreaterThanOrEqual(before - 1);
    expect(now).toBeLessThanOrEqual(behind + 1);
  });
});

describe("reactor", () => {
  it("never wakes before the instant, to the microsecond", () => {
    const { clock, reactor } = setUp();
    for (const micros of [1, 50, 999, 1_001, 20_000]) {
      const until = (clock.now() + micros) as Instant;
      expect(reactor.wait(until)).toBe(0);
      expect(clock.now()).toBeGreaterThanOrEqual(until);
    }
  });

  it("an instant that has passed only looks", () => {
    const { arena, reactor } = setUp();
    const pair = createSocketPair(arena);
    let ready = 0;
    reactor.watch(pair.near, () => ready++);
    expect(reactor.wait(NOW)).toBe(0);
    pair.sendFar("x");
    expect(reactor.wait(NOW)).toBe(1);
    expect(ready).toBe(1);
  });

  it("a handler may take the next one off while that one is ready too", () => {
    const { arena, reactor } = setUp();
    const one = createSocketPair(arena);
    const two = createSocketPair(arena);
    const calls: string[] = [];
    reactor.watch(one.near, () => {
      calls.push("one");
      reactor.unwatch(two.near);
    });
    reactor.watch(two.near, () => calls.push("two"));
    one.sendFar("x");
    two.sendFar("x");
    reactor.wait(NOW);
    expect(calls).toEqual(["one"]);
  });

  it("the other end's closing makes a descriptor ready", () => {
    const { arena, reactor } = setUp();
    const pair = createSocketPair(arena);
    let ready = 0;
    reactor.watch(pair.near, () => ready++);
    pair.closeFar();
    reactor.wait(NOW);
    expect(ready).toBe(1);
  });

  it("refuses a descriptor that is watched already", () => {
    const { reactor } = setUp();
    reactor.watch(0, () => undefined);
    expect(() => reactor.watch(0, () => undefined)).toThrow("watched twice");
  });
});

describe("errors", () => {
  it("a failing call returns minus errno, and errno has a name", () => {
    expect(read(-1, 0, 0)).toBe(-9);
    expect([-1, 9, 19, 99, 100, 105, 4711].map(errnoName)).toEqual([
      "EPERM",
      "EBADF",
      "ENODEV",
      "EADDRNOTAVAIL",
      "ENETDOWN",
      "ENOBUFS",
      "errno 4711",
    ]);
  });

  it("missing capabilities are named one by one, with the remedy", () => {
    expect(checkCapabilities("CapEff:\t000001ffffffffff\n")).toEqual({ ok: true, value: undefined });
    const withoutRaw = checkCapabilities("CapEff:\t0000000000001000\n");
    expect(withoutRaw).toMatchObject({ ok: false, error: { missing: ["CAP_NET_RAW"] } });
    expect(withoutRaw.ok ? "" : withoutRaw.error.message).toContain("run as root");
  });
});
