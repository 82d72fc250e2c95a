/** Events of model servers: on at the writer, off at the others. */
import { expect, test } from "vitest";
import { managedWorld } from "./testing/managed-world.ts";

test("the scheduler goes with the writer, and events that came by replication are enabled with their definer", async () => {
  const world = managedWorld("event_scheduler follow");
  world.peer.readOnly = false;
  world.peer.scheduler = true;
  world.own.foreignEvents.push("nightly");
  await world.serve();
  expect(world.own).toMatchObject({ readOnly: false, scheduler: true });
  expect(world.peer).toMatchObject({ readOnly: true, scheduler: false });
  const orders = world.own.orders.filter((order) => /event|read_only/i.test(order));
  expect(orders).toEqual(["SET GLOBAL event_scheduler = ON", "SET GLOBAL read_only = 0"]);
  await world.pass(1_500);
  expect(world.own.orders.at(-1)).toBe("ALTER DEFINER = 'admin'@'localhost' EVENT `shop`.`nightly` ENABLE");

  // A standby that comes back with its scheduler on, as its my.cnf says.
  world.peer.scheduler = true;
  await world.pass(1_500);
  expect(world.peer.scheduler).toBe(false);

  expect(await world.ask("release")).toMatchObject({ opened: true });
  expect(world.own).toMatchObject({ readOnly: true, scheduler: false });
});

test("without the keyword nothing of it is touched", async () => {
  const world = managedWorld();
  world.peer.scheduler = true;
  await world.serve();
  await world.pass(1_500);
  expect(world.own.scheduler).toBe(false);
  expect(world.peer.scheduler).toBe(true);
});

test("a scheduler that cannot be switched on is told, and the server opens", async () => {
  const world = managedWorld("event_scheduler follow");
  world.own.refusesScheduler = true;
  await world.serve();
  expect(world.own).toMatchObject({ readOnly: false, scheduler: false });
  const told = world.events.filter(({ step, outcome }) => step.startsWith("switch the event") && outcome === "done");
  expect(told.map(({ detail }) => detail)).toEqual([expect.stringContaining("NOT DONE")]);
});
