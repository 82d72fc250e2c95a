import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mariadbContains, mariadbExtra, mysqlContains, mysqlExtra, parseMysqlSet } from "./gtid.ts";

const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "8f0b1c7e-0000-4000-8000-0123456789ab";

describe("sets of MySQL", () => {
  it.each([
    [`${A}:1-100`, `${A}:1-100`, true],
    [`${A}:1-100`, `${A}:1-101`, false],
    [`${A}:1-49:50-100`, `${A}:40-60`, true],
    [`${A}:1-49:51-100`, `${A}:40-60`, false],
    [`${A}:1-9`, `${A}:1-9,${B}:1`, false],
    [`${A}:1-9,\n${B}:1-3`, `${B}:2`, true],
    [`${A}:1-9`, "", true],
    ["", `${A}:1`, false],
    [A.toUpperCase().concat(":1-9"), `${A}:3`, true],
    [`${A}:1-9:blue:1-5`, `${A}:blue:5`, true],
    [`${A}:1-9`, `${A}:blue:5`, false],
    [`${A}:1-9223372036854775806`, `${A}:9223372036854775806`, true],
    ["nonsense", "nonsense", false],
    [`${A}:1-9`, `${A}:x-9`, false],
  ])("%j holds %j: %s", (held, wanted, answer) => {
    expect(mysqlContains(held, wanted)).toBe(answer);
  });

  it("agree with sets of numbers, however intervals are cut and ordered", () => {
    const number = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number)), fc.array(fc.tuple(number, number)), (held, wanted) => {
        const text = (pairs: readonly (readonly [number, number])[]): string =>
          pairs.length === 0 ? "" : `${A}:${pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).join(":")}`;
        const members = (pairs: readonly (readonly [number, number])[]): ReadonlySet<number> =>
          new Set(
            pairs.flatMap(([a, b]) => Array.from({ length: Math.abs(a - b) + 1 }, (_, at) => Math.min(a, b) + at)),
          );
        const have = members(held);
        expect(mysqlContains(text(held), text(wanted))).toBe([...members(wanted)].every((one) => have.has(one)));
      }),
    );
  });

  it("a text that is no set is none", () => {
    expect(parseMysqlSet("0-1-100")).toBeNull();
    expect(parseMysqlSet(A)).toBeNull();
  });
});

describe("positions of MariaDB", () => {
  const held = { binlogState: "0-1-100,0-2-90,1-3-7", slavePos: "0-1-100" };

  it.each([
    ["0-1-100", true],
    ["0-1-101", false],
    ["0-2-90", true],
    // A higher number of another server is no proof.
    ["0-2-95", false],
    ["0-3-1", false],
    ["0-1-100,1-3-7", true],
    ["0-1-100,1-3-8", false],
    ["2-1-1", false],
    ["", true],
    ["0-1", false],
  ])("%s is held: %s", (position, answer) => {
    expect(mariadbContains(held, position)).toBe(answer);
  });

  it("without log_slave_updates the replicated position counts", () => {
    expect(mariadbContains({ binlogState: "", slavePos: "0-1-100" }, "0-1-100")).toBe(true);
    expect(mariadbContains({ binlogState: "", slavePos: "0-1-99" }, "0-1-100")).toBe(false);
  });
});

describe("what one has too many", () => {
  it.each([
    [`${A}:1-100`, `${A}:1-103,${B}:7`, `${A}:101-103,${B}:7`],
    [`${A}:5-6:9`, `${A}:1-10`, `${A}:1-4:7-8:10`],
    [`${A}:1-9`, `${A}:3-4`, ""],
    ["nonsense", `${A}:1`, null],
  ])("MySQL: beside %j, of %j: %j", (held, wanted, extra) => {
    expect(mysqlExtra(held, wanted)).toBe(extra);
  });

  it("MySQL: held and extra together contain everything, and share nothing", () => {
    const number = fc.integer({ min: 1, max: 30 });
    const set = fc
      .array(fc.tuple(number, number), { minLength: 1 })
      .map((pairs) => `${A}:${pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).join(":")}`);
    fc.assert(
      fc.property(set, set, (held, wanted) => {
        const extra = mysqlExtra(held, wanted) ?? "";
        expect(mysqlContains([held, extra].filter(Boolean).join(","), wanted)).toBe(true);
        expect(mysqlContains(wanted, extra)).toBe(true);
        for (let at = 1; at <= 30; at++) {
          const one = `${A}:${at}`;
          if (extra !== "" && mysqlContains(extra, one)) expect(mysqlContains(held, one)).toBe(false);
        }
      }),
    );
  });

  it("MariaDB: by domain and server, with what is here", () => {
    const held = { binlogState: "0-1-100,0-2-50", slavePos: "0-1-102" };
    expect(mariadbExtra(held, "0-1-105,0-2-50,0-3-7")).toBe("0-1-105 (here 0-1-102), 0-3-7 (here none)");
    expect(mariadbExtra(held, "0-1-102")).toBe("");
    expect(mariadbExtra(held, "nonsense")).toBeNull();
  });
});
