/** A managed Redis server that is no longer the one that was opened, and a peer that comes back during a claim. */
import { expect, test } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { ok } from "../core/lib/result.ts";
import { type Micros, millis, seconds } from "../core/lib/units.ts";
import type { GateAnswer } from "./hook-engine.ts";
import { RedisManager } from "./redis-manager.ts";
import { configOf } from "./testing/configs.ts";
import { memoryNotes } from "./testing/managed-world.ts";
import { ModelRedis, modelRedisPort } from "./testing/model-redis.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const config = (policy: string) =>
  configOf(
    `redis cache {\nserver 127.0.0.1 6379\npeer 192.0.2.2 6379\npolicy ${policy}\n}\n` +
      "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.100\n}\n" +
      "nopreempt\nmanage_redis cache\n}\n",
  );

/** `policy`: availability claims against silence, balanced does not. */
function world(policy: "availability" | "balanced" = "availability") {
  const timers = createVirtualTimers();
  const own = new ModelRedis();
  const peer = new ModelRedis();
  peer.runId = "peer";
  const servers = new Map([
    ["127.0.0.1", own],
    ["192.0.2.2", peer],
  ]);
  const handedOver: string[] = [];
  const answers: GateAnswer[] = [];
  const opened: number[] = [];
  const copies: string[] = [];
  const events: Extract<HoldfastEventBody, { kind: "redis-step" }>[] = [];
  const during = { asked: (_host: string): void => undefined };
  const manager = new RedisManager({
    tools: {
      redis: modelRedisPort(servers, (host) => during.asked(host)),
      copies: { keep: async (path) => ok(path + copies.push(path)) },
      timers,
      gateway: { ask: async () => "reachable" },
      marks: memoryNotes(),
      flush: async () => true,
    },
    publish: (body) => {
      if (body.kind === "redis-step") events.push(body);
    },
    answer: (answer) => answers.push(answer),
    next: ({ gate }) => opened.push(gate),
    handOver: (instance) => handedOver.push(instance),
    isolate: () => undefined,
  });
  manager.configure(config(policy));
  /** In small steps: a look or a claim is a long chain of promises. */
  const pass = async (length: Micros) => {
    for (let passed = 0; passed < length; passed += millis(5)) await timers.advance(millis(5));
  };
  const claim = async (gate: number) => {
    manager.ask({ instance: "V", which: "claim", gate, priority: 100 });
    await pass(millis(500));
  };
  return { copies, pass, own, peer, handedOver, answers, opened, events, during, manager, claim };
}

/** It is MASTER, and all is well. */
async function writer(policy?: "balanced") {
  const all = world(policy);
  await all.claim(1);
  expect(all.opened).toEqual([1]);
  all.manager.entered("V", "MASTER");
  await all.pass(seconds(5));
  expect(all.own.source).toBeNull();
  expect(all.handedOver).toEqual([]);
  return all;
}

test("a writer that was started anew and empty under its address is closed, and the address is given up", async () => {
  const { own, pass, handedOver, events, manager, claim, answers } = await writer();
  own.die();
  own.start({ keys: 0, source: null });
  await pass(millis(500));
  expect(own.source).toBe("127.0.0.1:1");
  expect(handedOver).toEqual(["V"]);
  expect(events).toContainEqual(
    expect.objectContaining({ step: "let the address go", detail: expect.stringContaining("was restarted") }),
  );
  manager.entered("V", "BACKUP");
  await claim(2);
  expect(answers).toEqual([expect.objectContaining({ gate: 2, opened: false })]);
  expect(own.source).toBe("127.0.0.1:1");
});

test("the restarted server of a writer with a replica in step does not win by name, whoever saw its end first", async () => {
  const { own, peer, pass, manager, claim, answers } = await writer();
  expect([...own.channels]).toEqual(["holdfast:cache:1:writer"]);
  Object.assign(peer, { source: "192.0.2.1:6379", linkUp: true, replid: own.replid });
  await pass(seconds(2));
  expect([...own.channels].at(-1)).toBe("holdfast:cache:1:paired");
  own.die();
  // Its check was the first to see it.
  manager.entered("V", "FAULT");
  await pass(millis(50));
  // A client has written three keys to it before it was closed.
  own.start({ keys: 3, source: null });
  const told = new Set<string>();
  for (let looks = 0; looks < 300; looks++) {
    await pass(millis(5));
    for (const channel of own.channels) told.add(channel);
  }
  expect([...told]).toEqual(["holdfast:cache:1:paired-restarted"]);
  expect(own.source).toBe("127.0.0.1:1");
  peer.channels.add("holdfast:cache:1:insync");
  manager.entered("V", "BACKUP");
  await claim(2);
  expect(answers).toEqual([expect.objectContaining({ gate: 2, opened: false })]);
  expect(own.source).toBe("127.0.0.1:1");
});

