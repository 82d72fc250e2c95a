/** A writer whose server or daemon is restarted while its peer is down: opened again where that is proved to be safe, and only there. */
import { describe, expect, it } from "vitest";
import { millis } from "../core/lib/units.ts";
import { managedWorld } from "./testing/managed-world.ts";

type World = ReturnType<typeof managedWorld>;

async function aloneWriter(lines = ""): Promise<World> {
  const world = managedWorld(lines);
  await world.follows();
  world.peer.reach = "down";
  await world.ask("claim");
  world.manager.entered("V", "MASTER");
  await world.pass(2_000);
  return world;
}

/** The own server dies and is back after that time. */
async function serverRestarts(world: World, milliseconds: number): Promise<void> {
  world.own.reach = "down";
  world.manager.entered("V", "FAULT");
  world.manager.looked("orders", null);
  await world.pass(milliseconds);
  Object.assign(world.own, { reach: "up", readOnly: true });
  await world.look();
}

describe("the server of a writer without a peer restarts", () => {
  it("and is opened again: nobody has listened at the peer's since it was the writer", async () => {
    const world = await aloneWriter();
    await serverRestarts(world, 20_000);
    expect(await world.ask("claim")).toMatchObject({ opened: true });
  });

  it("and is not when the peer has listened meanwhile, or fell silent, or the host was suspended", async () => {
    const back = await aloneWriter();
    back.own.reach = "down";
    back.manager.entered("V", "FAULT");
    back.manager.looked("orders", null);
    await back.pass(2_000);
    back.peer.reach = "up";
    await back.pass(3_000);
    back.peer.reach = "down";
    await back.pass(2_000);
    Object.assign(back.own, { reach: "up", readOnly: true });
    await back.look();
    expect((await back.ask("claim"))?.reason).toContain("may hold older data");

    const silent = await aloneWriter();
    silent.peer.reach = "silent";
    await serverRestarts(silent, 5_000);
    silent.peer.reach = "down";
    expect((await silent.ask("claim"))?.reason).toContain("may hold older data");

    const suspended = await aloneWriter();
    suspended.timers.freeze(millis(4_000));
    await serverRestarts(suspended, 1_000);
    expect((await suspended.ask("claim"))?.reason).toContain("may hold older data");
  });

  it("and a standby that the writer's daemon has not seen is not one that could have been opened", async () => {
    const world = managedWorld();
    world.own.watched = false;
    await world.follows();
    world.peer.reach = "down";
    expect((await world.ask("claim"))?.reason).toContain("may hold older data");
    world.peer.reach = "up";
    world.own.watched = true;
    await world.follows();
    world.peer.reach = "down";
    expect(await world.ask("claim")).toMatchObject({ opened: true });
  });

  it("and one that was no writer proves nothing by a peer that is down", async () => {
    const world = managedWorld();
    world.peer.reach = "down";
    await world.look();
    await world.pass(5_000);
    expect((await world.ask("claim"))?.reason).toContain("may hold older data");
  });
});

describe("the daemon of a writer without a peer restarts", () => {
  it("and opens again when that was quick", async () => {
    const next = await (await aloneWriter()).restarted(2_000);
    expect(next.own.readOnly).toBe(true);
    expect(await next.ask("claim")).toMatchObject({ opened: true });
  });

  it("and does not after a longer time", async () => {
    const late = await (await aloneWriter()).restarted(3_500);
    expect((await late.ask("claim"))?.reason).toContain("may hold older data");
  });

  it("and does not when the peer listens again, which it is asked like any other", async () => {
    const world = await aloneWriter();
    const next = await world.restarted(500);
    next.peer.reach = "up";
    await next.pass(1_000);
    next.peer.reach = "down";
    await next.pass(1_000);
    expect((await next.ask("claim"))?.reason).toContain("may hold older data");
    expect(await next.notes.read("last-writer-orders")).toBeNull();
  });
});
