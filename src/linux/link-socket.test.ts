import { describe, expect, it } from "vitest";
import type { Instant } from "../core/lib/units.ts";
import { createArena } from "./arena.ts";
import { createMonotonicClock } from "./clock.ts";
import { LINE_BYTES_MAX, openLinkSocket, QUEUE_BYTES_MAX } from "./link-socket.ts";
import { createReactor } from "./reactor.ts";
import { createSocketPair } from "./testing/socket-pair.ts";

function setUp() {
  const arena = createArena();
  const reactor = createReactor(arena, createMonotonicClock(arena));
  const pair = createSocketPair(arena);
  const lines: string[] = [];
  const closes: string[] = [];
  const losses: number[] = [];
  const link = openLinkSocket({
    arena,
    reactor,
    descriptor: pair.near,
    onLine: (line) => lines.push(line),
    onClose: (reason) => closes.push(reason),
    onLost: (count) => losses.push(count),
  });
  const look = () => reactor.wait(0 as Instant);
  /** Reads everything at the far end until nothing comes any more. */
  const takeAll = (): string => {
    let all = "";
    for (let text = pair.takeFar(); text !== ""; text = pair.takeFar()) {
      all += text;
      look();
    }
    return all;
  };
  return { pair, link, lines, closes, losses, look, takeAll };
}

describe("reading", () => {
  it("a line that comes in pieces is one line, two that come together are two", () => {
    const { pair, lines, look } = setUp();
    pair.sendFar("one\ntw");
    look();
    expect(lines).toEqual(["one"]);
    pair.sendFar("o\nthree\n");
    look();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  it("a character cut in two by the pieces is whole again", () => {
    const { pair, lines, look } = setUp();
    const bytes = Buffer.from("Adresse für 主\n");
    const inside = bytes.length - 3;
    pair.sendFar(bytes.subarray(0, inside));
    look();
    pair.sendFar(bytes.subarray(inside));
    look();
    expect(lines).toEqual(["Adresse für 主"]);
  });

  it("lines before the end of file are delivered before it is told, once", () => {
    const { pair, lines, closes, look } = setUp();
    pair.sendFar("last\n");
    pair.closeFar();
    look();
    look();
    expect(lines).toEqual(["last"]);
    expect(closes).toEqual(["end of file"]);
  });

  it("a line beyond the bound ends the connection instead of filling the memory", () => {
    const { pair, lines, closes, look } = setUp();
    const piece = "x".repeat(128 * 1024);
    let sent = 0;
    while (closes.length === 0 && sent <= 2 * LINE_BYTES_MAX) {
      sent += Math.max(0, pair.sendFar(piece));
      look();
    }
    expect(closes).toEqual([`a line longer than ${LINE_BYTES_MAX} bytes`]);
    expect(lines).toEqual([]);
  });
});

describe("writing", () => {
  it("lines arrive whole and in order, long ones too", () => {
    const { pair, link, look } = setUp();
    const long = "é".repeat(100_000);
    link.send("first", false);
    link.send(long, false);
    link.send("third", false);
    look();
    expect(pair.takeFar() + pair.takeFar()).toBe(`first\n${long}\nthird\n`);
  });

  it("while control does not read, heartbeats are left out and nothing else", () => {
    const { link, losses, takeAll } = setUp();
    const line = "y".repeat(10_000);
    for (let count = 0; count < 100; count++) {
      link.send(line, false);
      link.send("heartbeat", true);
    }
    const received = takeAll().split("\n");
    expect(received.filter((text) => text === line)).toHaveLength(100);
    expect(received.filter((text) => text === "heartbeat").length).toBeLessThan(100);
    expect(losses).toEqual([]);
    link.send("heartbeat", true);
    expect(takeAll()).toBe("heartbeat\n");
  });

  it("beyond the bound lines are dropped whole, and the number is told when control reads again", () => {
    const { link, losses, takeAll, look } = setUp();
    const line = "z".repeat(100_000);
    const count = Math.ceil(QUEUE_BYTES_MAX / line.length) + 50;
    for (let sent = 0; sent < count; sent++) link.send(line, false);
    const received = takeAll().split("\n");
    look();
    expect(received.pop()).toBe("");
    expect(received.every((text) => text === line)).toBe(true);
    expect(losses).toEqual([count - received.length]);
  });

  it("a closed other end is told, not thrown", () => {
    const { pair, link, closes, look } = setUp();
    pair.closeFar();
    link.send("into the void", false);
    look();
    expect(closes).toHaveLength(1);
    link.send("again", false);
    link.drain();
  });
});
