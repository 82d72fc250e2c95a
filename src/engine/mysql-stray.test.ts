/** A writer that is found closed with its address: opened again or let go, and told. */
import { describe, expect, it } from "vitest";
import { managedWorld } from "./testing/managed-world.ts";

type World = ReturnType<typeof managedWorld>;

/** Looks as the check does, once a second. */
async function seconds(world: World, count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) {
    await world.look();
    await world.pass(1_000);
  }
}

async function writer(): Promise<World> {
  const world = managedWorld("takeover_deadline 2");
  await world.serve();
  return world;
}

const told = (world: World): readonly string[] =>
  world.events.filter(({ what }) => what === "guard").map(({ step, outcome }) => `${step}: ${outcome}`);

describe("a writer that somebody has closed under its address", () => {
  it("lets the address go to the peer that is open", async () => {
    const world = await writer();
    world.own.readOnly = true;
    world.peer.readOnly = false;
    await seconds(world, 2);
    expect(world.handedOver).toEqual(["V"]);
    expect(world.events.at(-1)?.detail).toBe("192.0.2.2:3306 is open for writes, and this server is not");
    expect(world.own.readOnly).toBe(true);
  });

  it("is opened again when no peer is open, and not before a peer's claim has had its time", async () => {
    const world = await writer();
    world.own.readOnly = true;
    await seconds(world, 5);
    expect(world.own.readOnly).toBe(true);
    await seconds(world, 4);
    expect(world.own.readOnly).toBe(false);
    expect(world.handedOver).toEqual([]);
    expect(told(world)).toEqual([
      "open the writer again, which somebody has closed: begun",
      "open the writer again, which somebody has closed: done",
    ]);
    // Closed and opened once more, the time counts anew.
    await seconds(world, 2);
    world.own.readOnly = true;
    await seconds(world, 5);
    expect(world.own.readOnly).toBe(true);
  });

  it("has what the closed peer has before it is opened again", async () => {
    const world = await writer();
    world.own.readOnly = true;
    world.peer.log.push("2-1", "2-2", "2-3");
    await seconds(world, 12);
    expect(world.own.readOnly).toBe(false);
    expect(world.own.log).toEqual(["2-1", "2-2", "2-3"]);
  });

  it("lets the address go when it cannot be opened", async () => {
    const world = await writer();
    world.own.readOnly = true;
    world.own.refusesToOpen = true;
    await seconds(world, 9);
    expect(world.handedOver).toEqual(["V"]);
    expect(told(world)).toContain("let the address go: done");
    expect(world.events.at(-1)?.detail).toContain("it is closed and cannot be opened");
  });

  it("is left alone while its address is about to go, and without the address", async () => {
    const world = await writer();
    void world.ask("release", 100);
    await seconds(world, 20);
    expect(world.own.readOnly).toBe(true);
    world.manager.entered("V", "BACKUP");
    await seconds(world, 20);
    expect(world.own.readOnly).toBe(true);
    expect(world.handedOver).toEqual([]);
  });
});

it("a planned move that is taken back and finds another server open lets the address go", async () => {
  const world = managedWorld("takeover_deadline 2");
  await world.serve();
  world.onEvent.call = ({ step, outcome }) => {
    if (!step.startsWith("close the own server") || outcome !== "done") return;
    world.onEvent.call = () => undefined;
    world.peer.readOnly = false;
  };
  const moved = world.manager.switchover("orders");
  await world.pass(4_000);
  expect(await moved).toMatchObject({ moved: false });
  await seconds(world, 2);
  expect(world.handedOver).toEqual(["V"]);
});

describe("a plan", () => {
  it("on the writer itself says that there is nothing to do", async () => {
    const world = await writer();
    expect(await world.manager.plan("orders")).toEqual({
      steps: [],
      end: "this host is the writer already, and has the address: there is nothing to take over",
    });
  });

  it("names a privilege that is missing, and so does status", async () => {
    const world = managedWorld();
    world.peer.grants =
      "READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, SLAVE MONITOR, BINLOG MONITOR, PROCESS";
    await world.look();
    await world.pass(100);
    const lacking = "192.0.2.2:3306: the daemons' account lacks CONNECTION ADMIN; GRANT CONNECTION ADMIN ON *.* TO ...";
    expect(world.manager.troubles("orders")).toEqual([lacking]);
    expect(world.events.filter(({ outcome }) => outcome === "trouble")).toHaveLength(1);
    expect((await world.manager.plan("orders"))?.end).toContain(lacking);
    world.peer.grants = "ALL PRIVILEGES";
    await world.pass(61_000);
    await world.look();
    await world.pass(100);
    expect(world.manager.troubles("orders")).toEqual([]);
  });
});
