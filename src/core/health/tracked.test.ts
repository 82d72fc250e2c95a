import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, type Micros, micros, seconds } from "../lib/units.ts";
import { fileValue } from "./tracked-file.ts";
import { countProcesses, matchesProcess, type ProcessCount, type Quorum, UNCOUNTED } from "./tracked-process.ts";

describe("the number in a file", () => {
  it.each([
    ["7", 7],
    ["-20\n", -20],
    ["  +3 and more", 3],
    ["0x10", 16],
    ["010", 8],
    ["08", 0],
    ["1000", 254],
    ["-1000", -254],
    ["", 0],
    ["none", 0],
    [null, 0],
  ])("%j is %d", (text, value) => expect(fileValue(text)).toBe(value));

  it("is whole and within the limits, whatever the file holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = fileValue(text);
        expect(Number.isInteger(value) && Math.abs(value) <= 254).toBe(true);
      }),
    );
  });
});

describe("which processes match", () => {
  const pattern = (argv: string[], changes = {}) => ({ argv, paramMatch: null, fullCommand: false, ...changes });
  const haproxy = { comm: "haproxy", argv: ["/usr/sbin/haproxy", "-f", "/etc/haproxy.cfg"] };

  it("a bare name is compared with the process's name, which the kernel cuts at 15 characters", () => {
    expect(matchesProcess(pattern(["haproxy"]), haproxy)).toBe(true);
    expect(matchesProcess(pattern(["hap"]), haproxy)).toBe(false);
    const long = { comm: "a-very-long-pro", argv: ["x"] };
    expect(matchesProcess(pattern(["a-very-long-program"]), long)).toBe(true);
  });

  it("with parameters, or full_command, the command line is compared", () => {
    expect(matchesProcess(pattern(["haproxy"], { fullCommand: true }), haproxy)).toBe(false);
    expect(matchesProcess(pattern(["/usr/sbin/haproxy", "-f", "/etc/haproxy.cfg"]), haproxy)).toBe(true);
    expect(matchesProcess(pattern(["/usr/sbin/haproxy", "-f"]), haproxy)).toBe(false);
  });

  it("param_match partial allows more parameters, initial a longer last one", () => {
    const partial = { paramMatch: "partial" };
    const initial = { paramMatch: "initial" };
    expect(matchesProcess(pattern(["/usr/sbin/haproxy", "-f"], partial), haproxy)).toBe(true);
    expect(matchesProcess(pattern(["/usr/sbin/haproxy", "-f", "/etc"], partial), haproxy)).toBe(false);
    expect(matchesProcess(pattern(["/usr/sbin/haproxy", "-f", "/etc"], initial), haproxy)).toBe(true);
    expect(matchesProcess(pattern(["/usr/sbin/haproxy"], partial), haproxy), "no parameters wanted").toBe(false);
  });
});

describe("a quorum of processes", () => {
  const quorum = (changes: Partial<Quorum> = {}): Quorum => ({
    least: 1,
    most: null,
    forkDelay: micros(0),
    terminateDelay: micros(0),
    ...changes,
  });
  const at = (second: number) => instant(second * 1_000_000);
  const run = (rule: Quorum, counts: readonly (readonly [number, number])[]): ProcessCount =>
    counts.reduce((state, [second, count]) => countProcesses(rule, state, count, at(second)), UNCOUNTED);

  it("the first count means at once what it means", () => {
    const slow = quorum({ forkDelay: seconds(5), terminateDelay: seconds(5) });
    expect(run(slow, [[0, 0]]).fulfilled).toBe(false);
    expect(run(slow, [[0, 2]]).fulfilled).toBe(true);
  });

  it("too many are as bad as too few", () => {
    const rule = quorum({ least: 1, most: 2 });
    expect([0, 1, 2, 3].map((count) => run(rule, [[0, count]]).fulfilled)).toEqual([false, true, true, false]);
    expect(run(quorum({ least: 0, most: 0 }), [[0, 0]]).fulfilled).toBe(true);
  });

  it("a loss waits for terminate_delay, a gain for fork_delay", () => {
    const rule = quorum({ forkDelay: seconds(2), terminateDelay: seconds(4) });
    const lost = run(rule, [
      [0, 1],
      [10, 0],
    ]);
    expect(lost).toEqual({ count: 0, fulfilled: true, changesAt: at(14) });
    expect(countProcesses(rule, lost, 0, at(14)).fulfilled).toBe(false);
    const gained = run(rule, [
      [0, 0],
      [10, 1],
    ]);
    expect(gained.changesAt).toBe(at(12));
  });

  it("what changes back within its delay never happened", () => {
    const rule = quorum({ forkDelay: 0 as Micros, terminateDelay: seconds(4) });
    const back = run(rule, [
      [0, 1],
      [10, 0],
      [12, 1],
    ]);
    expect(back).toEqual({ count: 1, fulfilled: true, changesAt: null });
  });
});
