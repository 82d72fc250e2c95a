/** Takeovers of model servers in virtual time, with everything that can come between. */
import { describe, expect, it } from "vitest";
import { err } from "../core/lib/result.ts";
import { tailNoteText } from "../core/mysql/tail-note.ts";
import { managedWorld, type StepEvent } from "./testing/managed-world.ts";
import { NO_TAKEOVER } from "./testing/no-watches.ts";

const done = (events: readonly StepEvent[]): readonly string[] =>
  events.filter(({ outcome }) => outcome === "done").map(({ step }) => step);

describe("a claim", () => {
  it("of a server whose peer has died executes everything, records, and opens", async () => {
    const world = managedWorld();
    world.peer.readOnly = false;
    for (let count = 0; count < 5; count++) world.peer.write();
    world.own.receive();
    await world.follows();
    world.peer.reach = "down";
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    expect(world.own.readOnly).toBe(false);
    expect(world.own.log).toEqual(world.peer.log);
    expect(world.own).toMatchObject({ io: false, sql: false });
    expect(done(world.events)).toEqual([
      "stop the I/O thread",
      "leave the channel standing, its coordinates are kept",
      "fetch what 192.0.2.2:3306 has in its log behind bin.000001:105, from the daemon of its host",
      "record the own position bin.000001:105 0-2-5",
      "open the own server for writes",
    ]);
    expect(world.files).toEqual([expect.stringMatching(/^\/positions\/orders-2026-01-02T03-04-05\.\d{3}Z\.txt$/)]);
  });

  it("asks everybody again after it has asked for a tail: the dead writer may be up by then, and open", async () => {
    const world = managedWorld();
    world.peer.readOnly = false;
    await world.follows();
    world.peer.reach = "down";
    const ask = async () => {
      world.peer.reach = "up";
      world.peer.readOnly = false;
      return err("no daemon is reached");
    };
    world.tails = { ...NO_TAKEOVER.tails, keepers: { ask } };
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    expect([world.peer.readOnly, world.own.readOnly]).toEqual([true, false]);
  });

  it("that leaves a channel pointed at its own source starts nothing on it; the next look settles it", async () => {
    const world = managedWorld();
    await world.follows();
    world.peer.reach = "down";
    world.own.refusesToOpen = true;
    const place = { host: "192.0.2.2", port: 3306, at: { file: "bin.000001", offset: 4 }, usingGtid: null, tls: false };
    const note = tailNoteText({ channel: "", source: "127.0.0.1:40000", place });
    world.onEvent.call = ({ step }) => {
      if (step.startsWith("fetch ")) void world.notes.write("tail-orders", note);
    };
    expect((await world.ask("claim"))?.reason).toContain("Access denied");
    expect(world.own.orders.filter((order) => order.startsWith("START"))).toEqual([]);
    expect(await world.notes.read("tail-orders")).toBe(note);
    await world.look();
    expect(await world.notes.read("tail-orders")).toBeNull();
  });

  it("closes a peer that answers, with its sessions, also when closing hangs behind one of them", async () => {
    const world = managedWorld();
    world.peer.readOnly = false;
    world.peer.write();
    world.peer.sessions = 2;
    world.peer.hangs = true;
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    expect(world.peer).toMatchObject({ readOnly: true, sessions: 0 });
    expect(world.own.log).toEqual(world.peer.log);
    expect(world.own).toMatchObject({ readOnly: false, io: true });
  });

  it("is refused with the reason: cold start, a locked peer, a full disk; nothing opens", async () => {
    const cold = managedWorld();
    cold.peer.reach = "down";
    expect((await cold.ask("claim"))?.reason).toContain("may hold older data");
    expect(cold.manager.consent("orders")).toBe(true);
    expect(await cold.ask("claim")).toMatchObject({ opened: true });

    const locked = managedWorld();
    locked.peer.reach = "locked";
    expect((await locked.ask("claim"))?.reason).toContain("is alive and cannot be closed");
    expect(locked.own.readOnly).toBe(true);

    const full = managedWorld();
    full.disk.writable = false;
    expect((await full.ask("claim"))?.reason).toContain("the journal cannot be written");
    expect(full.own.readOnly).toBe(true);
    expect(full.events.at(-1)).toMatchObject({ outcome: "refused" });
  });

  it("that is refused receives again as before, and the next one executes what is left", async () => {
    const world = managedWorld("takeover_deadline 2");
    world.peer.readOnly = false;
    for (let count = 0; count < 400; count++) world.peer.write();
    world.own.receive();
    await world.follows();
    world.peer.reach = "down";
    expect((await world.ask("claim"))?.reason).toContain("everything received is executed");
    // Its applier never stood: started together, MariaDB would have thrown away what is left.
    expect(world.own.orders.filter((order) => order.includes("SLAVE"))).toEqual([
      "STOP SLAVE IO_THREAD",
      "START SLAVE IO_THREAD",
    ]);
    await world.pass(1_500);
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    expect(world.own.log).toEqual(world.peer.log);
  });

  it("that the server itself refuses to open follows again, and succeeds once the privilege is there", async () => {
    const world = managedWorld();
    await world.follows();
    world.peer.reach = "down";
    world.own.refusesToOpen = true;
    expect((await world.ask("claim"))?.reason).toContain("Access denied");
    expect(world.own).toMatchObject({ readOnly: true, io: true, sql: true });
    world.own.refusesToOpen = false;
    await world.look();
    expect(await world.ask("claim")).toMatchObject({ opened: true });
  });

  it("whose applier breaks meanwhile leaves what was received alone: starting the receiver would throw it away", async () => {
    const world = managedWorld("takeover_deadline 2");
    world.peer.readOnly = false;
    for (let count = 0; count < 400; count++) world.peer.write();
    world.own.receive();
    await world.follows();
    world.peer.reach = "down";
    world.onEvent.call = ({ step, outcome }) => {
      if (step === "stop the I/O thread" && outcome === "done") world.own.sql = false;
    };
    expect(await world.ask("claim")).toMatchObject({ opened: false });
    expect(world.own.relay.length).toBeGreaterThan(300);
    expect(world.own.orders.filter((order) => order.startsWith("START"))).toEqual([]);
  });

  it("is refused by a peer that is the own server", async () => {
    const world = managedWorld();
    Object.assign(world.peer, { id: 1 });
    expect((await world.ask("claim"))?.reason).toContain("has the own server_id 1");
  });

  it("that takes longer than takeover_deadline is refused and says what it waited for", async () => {
    const world = managedWorld("takeover_deadline 2");
    world.peer.readOnly = false;
    for (let count = 0; count < 400; count++) world.peer.write();
    const answer = await world.ask("claim");
    expect(answer?.reason).toMatch(
      /takeover_deadline \(2 s\) is over: it was waited until everything that 192\.0\.2\.2:3306 has/,
    );
    expect(world.own.readOnly).toBe(true);
  });

  it("that is refused after it had closed a writer opens that again, and only while it was not open itself", async () => {
    const world = managedWorld("takeover_deadline 2");
    world.peer.readOnly = false;
    for (let count = 0; count < 400; count++) world.peer.write();
    expect(await world.ask("claim")).toMatchObject({ opened: false });
    expect(world.peer.readOnly).toBe(false);
    expect(world.events.map(({ step }) => step)).toContain("open 192.0.2.2:3306 for writes again, as it was found");

    const crowded = (when: string): ReturnType<typeof managedWorld> => {
      const world = managedWorld("takeover_deadline 2\npeer 192.0.2.3");
      world.peer.readOnly = false;
      for (let count = 0; count < 400; count++) world.peer.write();
      world.onEvent.call = ({ step, outcome }) => {
        if (step.startsWith(when) && outcome !== "begun") world.replica.readOnly = false;
      };
      return world;
    };
    // The third host was opened as well, and closed by this claim: whose turn it is nobody here can tell.
    const both = crowded("close 192.0.2.2");
    expect(await both.ask("claim")).toMatchObject({ opened: false });
    expect([both.peer.readOnly, both.replica.readOnly, both.own.readOnly]).toEqual([true, true, true]);
    // It was opened when the claim had come to nothing.
    const elsewhere = crowded("nothing");
    elsewhere.network.onStatement = () => {
      if (elsewhere.timers.now() >= closedUntil) elsewhere.replica.readOnly = false;
    };
    const closedUntil = elsewhere.timers.now() + 2_010_000;
    expect(await elsewhere.ask("claim")).toMatchObject({ opened: false });
    expect(elsewhere.events).toContainEqual(
      expect.objectContaining({ outcome: "failed", detail: "192.0.2.3:3306 is open for writes" }),
    );
    expect([elsewhere.peer.readOnly, elsewhere.own.readOnly]).toEqual([true, true]);

    const late = managedWorld();
    late.peer.readOnly = false;
    late.onEvent.call = ({ step, outcome }) => {
      if (step.startsWith("open the own") && outcome === "done") late.manager.cancel("V", late.lastGate());
    };
    await late.ask("claim", 1_000);
    expect(late.peer.readOnly).toBe(true);
    expect(late.own.readOnly).toBe(true);
  });

  it("of a second failover after a life as writer needs a peer that was followed again", async () => {
    const world = managedWorld();
    await world.follows();
    world.peer.reach = "down";
    await world.ask("claim");
    world.manager.entered("V", "MASTER");
    // The own server dies and comes back; the peer may have been the writer meanwhile.
    world.manager.entered("V", "FAULT");
    // While nobody could see it: that nobody listens there proves something only without a gap.
    world.peer.reach = "silent";
    await world.pass(1_500);
    world.peer.reach = "down";
    await world.look();
    expect((await world.ask("claim"))?.reason).toContain("may hold older data");
  });
});

