import { expect, test } from "vitest";
import type { HostEventBody } from "../core/events/host-events.ts";
import { millis, seconds } from "../core/lib/units.ts";
import type { MailOrder } from "../ports/mailer.ts";
import { CLOSE_LIMIT, createMailQueue, QUEUE_MAILS } from "./mail-queue.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const CONFIG = {
  host: "mx",
  port: 25,
  to: ["ops@example.com"],
  from: null,
  helo: null,
  connectTimeout: seconds(30),
  noFaults: false,
};

function setUp() {
  const timers = createVirtualTimers();
  const events: HostEventBody[] = [];
  const orders: MailOrder[] = [];
  const answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const mailer = {
    send: (order: MailOrder) =>
      new Promise<void>((resolve, reject) => {
        orders.push(order);
        answers.push({ resolve, reject });
      }),
  };
  const tools = { timers, mailer, wallMillis: () => 1_700_000_000_000, hostName: "db1" };
  const queue = createMailQueue(tools, (body) => void events.push(body));
  queue.configure(CONFIG);
  const mail = (subject: string) => queue.send({ subject, body: "=> <=" });
  return { timers, events, orders, answers, queue, mail };
}

test("one mail at a time, in order, with the host's name where the file gives none", async () => {
  const { mail, orders, answers, timers, events } = setUp();
  mail("a");
  mail("b");
  expect(orders.map(({ subject }) => subject)).toEqual(["a"]);
  expect(orders[0]).toMatchObject({
    from: "keepalived@db1",
    helo: "db1",
    to: ["ops@example.com"],
    timeoutMillis: 30_000,
  });
  answers[0]?.resolve();
  await timers.advance(millis(1));
  expect(orders.map(({ subject }) => subject)).toEqual(["a", "b"]);
  expect(events).toMatchObject([{ kind: "mail", action: "sent", subject: "a" }]);
});

test("a server that is down is told once; what waits is bounded, and goes out when it is back", async () => {
  const { mail, orders, answers, timers, events } = setUp();
  for (let number = 0; number <= QUEUE_MAILS; number++) mail(`m${number}`);
  expect(events).toMatchObject([{ action: "dropped", subject: `m${QUEUE_MAILS}` }]);
  answers[0]?.reject(new Error("connect ECONNREFUSED"));
  await timers.advance(seconds(5));
  answers[1]?.reject(new Error("connect ECONNREFUSED"));
  await timers.advance(seconds(9));
  expect(orders).toHaveLength(2);
  expect(events.filter((body) => body.kind === "mail" && body.action === "failed")).toHaveLength(1);
  await timers.advance(seconds(1));
  for (let number = 0; number < QUEUE_MAILS; number++) {
    answers[number + 2]?.resolve();
    await timers.advance(millis(1));
  }
  expect(orders.at(-1)?.subject).toBe(`m${QUEUE_MAILS - 1}`);
  expect(events.filter((body) => body.kind === "mail" && body.action === "sent")).toHaveLength(QUEUE_MAILS);
});

test("the stop waits for a mail in progress a bounded time, and not at all for a dead server", async () => {
  const { mail, queue, answers, timers } = setUp();
  mail("a");
  let closed = false;
  void queue.close().then(() => {
    closed = true;
  });
  await timers.advance(millis(CLOSE_LIMIT / 1_000 - 1));
  expect(closed).toBe(false);
  await timers.advance(millis(1));
  expect(closed).toBe(true);
  answers[0]?.reject(new Error("timeout"));
  await timers.advance(millis(1));
  closed = false;
  void queue.close().then(() => {
    closed = true;
  });
  await timers.advance(millis(1));
  expect(closed).toBe(true);
});
