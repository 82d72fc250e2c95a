import { expect, test } from "vitest";
import { chooseMaster, comparePositions, latestSlaves, mostAdvanced, unfitFor } from "./election.ts";
import { type Change, replica } from "./testing/servers.ts";

const WISH = { named: null, checkDelay: true, latestPriority: true };
const three = (...changes: readonly Change[]) => changes.map((change, at) => replica(`db${at + 2}`, change));
const winner = (slaves: ReturnType<typeof three>, wish: Partial<typeof WISH> = {}): string => {
  const choice = chooseMaster(slaves, { ...WISH, ...wish });
  return choice.ok ? choice.value.winner.server.hostname : choice.error;
};

test("names of binary logs are compared as numbers", () => {
  const at = (file: string, offset: number) => ({ file, offset });
  expect(comparePositions(at("bin.999999", 4), at("bin.1000000", 4))).toBe(-1);
  expect(comparePositions(at("bin.000002", 4), at("bin.000001", 900))).toBe(1);
  expect(comparePositions(null, at("bin.000001", 4))).toBeLessThan(0);
  expect(comparePositions(at("bin.000001", 4), at("bin.000001", 4))).toBe(0);
});

test("who has received most wins, in the order of the file among equals", () => {
  expect(winner(three({ received: 100 }, { received: 300 }, { received: 300 }))).toBe("db3");
});

test("a candidate wins over fresher servers, a fresh candidate over an older one", () => {
  expect(winner(three({ received: 300 }, { received: 100, candidate: true }, {}))).toBe("db3");
  expect(winner(three({ received: 100, candidate: true }, { received: 300, candidate: true }, {}))).toBe("db3");
});

test("latest_priority=0: the first candidate, else the first server of the file", () => {
  expect(
    winner(three({ received: 100, candidate: true }, { received: 300, candidate: true }, {}), {
      latestPriority: false,
    }),
  ).toBe("db2");
  expect(winner(three({ received: 100 }, { received: 300 }, {}), { latestPriority: false })).toBe("db2");
});

test("no_master, no binary log, a newer version and too much lag (check_repl_delay) exclude", () => {
  const slaves = three({ noMaster: true }, { logBin: false }, { minor: 12 }, { received: 500_000_000, executed: 100 });
  expect(slaves.map((one) => unfitFor(one, slaves, true))).toEqual([
    "no_master is set",
    "its binary log is off",
    expect.stringContaining("older version"),
    expect.stringContaining("too far behind"),
  ]);
  expect(winner(slaves, { checkDelay: false })).toBe("db5");
  expect(winner(three({ noMaster: true }, { logBin: false }))).toContain("None of slaves can be master");
});

test("a master that is asked for must be alive and fit", () => {
  const named = (host: string) => ({ named: { host, port: 3306 } });
  const slaves = three({ received: 300 }, {}, { noMaster: true });
  expect(chooseMaster(slaves, { ...WISH, ...named("db3") })).toMatchObject({ ok: true });
  expect(chooseMaster(slaves, { ...WISH, ...named("db9") })).toMatchObject({
    ok: false,
    error: expect.stringContaining("no replica that is alive"),
  });
  expect(chooseMaster(slaves, { ...WISH, ...named("db4") })).toMatchObject({
    ok: false,
    error: expect.stringContaining("is bad as a new master"),
  });
});

test("others catch up from the one of the freshest that has executed most", () => {
  const slaves = three(
    { received: 300, executed: 100 },
    { received: 300, executed: 200 },
    { received: 100, executed: 100 },
  );
  expect(latestSlaves(slaves).map(({ server }) => server.hostname)).toEqual(["db2", "db3"]);
  expect(mostAdvanced(slaves)?.server.hostname).toBe("db3");
});
