import { describe, expect, it } from "vitest";
import { managedWorld } from "./testing/managed-world.ts";

type World = ReturnType<typeof managedWorld>;

const steps = ({ events }: World): readonly string[] => events.map(({ step, outcome }) => `${step}: ${outcome}`);

/** The peer is the writer and this server follows it. */
async function standby(): Promise<World> {
  const world = managedWorld();
  world.peer.readOnly = false;
  for (let write = 0; write < 5; write++) world.peer.write();
  await world.pass(200);
  return world;
}

const claimAfterDeath = async (world: World) => {
  world.peer.reach = "down";
  return await world.ask("claim", 3_000);
};

describe("a standby", () => {
  it("may open alone after one look that proves that it follows", async () => {
    const world = await standby();
    await world.look();
    expect(await claimAfterDeath(world)).toMatchObject({ opened: true });
  });

  it("may not while it lacks what the writer has, although its receiver runs", async () => {
    const world = await standby();
    // What a reconnected receiver has still to fetch.
    world.peer.log.push("2-6", "2-7");
    world.own.io = true;
    world.own.source = null;
    await world.look();
    world.own.source = world.peer;
    expect((await claimAfterDeath(world))?.reason).toContain("may hold older data");
  });

  it("that was cut off may not until it has caught up again", async () => {
    const world = await standby();
    await world.look();
    world.peer.reach = "silent";
    world.gateway.answer = "unreachable";
    expect((await world.ask("claim", 3_000))?.reason).toContain("this host is the one cut off");
    world.gateway.answer = "reachable";
    expect((await world.ask("claim", 3_000))?.reason).toContain("may hold older data");
    world.peer.reach = "up";
    world.own.io = true;
    await world.pass(100);
    await world.look();
    expect(await claimAfterDeath(world)).toMatchObject({ opened: true });
  });

  it("receives again from the writer that it had left, and not when somebody has stopped it by hand", async () => {
    const world = await standby();
    await world.look();
    expect(await claimAfterDeath(world)).toMatchObject({ opened: true });
    world.manager.entered("V", "MASTER");
    expect(world.own).toMatchObject({ io: false, sql: false });
    world.manager.entered("V", "FAULT");
    await world.pass(50);
    world.peer.reach = "up";
    world.peer.readOnly = false;
    await world.look();
    expect(world.own).toMatchObject({ io: true, sql: true, readOnly: true });
    expect(steps(world)).toContain(
      "receive from 192.0.2.2:3306, the writer: this server has nothing that it lacks: done",
    );

    await world.look();
    [world.own.io, world.own.sql] = [false, false];
    await world.look();
    await world.look();
    expect(world.own).toMatchObject({ io: false, sql: false });
  });

  it("with transactions of its own does not", async () => {
    const world = await standby();
    await world.look();
    await claimAfterDeath(world);
    world.peer.io = false;
    expect(world.own.write()).toBe(true);
    world.manager.entered("V", "FAULT");
    await world.pass(50);
    world.peer.reach = "up";
    await world.look();
    expect(world.own).toMatchObject({ io: false, sql: false });
  });
});

describe("a MASTER that hears another one", () => {
  it("goes on when nobody else was the writer", async () => {
    const world = managedWorld();
    await world.serve();
    world.own.sessions = 3;
    world.manager.rival("V");
    await world.pass(100);
    expect(world.own).toMatchObject({ readOnly: false, sessions: 3 });
  });

  it("claims anew when a peer was opened meanwhile: it is closed, executes what the peer has, and opens", async () => {
    const world = managedWorld();
    await world.serve();
    world.own.sessions = 3;
    world.peer.readOnly = false;
    for (let write = 0; write < 3; write++) world.peer.write();
    const opened: number[] = [];
    world.network.onStatement = (server, sql) => {
      if (server === world.own && sql === "SET GLOBAL read_only = 0") opened.push(world.own.log.length);
    };
    world.manager.rival("V");
    world.manager.rival("V");
    await world.pass(2_000);
    expect(world.own).toMatchObject({ readOnly: false });
    expect(world.own.sessions).toBeLessThan(3);
    expect(world.peer.readOnly).toBe(true);
    expect(opened).toEqual([3]);
    expect(steps(world).filter((step) => step.startsWith("claim anew"))).toEqual([
      "claim anew: another host was the writer meanwhile: begun",
      "claim anew: another host was the writer meanwhile: done",
    ]);
  });

  it("lets the address go when the peer's transactions do not come", async () => {
    const world = managedWorld("takeover_deadline 1");
    await world.serve();
    world.peer.readOnly = false;
    world.peer.write();
    world.own.receive = () => undefined;
    world.manager.rival("V");
    await world.pass(3_000);
    expect(world.own.readOnly).toBe(true);
    expect(world.handedOver).toEqual(["V"]);
  });
});
