/** What was left out stays out, on model servers whose replication starts with them. */
import { describe, expect, it } from "vitest";
import { managedWorld } from "./testing/managed-world.ts";

/** The writer whose peer died: it has left the channel from there. */
async function tookOver(): Promise<ReturnType<typeof managedWorld>> {
  const world = managedWorld();
  world.peer.readOnly = false;
  world.peer.write();
  await world.pass(50);
  await world.follows();
  world.peer.reach = "down";
  await world.ask("claim");
  world.manager.entered("V", "MASTER");
  await world.pass(1_500);
  return world;
}

describe("a quarantine", () => {
  it("outlives a start of the writer's server, which starts its replication by itself, and ends when the peer has nothing extra", async () => {
    const world = await tookOver();
    expect(world.own).toMatchObject({ io: false, sql: false, user: "quarantined:repl" });
    world.own.write();
    world.peer.log.push("2-2");
    world.peer.readOnly = true;
    world.peer.reach = "up";
    await world.pass(2_500);
    expect(world.events.some(({ outcome }) => outcome === "trouble")).toBe(true);

    world.own.restart();
    expect(world.own.io).toBe(true);
    await world.pass(500);
    world.own.readOnly = false;
    await world.pass(2_500);
    expect(world.own.log).not.toContain("2-2");
    expect(world.own).toMatchObject({ io: false, sql: false });

    // Made anew.
    world.peer.log.splice(0, Number.POSITIVE_INFINITY, ...world.own.log);
    await world.pass(2_500);
    expect(world.own).toMatchObject({ io: true, sql: true, user: "repl" });
    await world.manager.stop();
  });

  it("that is left by the writer that made it ends where it becomes the standby: it follows the new writer", async () => {
    const world = await tookOver();
    world.manager.entered("V", "BACKUP");
    await world.pass(500);
    expect(world.own).toMatchObject({ readOnly: true, user: "quarantined:repl" });
    world.own.restart();
    Object.assign(world.peer, { reach: "up", readOnly: false });
    world.peer.write();
    await world.look();
    await world.pass(500);
    expect(world.own).toMatchObject({ io: true, sql: true, user: "repl" });
    expect(world.own.log).toEqual(world.peer.log);
    await world.manager.stop();
  });
});
