/** What an operator reads after rejoin, skip and fence. */
import { expect, test } from "vitest";
import type { FenceReply, RejoinReply, SkipReply } from "../../control/contract/types.ts";
import { plain, type Terminal } from "../terminal.ts";
import type { CommandContext } from "./context.ts";
import { fenceCommand } from "./fence.ts";
import { rejoinCommand } from "./rejoin.ts";
import { skipCommand } from "./skip.ts";

interface Asked {
  readonly path: string;
  readonly body: unknown;
}

function context(replies: readonly unknown[], ask?: (question: string) => Promise<string>) {
  const written: string[] = [];
  const asked: Asked[] = [];
  const terminal: Terminal = {
    out: (text) => written.push(text),
    err: (text) => written.push(text),
    width: 80,
    isTty: ask !== undefined,
    paint: plain,
    env: {},
    ...(ask === undefined ? {} : { ask }),
  };
  const client = {
    get: () => Promise.reject(new Error("unused")),
    post: async (path: string, body: unknown) => {
      asked.push({ path, body });
      return replies[Math.min(asked.length, replies.length) - 1];
    },
    text: () => Promise.reject(new Error("unused")),
    follow: () => Promise.resolve(),
  } as unknown as CommandContext["client"];
  return { context: { terminal, client, signal: new AbortController().signal }, written, asked };
}

const REJOIN: RejoinReply = {
  api: 1,
  name: "orders",
  writer: "127.0.0.1:3306",
  server: "192.0.2.1:3306",
  compared: [],
  steps: [],
  end: "192.0.2.1:3306 has transactions that 127.0.0.1:3306 lacks: u:8-9",
  extra: {
    what: "u:8-9",
    transactions: 2,
    missing: null,
    file: "/var/lib/holdfast/rejoin/x.sql",
    tables: [{ table: "shop.orders", inserts: 1, updates: 1, deletes: 0, statements: [] }],
  },
  choices: [{ title: "keep them", does: "enters them", loses: "nothing", commands: ["mysql < x.sql"] }],
};

test("a server that is left out: why, what it has, where that is, and the choices", async () => {
  const { context: given, written, asked } = context([REJOIN]);
  const options = { dryRun: false };
  expect(await rejoinCommand(given, { name: "orders", server: undefined }, options)).toBe(1);
  expect(asked[0]?.body).toEqual({ name: "orders", server: null, dryRun: false, accept: null, reseed: false });
  expect(written.join("")).toBe(
    [
      "192.0.2.1:3306 is not attached: 192.0.2.1:3306 has transactions that 127.0.0.1:3306 lacks: u:8-9.",
      "",
      "It has 2 transactions too many: u:8-9",
      "  shop.orders: rows 1 inserted, 1 updated",
      "They are in /var/lib/holdfast/rejoin/x.sql",
      "",
      "Nothing of this happens by itself:",
      "  1. keep them",
      "     does:  enters them",
      "     loses: nothing",
      "       mysql < x.sql",
      "",
    ].join("\n"),
  );
});

test("one transaction is one", async () => {
  const extra = REJOIN.extra === null ? null : { ...REJOIN.extra, what: "u:9", transactions: 1 };
  const { context: given, written } = context([{ ...REJOIN, extra }]);
  await rejoinCommand(given, { name: "orders", server: undefined }, { dryRun: false });
  expect(written.join("")).toContain("It has 1 transaction too many: u:9\n");
});

test("a dry run and an accepted extra contradict each other", async () => {
  const { context: given, asked } = context([REJOIN]);
  const options = { dryRun: true, acceptExtra: "u:8-9" };
  await expect(rejoinCommand(given, { name: "orders", server: undefined }, options)).rejects.toThrow("changes nothing");
  expect(asked).toEqual([]);
});

const SHOWN: SkipReply = {
  api: 1,
  name: "orders",
  server: "127.0.0.1:3306",
  channel: "",
  source: "192.0.2.1:3306",
  sqlError: { number: 1062, text: "Duplicate entry" },
  transaction: "0-1-7",
  events: ["Gtid: BEGIN GTID 0-1-7"],
  statements: ["STOP SLAVE"],
  end: "shown",
};

test.each([
  ["y", 2, 0],
  ["", 1, 1],
])("a transaction is skipped only when the answer is yes (%j)", async (said, questions, code) => {
  const { context: given, written, asked } = context([SHOWN, { ...SHOWN, end: "skipped" }], async () => said);
  expect(await skipCommand(given, { name: "orders", server: undefined }, {})).toBe(code);
  expect(asked).toHaveLength(questions);
  expect(written.join("")).toContain("127.0.0.1:3306 has stopped at 0-1-7 from 192.0.2.1:3306:\n  error 1062");
  if (questions === 2) expect(asked[1]?.body).toMatchObject({ transaction: "0-1-7" });
});

test("without a terminal nothing is skipped, unless --yes says so", async () => {
  const nobody = context([SHOWN]);
  expect(await skipCommand(nobody.context, { name: "orders", server: undefined }, {})).toBe(1);
  expect(nobody.asked).toHaveLength(1);
  expect(nobody.written.at(-1)).toContain("--yes");
  const yes = context([SHOWN, { ...SHOWN, end: "skipped" }]);
  expect(await skipCommand(yes.context, { name: "orders", server: undefined }, { yes: true })).toBe(0);
  expect(yes.written.at(-1)).toBe("Skipped.\n");
});

test("a fence says how it ends, and what it could not do", async () => {
  const reply: FenceReply = { api: 1, name: "orders", since: "2026", closed: true, problem: null };
  const done = context([reply]);
  expect(await fenceCommand(done.context, "orders", {})).toBe(0);
  expect(done.written.join("")).toContain("until `holdfast fence orders --off`");
  const half = context([{ ...reply, problem: "it is still open for writes" }]);
  expect(await fenceCommand(half.context, "orders", {})).toBe(1);
  expect(half.written.join("")).toContain("but it is still open for writes");
});
