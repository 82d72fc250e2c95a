/** Processes that are killed, frozen or silent, gates that do not open. */
import { virtualAddress } from "../configs.ts";
import {
  expectHolders,
  expectThat,
  holders,
  makeWorld,
  pass,
  passWatching,
  SECOND,
  settledWorld,
  timeUntil,
} from "../scenario.ts";

export const PROCESSES: Readonly<Record<string, () => void>> = {
  "regular stop: the peer takes over after its skew": () => {
    const world = settledWorld();
    world.host(1).stopDaemon();
    const took = timeUntil(world, 2 * SECOND, () => holders(world).includes(1));
    // Skew_Time of priority 100 is 156/256 s.
    expectThat(world, took >= 605_000 && took <= 620_000, `took ${took / 1_000} ms`);
  },
  "kill -9 of the keeper: control removes the address and speaks for it": () => {
    const world = settledWorld();
    world.host(1).killKeeper();
    pass(world, 5_000);
    expectHolders(world);
    const took = timeUntil(world, 2 * SECOND, () => holders(world).includes(1));
    expectThat(world, took <= 620_000, `took ${took / 1_000} ms`);
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
  },
  "kill -9 of control: the keeper releases and ends": () => {
    const world = settledWorld();
    world.host(1).killControl();
    pass(world, 5_000);
    expectHolders(world);
    expectThat(world, world.host(1).keeper?.alive === false, "the keeper lives on");
    timeUntil(world, 2 * SECOND, () => holders(world).includes(1));
  },
  "kill -9 of both: never two holders": () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const world = settledWorld({ seed });
      world.host(1).killBoth();
      passWatching(world, 10 * SECOND, () => expectThat(world, holders(world).length < 2, "two holders"));
      expectHolders(world, 1);
    }
  },
  "freeze both and thaw: never two holders, no address put back, an orderly return": () => {
    for (const seconds of [1, 2.2, 3, 10]) {
      const world = settledWorld({ seed: seconds * 10 });
      const host = world.host(1);
      host.freezeControl();
      host.freezeKeeper();
      passWatching(world, seconds * SECOND, () => expectThat(world, holders(world).length < 2, "two holders"));
      host.thawControl();
      host.thawKeeper();
      passWatching(world, 20 * SECOND, () => {
        // A preemption takes one frame's way.
        if (holders(world).length > 1) pass(world, 1_000);
        expectThat(world, holders(world).length < 2, "two holders");
      });
      expectHolders(world, 2);
    }
  },
  "freeze of the keeper: control kills it and speaks for it": () => {
    const world = settledWorld();
    world.host(1).freezeKeeper();
    timeUntil(world, 2 * SECOND, () => holders(world).length === 0);
    timeUntil(world, 2 * SECOND, () => holders(world).includes(1));
    world.host(1).thawKeeper();
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
  },
  "silence of control: the keeper gives up within its limit and comes back": () => {
    const world = settledWorld();
    world.host(1).freezeControl();
    const took = timeUntil(world, 3 * SECOND, () => !holders(world).includes(2));
    expectThat(world, took <= 2_600_000, `served for ${took / 1_000} ms`);
    world.host(1).thawControl();
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
  },
  "a stop in the middle of a renewal: the lost address is not kept": () => {
    // After 1.7 s the old lifetime is over and the new one, counted from the decision, is not.
    for (const stall of [1.7, 3]) {
      const world = settledWorld();
      const host = world.host(1);
      // With control frozen too nobody replaces the keeper: the renewal is written when the address is long gone.
      host.freezeControl();
      host.stallKeeper(stall * SECOND);
      passWatching(world, 4.5 * SECOND, () => expectThat(world, holders(world).length < 2, "two holders"));
      host.thawControl();
      pass(world, 20 * SECOND);
      expectHolders(world, 2);
    }
  },
  "a stop in the middle of the renewal of a fence: one that has closed is not opened again": () => {
    // Renewed an advert before; the advert of this renewal has left, so the peer waits for another three.
    for (const stall of [2.1, 3.2]) {
      const world = settledWorld({ lease: "off", fence: true });
      const host = world.host(1);
      host.freezeControl();
      host.stallKeeper(stall * SECOND);
      passWatching(world, 4.9 * SECOND, () => expectThat(world, holders(world).length < 2, "two holders"));
      host.thawControl();
      pass(world, 20 * SECOND);
      expectHolders(world, 2);
    }
  },
  "a foreign removal in the middle of a renewal: the address that the renewal put back goes before priority 0": () => {
    // Time passes within the interrupted call, so when it ends is learned from one world and used in another.
    const rehearsal = settledWorld();
    const start = rehearsal.now;
    rehearsal.host(1).stallKeeper(300_000);
    const stalledUntil = (): number => rehearsal.disturbances.nodeChange(1);
    timeUntil(rehearsal, 2 * SECOND, () => stalledUntil() > start);
    const world = settledWorld();
    world.host(1).stallKeeper(300_000);
    world.after(stalledUntil() - start - 100_000, () => world.host(1).removeAddress(virtualAddress(0)));
    pass(world, 20 * SECOND);
    expectHolders(world, 2);
  },
  "a pause of the whole host: both hold until one advert after it wakes": () => {
    const world = settledWorld();
    world.host(1).pause();
    pass(world, 30 * SECOND);
    expectHolders(world, 1);
    world.host(1).resume();
    timeUntil(world, 1_010_000, () => holders(world).length === 1);
    pass(world, 5 * SECOND);
    expectHolders(world, 2);
  },
  "claim gate: no address before it opens; refused or hanging, the peer serves": () => {
    for (const mood of ["refuse", "hang"] as const) {
      const world = makeWorld({ gates: true });
      world.host(1).setGate(mood);
      world.startAll();
      passWatching(world, 40 * SECOND, () => expectThat(world, !holders(world).includes(2), "node 2 took it"));
      expectHolders(world, 1);
      world.host(1).setGate("open");
      pass(world, 40 * SECOND);
      expectHolders(world, 2);
    }
  },
  "release gate: the address stays until the hook has run, and goes at its timeout": () => {
    const world = settledWorld({ gates: true });
    world.host(1).setGate("hang");
    world.host(1).setCheck(false);
    timeUntil(world, 3 * SECOND, () => world.invariants.tracks[1]?.[0]?.phase === "RELEASING");
    expectHolders(world, 2);
    const took = timeUntil(world, 3 * SECOND, () => !world.host(1).kernel.has(virtualAddress(0)));
    expectThat(world, took >= 1_900_000 && took <= 2_100_000, `the address stayed for ${took / 1_000} ms`);
  },
};
