import { describe, expect, it } from "vitest";
import { readOptions } from "./arguments.ts";
import { runSimCommand } from "./command.ts";
import { EventQueue } from "./event-queue.ts";
import { drawSetup, replayCommand } from "./options.ts";
import { createPrng } from "./prng.ts";
import { runSim } from "./run-sim.ts";

describe("a run is a function of its seed", () => {
  it("the same seed gives the same trace, event for event", () => {
    for (const seed of [3, 4, 5]) {
      const [one, two] = [runSim({ seed, hours: 0.1 }), runSim({ seed, hours: 0.1 })];
      expect(two.hash).toBe(one.hash);
      expect(two.events).toBe(one.events);
    }
  });

  it("another seed gives another trace, also with the same settings", () => {
    const options = { hours: 0.05, nodes: 2, instances: 1, version: 2, intervalMillis: 1_000 } as const;
    expect(runSim({ ...options, seed: 1 }).hash).not.toBe(runSim({ ...options, seed: 2 }).hash);
  });

  it("a generator with the same seed draws the same, and forks are independent", () => {
    const draws = (name: string) =>
      Array.from(
        { length: 5 },
        (
          (prng) => () =>
            prng.next()
        )(createPrng(7).fork(name)),
      );
    expect(draws("a")).toEqual(draws("a"));
    expect(draws("a")).not.toEqual(draws("b"));
  });

  it("the queue hands out by time, then by order of scheduling, and skips what was cancelled", () => {
    const queue = new EventQueue();
    const seen: string[] = [];
    const late = queue.push(5, () => seen.push("late"));
    queue.push(1, () => seen.push("first"));
    queue.push(1, () => seen.push("second"));
    queue.push(0, () => seen.push("zero"));
    late.run = null;
    for (let run = queue.take(); run !== null; run = queue.take()) run();
    expect(seen).toEqual(["zero", "first", "second"]);
  });
});

describe("holdfast sim", () => {
  it("the replay command is understood and means the same run", () => {
    const options = {
      seed: 9,
      hours: 0.02,
      nodes: 3,
      version: 3,
      intervalMillis: 100,
      gates: true,
      nopreempt: false,
    } as const;
    const words = replayCommand(options).split(" ").slice(2);
    const read = readOptions(words);
    expect(read).not.toBeNull();
    if (read !== null) expect(drawSetup(read)).toMatchObject(drawSetup(options));
  });

  it("wrong words are named", () => {
    expect(() => readOptions(["--nodes", "1"])).toThrow("--nodes 1: give a whole number from 2 to 6");
    expect(() => readOptions(["--interval", "300", "--vrrp-version", "2"])).toThrow("version 2 counts whole seconds");
    expect(() => readOptions(["--frobnicate"])).toThrow("--frobnicate");
  });

  it("runs a range of seeds, reports progress and speed, and exits 0", async () => {
    const lines: string[] = [];
    const progress: string[] = [];
    const io = {
      out: (line: string) => lines.push(line),
      progress: (text: string) => progress.push(text),
      millis: () => 0,
    };
    expect(await runSimCommand({ seed: 1, runs: 2, hours: 0.01 }, io)).toBe(0);
    expect(progress).toContain("2 of 2 seeds, 0.0 simulated hours");
    expect(lines.at(-1)).toContain("2 seeds, 0.02 simulated hours");
    expect(lines.at(-1)).toContain("simulated hours per second");
  });
});
