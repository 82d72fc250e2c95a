/** Planned moves of the writer between model servers in virtual time. */
import { describe, expect, it } from "vitest";
import type { SwitchoverOutcome } from "./mysql-switchover.ts";
import { managedWorld } from "./testing/managed-world.ts";

type World = ReturnType<typeof managedWorld>;

/** Orders it, and lets time pass until it has ended. */
async function move(world: World, limitMillis = 40_000): Promise<SwitchoverOutcome> {
  let outcome: SwitchoverOutcome | null = null;
  void world.manager.switchover("orders")?.then((one) => {
    outcome = one;
  });
  for (let passed = 0; passed < limitMillis && outcome === null; passed += 10) await world.pass(10);
  if (outcome === null) throw new Error("the switchover has no end");
  return outcome;
}

/** The instance lets go at once, and the peer opens a little later. */
function successor(world: World, opensAfterMillis: number | null): void {
  world.onHandOver.call = () => {
    world.manager.entered("V", "BACKUP");
    if (opensAfterMillis === null) return;
    world.timers.schedule((opensAfterMillis * 1_000) as never, () => {
      world.peer.readOnly = false;
    });
  };
}

async function writer(lines = "", instance = "nopreempt"): Promise<World> {
  const world = managedWorld(lines, instance);
  await world.serve();
  world.own.sessions = 3;
  for (let count = 0; count < 5; count++) world.own.write();
  return world;
}

describe("a switchover", () => {
  it("closes the writer, waits until the successor has everything, and only then lets the address go", async () => {
    const world = await writer();
    let missing = -1;
    const { onHandOver } = world;
    successor(world, 30);
    const letGo = onHandOver.call;
    onHandOver.call = () => {
      missing = world.own.log.filter((one) => !world.peer.log.includes(one)).length;
      letGo();
    };
    expect(await move(world)).toMatchObject({ moved: true, to: "192.0.2.2:3306", detail: "" });
    expect([missing, world.handedOver, world.own.readOnly, world.own.sessions]).toEqual([0, ["V"], true, 0]);
    expect(world.own.write()).toBe(false);
    // The release gate that comes with it finds nothing to do.
    const orders = world.own.orders.length;
    await world.ask("release");
    expect(world.own.orders.length).toBe(orders);
  });

  it("can be shown first, and changes nothing then", async () => {
    const world = await writer();
    const shown = world.manager.planSwitchover("orders");
    await world.pass(100);
    expect(await shown).toEqual({
      steps: [
        "close the own server for writes and end its sessions",
        "wait until 192.0.2.2:3306 has executed everything",
        "let the address go",
        "wait until a peer is open for writes",
      ],
      end: "ready",
    });
    expect([world.own.readOnly, world.handedOver]).toEqual([false, []]);
  });

  it.each([
    [
      "its daemon is not there",
      (world: World) => Object.assign(world.peer, { watched: false }),
      "has no daemon that looks after it",
    ],
    ["nobody answers", (world: World) => void Object.assign(world.peer, { reach: "down" }), "no peer answers"],
    [
      "the peer is open",
      (world: World) => void Object.assign(world.peer, { readOnly: false }),
      "is open for writes as well",
    ],
    [
      "it does not receive",
      (world: World) => void Object.assign(world.peer, { io: false }),
      "its I/O thread is stopped",
    ],
    [
      "it does not execute",
      (world: World) => void Object.assign(world.peer, { sql: false }),
      "its SQL thread has stopped",
    ],
    [
      "it is errant",
      (world: World) => {
        world.own.io = false;
        world.peer.log.push("2-900");
      },
      "has transactions that this server lacks",
    ],
    [
      "a long transaction writes",
      (world: World) => void Object.assign(world.own, { writingFor: 9 }),
      "connection 77 has been writing for 9 s",
    ],
  ])("is refused before anything changes: %s", async (_, spoil, reason) => {
    const world = await writer();
    spoil(world);
    const outcome = await move(world);
    expect(outcome).toMatchObject({ moved: false, closedMillis: null });
    expect(outcome.detail).toContain(reason);
    expect([world.own.readOnly, world.handedOver, world.own.sessions]).toEqual([false, [], 3]);
  });

  it("waits until the old writer itself follows its successor, which nobody would see to afterwards", async () => {
    const world = await writer();
    Object.assign(world.own, { io: false, sql: false });
    successor(world, 30);
    const outcome = await move(world);
    expect(outcome.moved).toBe(true);
    // The daemon has resumed it meanwhile, as it does when a peer is back.
    expect([world.own.io, world.own.sql]).toEqual([true, true]);
  });

  it("is refused where the old writer would follow nobody", async () => {
    const world = await writer();
    world.own.source = null;
    expect((await move(world)).detail).toContain("would follow nobody");
    expect(world.own.readOnly).toBe(false);
  });

  it("waits for what passes by itself, before anything changes", async () => {
    const world = await writer();
    world.own.writingFor = 9;
    world.timers.schedule(1_000_000 as never, () => {
      world.own.writingFor = null;
    });
    successor(world, 30);
    const outcome = await move(world);
    expect(outcome.moved).toBe(true);
    expect(outcome.closedMillis).toBeLessThan(500);
  });

  it("is refused where it would not last, or where the writer is another", async () => {
    expect((await move(await writer("", "priority 120"))).detail).toContain("write `nopreempt` on all hosts");
    const standby = managedWorld();
    await standby.look();
    expect((await move(standby)).detail).toContain("this host is not the writer of orders, and no peer");
    standby.peer.readOnly = false;
    expect((await move(standby)).detail).toBe(
      "this host is not the writer of orders: 192.0.2.2:3306 is, so run it on that host",
    );
    expect(standby.manager.switchover("other")).toBeNull();
  });

  it("whose successor does not get everything in time is taken back: the writer goes on", async () => {
    const world = await writer("takeover_deadline 2");
    for (let count = 0; count < 400; count++) world.own.write();
    const outcome = await move(world);
    expect(outcome.detail).toContain("takeover_deadline (2 s) is over");
    expect([world.own.readOnly, world.handedOver]).toEqual([false, []]);
    expect(world.own.write()).toBe(true);
  });

  it("whose successor dies while it is waited for is taken back", async () => {
    const world = await writer();
    for (let count = 0; count < 50; count++) world.own.write();
    world.onEvent.call = ({ step, outcome }) => {
      if (step.startsWith("close the own") && outcome === "done") world.peer.reach = "down";
    };
    expect((await move(world)).detail).toContain("no peer answers");
    expect(world.own.write()).toBe(true);
  });

  it("that the VRRP process does not follow is taken back, unless somebody else is open by then", async () => {
    const world = await writer("takeover_deadline 1");
    expect((await move(world)).detail).toBe("the instance did not let the address go");
    expect(world.own.readOnly).toBe(false);

    const raced = await writer("takeover_deadline 1");
    raced.onHandOver.call = () => {
      raced.peer.readOnly = false;
    };
    await move(raced);
    expect(raced.own.readOnly).toBe(true);
  });

  it("that nobody answers says so, and that this host is the writer again when it is", async () => {
    const alone = await writer("takeover_deadline 1");
    successor(alone, null);
    expect((await move(alone)).detail).toContain("no peer has opened for writes yet");

    const back = await writer("takeover_deadline 1");
    successor(back, null);
    const letGo = back.onHandOver.call;
    back.onHandOver.call = () => {
      letGo();
      back.timers.schedule(500_000 as never, () => back.manager.entered("V", "MASTER"));
    };
    expect((await move(back)).detail).toBe("no peer has taken over, and this host is the writer again");
  });
});
