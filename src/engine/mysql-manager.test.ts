/** Takeovers of model servers in virtual time, with everything that can come between. */
import { describe, expect, it } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { ok } from "../core/lib/result.ts";
import { millis } from "../core/lib/units.ts";
import type { GateAnswer } from "./hook-engine.ts";
import { createMysqlManager } from "./mysql-manager.ts";
import { configOf } from "./testing/configs.ts";
import { ModelServer, modelNetwork } from "./testing/model-mariadb.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

type StepEvent = Extract<HoldfastEventBody, { kind: "mysql-step" }>;

const CONFIG = (lines = "") =>
  configOf(
    `mysql orders {\nserver 127.0.0.1\npeer 192.0.2.2\nrecord_position /positions\n${lines}\n}\n` +
      "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.100\n}\nmanage_mysql orders\n}\n",
  );

function setUp(lines = "") {
  const timers = createVirtualTimers();
  const own = new ModelServer("192.0.2.1", 1);
  const peer = new ModelServer("192.0.2.2", 2);
  own.source = peer;
  peer.source = own;
  own.io = true;
  peer.io = true;
  const network = modelNetwork(own, [own, peer]);
  const events: StepEvent[] = [];
  const answers: GateAnswer[] = [];
  const files: string[] = [];
  const isolated: (number | null)[] = [];
  const gateway: { answer: "reachable" | "unreachable" | null } = { answer: "reachable" };
  const disk = { writable: true };
  let gate = 0;
  const onEvent: { call: (event: StepEvent) => void } = { call: () => undefined };
  const manager = createMysqlManager({
    tools: {
      sql: network,
      timers,
      gateway: { ask: async () => gateway.answer },
      positions: {
        write: async (directory, name) => {
          files.push(`${directory}/${name}`);
          return ok(name);
        },
      },
      wallMillis: () => Date.UTC(2026, 0, 2, 3, 4, 5),
      flush: async () => disk.writable,
    },
    publish: (body) => {
      if (body.kind !== "mysql-step") return;
      events.push(body);
      onEvent.call(body);
    },
    isolate: (_, millis) => isolated.push(millis),
    answer: (answer) => answers.push(answer),
    next: ({ instance, gate: number }) => answers.push({ instance, gate: number, opened: true, reason: "" }),
  });
  manager.configure(CONFIG(lines));
  const world = {
    timers,
    own,
    peer,
    network,
    manager,
    events,
    answers,
    files,
    isolated,
    gateway,
    disk,
    onEvent,
    /** The check sees the own server. */
    look: () =>
      manager.looked("orders", {
        version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
        closedBy: own.readOnly ? "read_only" : null,
        connections: null,
        replicas: [
          {
            channel: "",
            source: "192.0.2.2:3306",
            io: own.io ? (peer.reach === "up" ? "running" : "connecting") : "stopped",
            sql: "running",
            lag: 0,
            drained: true,
            ioError: null,
            sqlError: null,
          },
        ],
        blindFor: null,
        disks: [],
      }),
    /** Asks the gate and lets time pass until it is answered, or for that long. */
    ask: async (which: "claim" | "release", limitMillis = 15_000) => {
      gate += 1;
      const number = gate;
      manager.ask({ instance: "V", which, gate: number, priority: 100 });
      const answer = () => answers.find((one) => one.gate === number);
      for (let passed = 0; passed < limitMillis && answer() === undefined; passed += 10) {
        await world.pass(10);
      }
      return answer();
    },
    pass: async (milliseconds: number) => {
      for (let passed = 0; passed < milliseconds; passed += 10) {
        for (const server of [own, peer]) {
          server.receive();
          server.work();
        }
        await timers.advance(millis(10));
        for (let turn = 0; turn < 60; turn++) await Promise.resolve();
      }
    },
    lastGate: () => gate,
  };
  return world;
}

const done = (events: readonly StepEvent[]): readonly string[] =>
  events.filter(({ outcome }) => outcome === "done").map(({ step }) => step);