describe("a claim that is cut off", () => {
  const steps = 5;
  it.each(Array.from({ length: steps }, (_, at) => at + 1))(
    "at its step %i: nothing stays open, and the next one does the rest",
    async (cutAt) => {
      const world = managedWorld();
      world.peer.readOnly = false;
      for (let count = 0; count < 5; count++) world.peer.write();
      world.own.receive();
      world.own.sql = false;
      await world.follows();
      world.peer.reach = "down";
      let begun = 0;
      let bothOpen = 0;
      world.network.onStatement = () => {
        if (!world.own.readOnly && !world.peer.readOnly && world.peer.reach === "up") bothOpen += 1;
      };
      world.onEvent.call = ({ outcome }) => {
        if (outcome !== "begun") return;
        begun += 1;
        if (begun === cutAt) world.manager.cancel("V", world.lastGate());
      };
      expect(await world.ask("claim", 3_000)).toBeUndefined();
      expect(begun).toBeGreaterThanOrEqual(cutAt);
      expect(world.own.readOnly).toBe(true);
      world.onEvent.call = () => undefined;
      await world.look();
      const answer = await world.ask("claim");
      expect(answer, JSON.stringify(world.events.slice(-4))).toMatchObject({ opened: true });
      expect(world.own.log).toEqual(world.peer.log);
      expect(bothOpen).toBe(0);
    },
  );
});

