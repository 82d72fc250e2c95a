/** A replica of model servers while the writer is looked after, in virtual time. */
import { expect, test } from "vitest";
import { managedWorld } from "./testing/managed-world.ts";

const LINES = "replica 192.0.2.3\nknown_as 192.0.2.1 3307";

/** The peer was the writer, with some rows, and has died. */
async function afterTakeover() {
  const world = managedWorld(LINES);
  for (let count = 0; count < 5; count++) world.peer.log.push(`2-${count + 1}`);
  await world.pass(200);
  await world.follows();
  world.peer.reach = "down";
  await world.ask("claim");
  world.manager.entered("V", "MASTER");
  return world;
}

const troubles = (world: Awaited<ReturnType<typeof afterTakeover>>): readonly string[] =>
  world.events.filter(({ outcome }) => outcome === "trouble").map(({ step, detail }) => `${step}: ${detail}`);

test("a replica of the dead writer follows the new one, and is left alone from then on", async () => {
  const world = await afterTakeover();
  await world.pass(3_000);
  expect(world.replica.orders).toEqual([
    "STOP SLAVE",
    "CHANGE MASTER TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3307",
    "START SLAVE",
  ]);
  world.own.write();
  await world.pass(100);
  expect(world.replica.log).toEqual(world.own.log);
  expect(troubles(world)).toEqual([]);
});

test("one that cannot be changed runs again and is left in peace for half a minute; the reason is told once", async () => {
  const world = await afterTakeover();
  world.replica.refusesSource = true;
  await world.pass(29_000);
  const once = ["STOP SLAVE", expect.stringContaining("CHANGE MASTER"), "START SLAVE"];
  expect(world.replica.orders).toEqual(once);
  await world.pass(3_000);
  expect(world.replica.orders).toEqual([...once, ...once]);
  expect([world.replica.io, world.replica.sql]).toEqual([true, true]);
  expect(troubles(world)).toEqual([expect.stringContaining("replica 192.0.2.3:3306: CHANGE MASTER: ")]);
});

test("one that changed while its threads were stopped is not pointed anywhere", async () => {
  const world = await afterTakeover();
  world.network.onStatement = (server, sql) => {
    if (server === world.replica && sql === "STOP SLAVE") world.replica.log.push("3-99");
  };
  await world.pass(1_500);
  expect(world.replica.orders.slice(0, 2)).toEqual(["STOP SLAVE", "START SLAVE"]);
  expect(world.replica.source).toBe(world.peer);
  expect(troubles(world)).toEqual([expect.stringContaining("it has transactions that the writer lacks")]);
});

test("a replica that does not answer, or is open, is told and changes nothing for the writer", async () => {
  const world = await afterTakeover();
  world.replica.reach = "down";
  await world.pass(1_500);
  world.replica.reach = "up";
  world.replica.readOnly = false;
  await world.pass(2_000);
  expect(troubles(world)).toEqual([
    expect.stringContaining("replica 192.0.2.3:3306: nobody listens"),
    "replica 192.0.2.3:3306: it is open for writes",
  ]);
  expect(world.own.readOnly).toBe(false);
  expect(world.manager.troubles("orders")).toEqual(["replica 192.0.2.3:3306: it is open for writes"]);
  world.replica.readOnly = true;
  await world.pass(1_500);
  expect(world.manager.troubles("orders")).toEqual([]);
});

test("of three servers another peer that followed the dead one is pointed at the writer as well", async () => {
  const world = managedWorld("peer 192.0.2.3\nknown_as 192.0.2.1 3307");
  for (let count = 0; count < 5; count++) world.peer.log.push(`2-${count + 1}`);
  await world.pass(200);
  await world.follows();
  world.peer.reach = "down";
  expect(await world.ask("claim")).toMatchObject({ opened: true });
  world.manager.entered("V", "MASTER");
  await world.pass(2_000);
  expect(world.replica.orders).toContain("CHANGE MASTER TO MASTER_HOST = '192.0.2.1', MASTER_PORT = 3307");
  world.own.write();
  await world.pass(100);
  expect(world.replica.log).toEqual(world.own.log);
});
