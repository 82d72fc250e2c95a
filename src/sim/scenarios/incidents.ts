/** The four classic incidents and the order of starting, as directed scenarios. */
import { virtualAddress } from "../configs.ts";
import {
  clientTalksTo,
  expectHolders,
  expectThat,
  holders,
  makeWorld,
  pass,
  passWatching,
  SECOND,
  sameList,
  settledWorld,
  timeUntil,
} from "../scenario.ts";

export const INCIDENTS: Readonly<Record<string, () => void>> = {
  "cold-start-both: with different priorities the higher one holds, and nobody else ever did": () => {
    const world = makeWorld();
    world.startAll();
    passWatching(world, 20 * SECOND, () => expectThat(world, !holders(world).includes(1), "node 1 held the address"));
    expectHolders(world, 2);
    expectThat(world, world.invariants.takeovers === 1, `${world.invariants.takeovers} takeovers, expected 1`);
  },
  "cold-start-both: with equal priorities one holds, and never both for longer than a frame takes": () => {
    for (const seed of [1, 2, 3, 4]) {
      const world = makeWorld({ equalPriorities: true, seed });
      world.startAll();
      passWatching(world, 20 * SECOND, () => expectThat(world, holders(world).length < 2, "both hold"));
      expectThat(world, holders(world).length === 1, "nobody holds");
    }
  },
  "start-order: one after the other with nopreempt, the first one keeps it": () => {
    const world = makeWorld({ nopreempt: true });
    world.host(0).startDaemon();
    pass(world, 10 * SECOND);
    expectHolders(world, 1);
    world.host(1).startDaemon();
    passWatching(world, 20 * SECOND, () => expectHolders(world, 1));
  },
  "start-order: one after the other with preempt, the higher priority takes it": () => {
    const world = makeWorld();
    world.host(0).startDaemon();
    pass(world, 10 * SECOND);
    world.host(1).startDaemon();
    pass(world, 10 * SECOND);
    expectHolders(world, 2);
    expectThat(world, clientTalksTo(world) === 2, "the client was not told");
  },
  "stale-vip: after kill -9 of both processes the lease removes the address within 3 s and before the peer has it":
    () => {
      const world = settledWorld();
      world.host(1).killBoth();
      const gone = timeUntil(world, 10 * SECOND, () => !holders(world).includes(2));
      expectThat(world, gone <= 3 * SECOND, `the address stayed for ${gone / 1_000} ms`);
      expectThat(world, !holders(world).includes(1), "the peer had it before");
      timeUntil(world, 4 * SECOND, () => holders(world).includes(1));
    },
  "stale-vip: with the fence alone a host whose processes are killed is silent before the peer has it; the next daemon serves":
    () => {
      const world = settledWorld({ lease: "off", fence: true });
      world.host(1).killBoth();
      const silent = timeUntil(world, 10 * SECOND, () => !holders(world).includes(2));
      expectThat(world, silent <= 3 * SECOND, `it answered for ${silent / 1_000} ms`);
      expectThat(world, !holders(world).includes(1), "the peer had it before");
      expectThat(world, world.host(1).kernel.has(virtualAddress(0)), "the address has gone");
      pass(world, 10 * SECOND);
      expectHolders(world, 1);
      world.host(1).startDaemon();
      pass(world, 10 * SECOND);
      expectHolders(world, 2);
    },
  "stale-vip: without a lease the restarted daemon removes what it finds": () => {
    const world = settledWorld({ lease: "off" });
    world.host(1).killBoth();
    pass(world, 10 * SECOND);
    expectHolders(world, 1, 2);
    world.host(1).startDaemon();
    timeUntil(world, SECOND, () => !holders(world).includes(2));
    pass(world, 10 * SECOND);
    expectHolders(world, 2);
  },
  "partition: both hold under availability, and the heal ends it within one advert, the client with the winner": () => {
    for (const side of [[0], [0, 2], [1], [1, 3]]) {
      const world = settledWorld({ seed: side.length });
      const heal = world.network.partition(side);
      pass(world, 10 * SECOND);
      expectHolders(world, 1, 2);
      heal();
      const took = timeUntil(world, 2 * SECOND, () => holders(world).length === 1);
      expectThat(world, took <= 1_010_000, `two holders for ${took / 1_000} ms after the heal`);
      expectHolders(world, 2);
      pass(world, 10_000);
      expectThat(world, clientTalksTo(world) === 2, "the client still talks to the loser");
    }
  },
  "partition: with equal priorities the higher address survives the heal": () => {
    const world = settledWorld({ equalPriorities: true });
    const heal = world.network.partition([0]);
    pass(world, 10 * SECOND);
    expectHolders(world, 1, 2);
    heal();
    pass(world, 2 * SECOND);
    expectHolders(world, 2);
  },
  "fault-to-master: a node leaves FAULT through BACKUP, and hooks hear each state once and in order": () => {
    const world = settledWorld();
    world.host(1).setCheck(false);
    pass(world, 10 * SECOND);
    expectHolders(world, 1);
    world.host(1).setCheck(true);
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
    const told = world.invariants.told.filter((entry) => entry.node === 1).map((entry) => entry.state);
    expectThat(
      world,
      sameList(told, ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"]),
      `notify heard ${told.join(" ")}`,
    );
  },
  "fault-to-master: FAULT never holds the address, even for a moment": () => {
    const world = settledWorld();
    world.host(1).setLink(false);
    pass(world, 1_000);
    expectThat(world, !world.host(1).kernel.has(virtualAddress(0)), "the address stayed on a link that is down");
  },
};