describe("a server without the address", () => {
  it("is not opened by a claim that was cancelled before its turn came", async () => {
    const world = managedWorld();
    void world.ask("release", 10);
    const claimed = world.ask("claim", 1_000);
    world.manager.cancel("V", world.lastGate());
    expect(await claimed).toBeUndefined();
    expect(world.own.readOnly).toBe(true);
  });

  it("is closed when the gate was opened and nobody went through", async () => {
    const world = managedWorld();
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    world.manager.entered("V", "BACKUP");
    await world.pass(50);
    expect(world.own.readOnly).toBe(true);

    const silent = managedWorld("takeover_deadline 1");
    expect(await silent.ask("claim")).toMatchObject({ opened: true });
    await silent.look();
    await silent.pass(50);
    expect(silent.own.readOnly).toBe(false);
    await silent.pass(6_500);
    await silent.look();
    await silent.pass(50);
    expect(silent.own.readOnly).toBe(true);
  });

  it("is closed before the address goes", async () => {
    const world = managedWorld();
    await world.ask("claim");
    world.own.sessions = 3;
    expect(await world.ask("release")).toMatchObject({ opened: true });
    expect(world.own).toMatchObject({ readOnly: true, sessions: 0 });
  });

  it("is closed at the start, and whenever it is found open", async () => {
    const world = managedWorld();
    world.own.readOnly = false;
    await world.manager.guard();
    expect(world.own.readOnly).toBe(true);
    world.own.readOnly = false;
    world.manager.entered("V", "BACKUP");
    await world.look();
    await world.pass(50);
    expect(world.own.readOnly).toBe(true);
  });

  it("is left open while it has the address", async () => {
    const world = managedWorld();
    await world.ask("claim");
    world.manager.entered("V", "MASTER");
    await world.look();
    await world.pass(50);
    expect(world.own.readOnly).toBe(false);
  });
});