test("one that was away for a while is seen within 0.2 s, also when redis.conf started it closed", async () => {
  const { own, pass, handedOver } = await writer();
  own.die();
  await pass(seconds(2));
  expect(handedOver).toEqual([]);
  own.start({ keys: 7, source: "127.0.0.1:1" });
  await pass(millis(200));
  expect(handedOver).toEqual(["V"]);
});

test("one that somebody else has closed gives the address up", async () => {
  const { own, pass, handedOver } = await writer();
  own.source = "192.0.2.2:6379";
  await pass(seconds(2));
  expect(handedOver).toEqual(["V"]);
});

test("a peer that was silent a moment ago is asked again before the server is opened", async () => {
  const { own, peer, pass, opened, during, claim } = world();
  peer.reachable = false;
  await pass(seconds(1));
  // It is back, as a writer with less, when the claim begins.
  peer.reachable = true;
  peer.source = null;
  peer.offset = 90;
  const asked: string[] = [];
  during.asked = (host) => void asked.push(host);
  await claim(1);
  expect(asked).toContain("192.0.2.2");
  expect(peer.orders).toEqual(["REPLICAOF 127.0.0.1 1"]);
  expect(opened).toEqual([1]);
  expect(own.source).toBeNull();
});

test("and what it has in advance refuses the claim", async () => {
  const { own, peer, pass, answers, claim } = world();
  peer.reachable = false;
  await pass(seconds(1));
  peer.reachable = true;
  peer.offset = 200;
  await claim(1);
  expect(answers).toEqual([expect.objectContaining({ opened: false })]);
  expect(own.orders).not.toContain("REPLICAOF NO ONE");
});

test("what a returned server has alone is copied once, however long the link to the writer takes", async () => {
  const { own, peer, pass, copies } = world();
  peer.source = null;
  peer.replid = "b";
  peer.channels.add("holdfast:cache:3:writer");
  await pass(seconds(4));
  expect(own.source).toBe("192.0.2.2:6379");
  expect(copies).toHaveLength(1);
});

test("a writer that was moved by command does not claim before it has followed its successor", async () => {
  const { own, peer, pass, handedOver, answers, manager, claim, opened } = await writer("balanced");
  Object.assign(peer, { source: "192.0.2.1:6379", linkUp: true, replid: own.replid, offset: own.offset });
  peer.channels.add("holdfast:cache:1:insync");
  await pass(seconds(2));
  const move = manager.switchover("cache");
  await pass(millis(100));
  expect(handedOver).toEqual(["V"]);
  manager.entered("V", "BACKUP");
  Object.assign(peer, { source: null, offset: own.offset + 10 });
  await pass(millis(20));
  expect(await move).toMatchObject({ moved: true, to: "192.0.2.2:6379" });
  // It dies with what it has acknowledged meanwhile, before this one could follow.
  peer.die();
  await claim(2);
  expect(answers).toEqual([
    expect.objectContaining({ gate: 2, opened: false, reason: expect.stringContaining("may hold older data") }),
  ]);
  expect(opened).toEqual([1]);
  expect(own.source).not.toBeNull();
});

test("a writer whose address does not move stays the one that may claim", async () => {
  const { own, peer, pass, handedOver, manager, claim, opened } = await writer("balanced");
  Object.assign(peer, { source: "192.0.2.1:6379", linkUp: true, replid: own.replid, offset: own.offset });
  peer.channels.add("holdfast:cache:1:insync");
  await pass(seconds(2));
  const move = manager.switchover("cache");
  await pass(seconds(30));
  expect(handedOver).toEqual(["V"]);
  expect(await move).toMatchObject({ moved: false });
  expect(own.source).toBeNull();
  peer.die();
  await claim(2);
  expect(opened).toEqual([1, 2]);
});
