/** Orders by hand on model servers: what is refused, what is done, and that nothing else is. */
import { describe, expect, it } from "vitest";
import { managedWorld } from "./testing/managed-world.ts";

type World = ReturnType<typeof managedWorld>;

const REQUEST = { server: null, dryRun: false, accept: null, reseed: false };

/** Lets time pass until it is answered. */
async function answer<T>(world: World, asked: Promise<T> | null): Promise<T> {
  const told: { value?: T } = {};
  void asked?.then((value) => {
    told.value = value;
  });
  for (let passed = 0; passed < 90_000 && told.value === undefined; passed += 10) await world.pass(10);
  if (told.value === undefined) throw new Error("no answer");
  return told.value;
}

const orders = (world: World): readonly string[] =>
  [...world.own.orders, ...world.peer.orders].filter((order) => /SLAVE|MASTER/.test(order));

/** The own server is the writer; its peer has come back with both threads standing. */
async function returned(): Promise<World> {
  const world = managedWorld();
  await world.serve();
  world.own.orders.length = 0;
  Object.assign(world.peer, { io: false, sql: false });
  world.peer.orders.length = 0;
  return world;
}

describe("rejoin", () => {
  it("says what it would do, and does it: first the server follows, then the writer receives", async () => {
    const world = await returned();
    Object.assign(world.own, { io: false, sql: false });
    const plan = await answer(world, world.manager.repairs.rejoin("orders", { ...REQUEST, dryRun: true }));
    expect(plan).toMatchObject({ end: "ready", writer: "127.0.0.1:3306", server: "192.0.2.2:3306" });
    expect(plan.steps).toHaveLength(2);
    const done = await answer(world, world.manager.repairs.rejoin("orders", REQUEST));
    expect(done.end).toBe("whole");
    expect(world.peer).toMatchObject({ io: true, sql: true });
    expect(world.own).toMatchObject({ io: true, sql: true });
  });

  it("is not disturbed by another daemon that starts the same channel at that moment", async () => {
    const world = await returned();
    Object.assign(world.own, { io: false, sql: false, user: `quarantined:${world.own.user}`, startedMeanwhile: true });
    const done = await answer(world, world.manager.repairs.rejoin("orders", REQUEST));
    expect(done.end).toBe("whole");
    expect(world.own).toMatchObject({ io: true, sql: true, startedMeanwhile: false });
  });

  it("does not believe a receiver that has just been started: its source may still find that it lacks what is asked for", async () => {
    const world = await returned();
    Object.assign(world.own, { io: false, sql: false, purged: { turns: 40 } });
    const done = await answer(world, world.manager.repairs.rejoin("orders", REQUEST));
    expect(done.end).toBe("whole");
    expect(done.steps.at(-1)).toContain("from where that ends now");
    await world.pass(1_000);
    expect(world.own).toMatchObject({ io: true, sql: true, ioErrno: 0 });
  });

  it("leaves out one with transactions of its own: nothing is started, and that is told", async () => {
    const world = await returned();
    Object.assign(world.own, { io: false, sql: false });
    world.peer.log.push("2-900");
    const refused = await answer(world, world.manager.repairs.rejoin("orders", REQUEST));
    expect(refused.end).toContain("has transactions that 127.0.0.1:3306 lacks: 0-2-900");
    expect(refused.choices.map(({ title }) => title)).toEqual([
      "keep them: enter them on the writer, then make the server anew",
      "make the server anew from the writer",
    ]);
    expect(orders(world).filter((order) => order.startsWith("START"))).toEqual([]);
    expect(world.events.at(-1)).toMatchObject({ what: "rejoin", outcome: "refused" });
    const accepted = await answer(world, world.manager.repairs.rejoin("orders", { ...REQUEST, accept: "0-2-900" }));
    expect(accepted.end).toContain("is not what");
  });

  it("exports what a server alone has before it is made anew, also where its replication has stopped and the writer's position passes over it", async () => {
    const world = await returned();
    world.own.readOnly = true;
    world.peer.readOnly = false;
    world.peer.write();
    await world.pass(100);
    Object.assign(world.own, { io: true, sql: false, sqlErrno: 1950 });
    world.own.log.push("1-900");
    world.peer.passedOver = "0-1-900";
    const lines = await answer(world, world.manager.repairs.rejoin("orders", { ...REQUEST, reseed: true }));
    expect(lines.extra).toMatchObject({ what: "0-1-900 (here none)", transactions: 1, missing: null });
    expect(world.exports).toHaveLength(1);
    expect(world.exports[0]?.file).toMatch(/^orders-127/);
  });

  it("compares with nobody when no server is open, and not with a server that it does not know", async () => {
    const world = managedWorld();
    expect((await answer(world, world.manager.repairs.rejoin("orders", REQUEST))).end).toContain(
      "nobody to compare with",
    );
    const other = { ...REQUEST, server: "192.0.2.77:3306" };
    expect((await answer(world, world.manager.repairs.rejoin("orders", other))).end).toContain(
      "is not one server of this group",
    );
    expect(world.manager.repairs.rejoin("nobody", REQUEST)).toBeNull();
  });

  it("makes nothing anew without the operator's commands, nor from another host, nor the writer", async () => {
    const world = managedWorld();
    world.peer.readOnly = false;
    const unset = await answer(world, world.manager.repairs.rejoin("orders", { ...REQUEST, reseed: true }));
    expect(unset.end).toContain("stop_server and start_server is not set");
    const elsewhere = await returned();
    const there = await answer(elsewhere, elsewhere.manager.repairs.rejoin("orders", { ...REQUEST, reseed: true }));
    expect(there.end).toContain("by the daemon of its own host only");
    expect(orders(elsewhere)).not.toContain("STOP SLAVE");
  });
});

describe("a fence", () => {
  it("closes the writer, refuses every claim with the way out, and ends when it is given back", async () => {
    const world = managedWorld();
    await world.serve();
    const fenced = await answer(world, world.manager.repairs.fence("orders", true));
    expect(fenced).toMatchObject({ closed: true, problem: null, since: expect.stringContaining("2026") });
    expect(world.own.readOnly).toBe(true);
    world.manager.entered("V", "FAULT");
    await world.look();
    world.peer.reach = "down";
    const refused = await world.ask("claim");
    expect(refused).toMatchObject({ opened: false, reason: expect.stringContaining("holdfast fence NAME --off") });
    expect(world.own.readOnly).toBe(true);
    world.peer.reach = "up";
    await world.look();
    expect(await answer(world, world.manager.repairs.fence("orders", false))).toMatchObject({
      since: null,
      problem: null,
    });
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    expect(await answer(world, world.manager.repairs.fence("orders", false))).toMatchObject({
      problem: "it is not fenced",
    });
  });
});

it("skip finds nothing on a server that goes on", async () => {
  const world = managedWorld();
  const looked = await answer(world, world.manager.repairs.skip("orders", { server: null, transaction: null }));
  expect(looked.end).toContain("there is nothing to skip");
  expect(orders(world)).toEqual([]);
});