describe("a writer that is cut off", () => {
  it("is told as isolated after two seconds, and as back when the gateway or a peer answers; with a gateway it goes on", async () => {
    const world = managedWorld();
    await world.ask("claim");
    world.manager.entered("V", "MASTER");
    world.peer.reach = "silent";
    await world.pass(6_000);
    expect(world.isolated).toEqual([]);
    world.gateway.answer = "unreachable";
    await world.pass(6_000);
    expect(world.isolated).toHaveLength(1);
    expect(world.isolated[0]).toBeGreaterThanOrEqual(2_000);
    world.manager.entered("V", "FAULT");
    await world.pass(2_000);
    expect(world.own.readOnly).toBe(true);
    world.gateway.answer = "reachable";
    await world.pass(2_000);
    expect(world.isolated.at(-1)).toBeNull();
    await world.manager.stop();
  });

  it("goes on under availability, and where nobody can be asked", async () => {
    for (const [lines, answer] of [
      ["policy availability", "unreachable"],
      ["", null],
    ] as const) {
      const world = managedWorld(lines);
      await world.ask("claim");
      world.manager.entered("V", "MASTER");
      world.peer.reach = "silent";
      world.gateway.answer = answer;
      await world.pass(6_000);
      expect(world.isolated).toEqual([]);
      await world.manager.stop();
    }
  });
});

describe("afterwards", () => {
  it("a peer that comes back with nothing of its own is followed again; one with an errant transaction is told and is not", async () => {
    for (const errant of [false, true]) {
      const world = managedWorld();
      world.peer.readOnly = false;
      world.peer.write();
      await world.pass(50);
      await world.follows();
      world.peer.reach = "down";
      await world.ask("claim");
      world.manager.entered("V", "MASTER");
      if (errant) world.peer.log.push("2-2");
      world.peer.readOnly = true;
      world.peer.reach = "up";
      await world.pass(2_500);
      expect(world.own.io).toBe(!errant);
      expect(world.events.some(({ outcome }) => outcome === "trouble")).toBe(errant);
      await world.manager.stop();
    }
  });
});

describe("a standby whose receiver has given up", () => {
  it("is told to try again, and counts as not following until it does", async () => {
    const world = managedWorld();
    await world.look();
    world.own.io = false;
    const replica = {
      channel: "",
      source: "192.0.2.2:3306",
      io: "stopped",
      sql: "running",
      lag: null,
      drained: true,
      ioError: { number: 2003, text: "attempt 10/10" },
      sqlError: null,
    } as const;
    world.manager.looked("orders", {
      version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
      closedBy: "read_only",
      connections: null,
      replicas: [replica],
      blindFor: null,
      disks: [],
    });
    world.peer.reach = "down";
    await world.pass(50);
    expect(world.own).toMatchObject({ io: true });
    expect((await world.ask("claim"))?.reason).toContain("may hold older data");
  });
});
