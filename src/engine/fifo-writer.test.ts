import { expect, test } from "vitest";
import type { HostEventBody } from "../core/events/host-events.ts";
import { millis, seconds } from "../core/lib/units.ts";
import { PLAIN_POLICY } from "../ports/spawner.ts";
import { createFifoWriter, QUEUE_LINES } from "./fifo-writer.ts";
import { createFakeFifos } from "./testing/fake-fifos.ts";
import { createFakeSpawner } from "./testing/fake-spawner.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const SPAN = { file: "/k.conf", line: 2, column: 1, length: 1 };
const READER = { argv: ["/reader", "-x"], user: null, group: null, text: "/reader -x", span: SPAN };

function setUp(options: { reader?: boolean; room?: number; problem?: string } = {}) {
  const timers = createVirtualTimers();
  const spawner = createFakeSpawner();
  const fifos = createFakeFifos(options.room);
  fifos.problem = options.problem ?? null;
  const events: HostEventBody[] = [];
  const config = {
    keyword: "notify_fifo" as const,
    path: "/f",
    user: null,
    group: null,
    reader: options.reader ? READER : null,
  };
  const writer = createFifoWriter(
    { timers, spawner, fifos },
    { config, policy: PLAIN_POLICY },
    (body) => void events.push(body),
  );
  const pipe = () => fifos.pipes.get("/f");
  return { timers, spawner, fifos, events, config, writer, pipe };
}

test("a full pipe delays nothing: lines wait, then follow in their order", async () => {
  const { writer, pipe, timers, events } = setUp({ room: 2 });
  for (const line of ["1\n", "2\n", "3\n", "4\n"]) writer.write(line);
  expect(pipe()?.lines).toEqual(["1\n", "2\n"]);
  const reopened = pipe();
  if (reopened) reopened.room = 10;
  await timers.advance(millis(50));
  writer.write("5\n");
  expect(pipe()?.lines.join("")).toBe("1\n2\n3\n4\n5\n");
  expect(events).toEqual([]);
});

test("beyond the queue the loss is told once, and counted when the reader is back", async () => {
  const { writer, pipe, timers, events } = setUp({ room: 0 });
  for (let line = 0; line < QUEUE_LINES + 3; line++) writer.write(`${line}\n`);
  expect(events).toMatchObject([{ kind: "fifo", action: "lost", path: "/f" }]);
  const reopened = pipe();
  if (reopened) reopened.room = 10_000;
  await timers.advance(millis(50));
  expect(pipe()?.lines).toHaveLength(QUEUE_LINES);
  expect(events[1]).toMatchObject({ action: "caught-up", lost: 3 });
});

test("a pipe that cannot be made is told once, tried again, and gets what waited", async () => {
  const { writer, fifos, timers, events, pipe } = setUp({ problem: "it cannot be made (ENOSPC)" });
  writer.write("1\n");
  await timers.advance(seconds(25));
  expect(events).toMatchObject([{ kind: "fifo", action: "failed", detail: "it cannot be made (ENOSPC)" }]);
  fifos.problem = null;
  await timers.advance(seconds(10));
  expect(pipe()?.lines).toEqual(["1\n"]);
});

test("the reader gets the path as last argument, and is started again after 0, 1, 2, 4 s", async () => {
  const { spawner, timers, events } = setUp({ reader: true });
  await timers.advance(millis(1));
  expect(spawner.started[0]?.argv).toEqual(["/reader", "-x", "/f"]);
  for (const pause of [0, 1, 2, 4]) {
    const before = spawner.started.length;
    spawner.running()[0]?.end(1, { stderr: "no such table\n" });
    expect(events.at(-1)).toMatchObject({
      kind: "fifo-reader",
      action: "ended",
      lastError: "no such table",
      restartSeconds: pause,
    });
    if (pause > 0) await timers.advance(seconds(pause - 0.001));
    expect(spawner.started.length).toBe(before);
    await timers.advance(millis(2));
    expect(spawner.started.length).toBe(before + 1);
  }
  await timers.advance(seconds(61));
  spawner.running()[0]?.end(0);
  expect(events.at(-1)).toMatchObject({ restartSeconds: 0 });
});

test("at the end the reader first takes what is written, sees the end of file, and only then gets TERM", async () => {
  const { writer, spawner, timers, pipe } = setUp({ reader: true });
  spawner.obedient = false;
  await timers.advance(millis(1));
  writer.write('INSTANCE "A" STOP 100\n');
  const order: string[] = [];
  void writer.close().then(() => order.push("closed"));
  await timers.advance(millis(500));
  expect(pipe()?.open).toBe(true);
  const full = pipe();
  if (full) full.lines = [];
  await timers.advance(millis(10));
  expect(pipe()?.open).toBe(false);
  await timers.advance(millis(999));
  expect(spawner.started[0]?.signals).toEqual([]);
  await timers.advance(millis(2));
  expect(spawner.started[0]?.signals).toEqual(["SIGTERM"]);
  expect(order).toEqual([]);
  spawner.running()[0]?.end(0);
  await timers.advance(millis(0));
  expect(order).toEqual(["closed"]);
});

test("the same line in the file is the same pipe; another owner or reader is not", () => {
  const { writer, config } = setUp({ reader: true });
  expect(writer.matches({ ...config }, PLAIN_POLICY)).toBe(true);
  const moved = { ...READER, span: { ...SPAN, line: 3 } };
  expect(writer.matches({ ...config, reader: moved }, PLAIN_POLICY)).toBe(true);
  expect(writer.matches({ ...config, user: "nobody" }, PLAIN_POLICY)).toBe(false);
  expect(writer.matches({ ...config, reader: null }, PLAIN_POLICY)).toBe(false);
  expect(writer.matches(config, { ...PLAIN_POLICY, user: "nobody" })).toBe(false);
});