describe("a claim", () => {
  it("of a server whose peer has died executes everything, records, and opens", async () => {
    const world = setUp();
    world.peer.readOnly = false;
    for (let count = 0; count < 5; count++) world.peer.write();
    world.own.receive();
    world.look();
    world.peer.reach = "down";
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    expect(world.own.readOnly).toBe(false);
    expect(world.own.log).toEqual(world.peer.log);
    expect(world.own).toMatchObject({ io: false, sql: false });
    expect(done(world.events)).toEqual([
      "stop the I/O thread",
      "leave the channel standing, its coordinates are kept",
      "record the own position own.000001:5 0-2-5",
      "open the own server for writes",
    ]);
    expect(world.files).toEqual(["/positions/orders-2026-01-02T03-04-05.000Z.txt"]);
  });

  it("closes a peer that answers, with its sessions, also when closing hangs behind one of them", async () => {
    const world = setUp();
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
    const cold = setUp();
    cold.peer.reach = "down";
    expect((await cold.ask("claim"))?.reason).toContain("may hold older data");
    expect(cold.manager.consent("orders")).toBe(true);
    expect(await cold.ask("claim")).toMatchObject({ opened: true });

    const locked = setUp();
    locked.peer.reach = "locked";
    expect((await locked.ask("claim"))?.reason).toContain("is alive and cannot be closed");
    expect(locked.own.readOnly).toBe(true);

    const full = setUp();
    full.disk.writable = false;
    expect((await full.ask("claim"))?.reason).toContain("the journal cannot be written");
    expect(full.own.readOnly).toBe(true);
    expect(full.events.at(-1)).toMatchObject({ outcome: "refused" });
  });

  it("that takes longer than takeover_deadline is refused and says what it waited for", async () => {
    const world = setUp("takeover_deadline 2");
    world.peer.readOnly = false;
    for (let count = 0; count < 400; count++) world.peer.write();
    const answer = await world.ask("claim");
    expect(answer?.reason).toMatch(
      /takeover_deadline \(2 s\) is over: it was waited until everything that 192\.0\.2\.2:3306 has/,
    );
    expect(world.own.readOnly).toBe(true);
  });

  it("that is refused after it had closed a writer opens that again, and only while it was not open itself", async () => {
    const world = setUp("takeover_deadline 2");
    world.peer.readOnly = false;
    for (let count = 0; count < 400; count++) world.peer.write();
    expect(await world.ask("claim")).toMatchObject({ opened: false });
    expect(world.peer.readOnly).toBe(false);
    expect(world.events.map(({ step }) => step)).toContain("open 192.0.2.2:3306 for writes again, as it was found");

    const late = setUp();
    late.peer.readOnly = false;
    late.onEvent.call = ({ step, outcome }) => {
      if (step.startsWith("open the own") && outcome === "done") late.manager.cancel("V", late.lastGate());
    };
    await late.ask("claim", 1_000);
    expect(late.peer.readOnly).toBe(true);
    expect(late.own.readOnly).toBe(true);
  });

  it("of a second failover after a life as writer needs a peer that was followed again", async () => {
    const world = setUp();
    world.look();
    world.peer.reach = "down";
    await world.ask("claim");
    world.manager.entered("V", "MASTER");
    // The own server dies and comes back; the peer may have been the writer meanwhile.
    world.manager.entered("V", "FAULT");
    await world.pass(50);
    world.look();
    expect((await world.ask("claim"))?.reason).toContain("may hold older data");
  });
});

describe("a claim that is cut off", () => {
  const steps = 5;
  it.each(Array.from({ length: steps }, (_, at) => at + 1))(
    "at its step %i: nothing stays open, and the next one does the rest",
    async (cutAt) => {
      const world = setUp();
      world.peer.readOnly = false;
      for (let count = 0; count < 5; count++) world.peer.write();
      world.own.receive();
      world.own.sql = false;
      world.look();
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
      world.look();
      const answer = await world.ask("claim");
      expect(answer, JSON.stringify(world.events.slice(-4))).toMatchObject({ opened: true });
      expect(world.own.log).toEqual(world.peer.log);
      expect(bothOpen).toBe(0);
    },
  );
});

describe("a server without the address", () => {
  it("is not opened by a claim that was cancelled before its turn came", async () => {
    const world = setUp();
    void world.ask("release", 10);
    const claimed = world.ask("claim", 1_000);
    world.manager.cancel("V", world.lastGate());
    expect(await claimed).toBeUndefined();
    expect(world.own.readOnly).toBe(true);
  });

  it("is closed when the gate was opened and nobody went through", async () => {
    const world = setUp();
    expect(await world.ask("claim")).toMatchObject({ opened: true });
    world.manager.entered("V", "BACKUP");
    await world.pass(50);
    expect(world.own.readOnly).toBe(true);

    const silent = setUp("takeover_deadline 1");
    expect(await silent.ask("claim")).toMatchObject({ opened: true });
    silent.look();
    await silent.pass(50);
    expect(silent.own.readOnly).toBe(false);
    await silent.pass(6_500);
    silent.look();
    await silent.pass(50);
    expect(silent.own.readOnly).toBe(true);
  });

  it("is closed before the address goes", async () => {
    const world = setUp();
    await world.ask("claim");
    world.own.sessions = 3;
    expect(await world.ask("release")).toMatchObject({ opened: true });
    expect(world.own).toMatchObject({ readOnly: true, sessions: 0 });
  });

  it("is closed at the start, and whenever it is found open", async () => {
    const world = setUp();
    world.own.readOnly = false;
    await world.manager.guard();
    expect(world.own.readOnly).toBe(true);
    world.own.readOnly = false;
    world.manager.entered("V", "BACKUP");
    world.look();
    await world.pass(50);
    expect(world.own.readOnly).toBe(true);
  });

  it("is left open while it has the address", async () => {
    const world = setUp();
    await world.ask("claim");
    world.manager.entered("V", "MASTER");
    world.look();
    await world.pass(50);
    expect(world.own.readOnly).toBe(false);
  });
});

describe("a writer that is cut off", () => {
  it("is told as isolated after two seconds, and as back when the gateway or a peer answers; with a gateway it goes on", async () => {
    const world = setUp();
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
      const world = setUp(lines);
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
      const world = setUp();
      world.peer.readOnly = false;
      world.peer.write();
      await world.pass(50);
      world.look();
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
    const world = setUp();
    world.look();
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
