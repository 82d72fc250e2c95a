import { expect, test } from "vitest";
import type { IpAddress } from "../core/lib/ip.ts";
import { instant, type Micros, millis } from "../core/lib/units.ts";
import { type AnnouncementSpacing, NO_SPACING } from "../core/routing/host.ts";
import { configWith } from "../core/vrrp/example-config.ts";
import type { Link } from "../ports/network.ts";
import { AnnouncementQueue } from "./announcement-queue.ts";
import { createRuntime, type Runtime } from "./vrrp-runtime.ts";

const ip = (text: string): IpAddress => text as IpAddress;
const link = (index: number): Link => ({ ...({ name: `eth${index}`, index } as Link), usable: true });
const runtime = (slot = 0): Runtime => createRuntime(configWith(), slot, instant(0));
const A = ip("192.0.2.100");
const B = ip("192.0.2.101");
const C = ip("198.51.100.100");

/** A queue on a bench; `sent` lists what went out and after how many milliseconds. */
function bench(spacing: AnnouncementSpacing) {
  let now = 0;
  const sent: string[] = [];
  const queue = new AnnouncementQueue({
    now: () => now,
    announce: (_runtime, { name }, addresses, repeat) =>
      void sent.push(`${now / 1_000} ${name} ${addresses.join(",")}${repeat === 1 ? "" : ` x${repeat}`}`),
  });
  queue.configure(spacing);
  const runUntil = (end: number): void => {
    while (queue.deadline <= end * 1_000) {
      now = Math.max(now, queue.deadline);
      queue.run();
    }
    now = end * 1_000;
  };
  return { queue, sent, runUntil };
}

const every = (interval: Micros): AnnouncementSpacing => ({ arp: interval, na: interval, groups: [] });

test("without spacing a burst goes at once", () => {
  const { queue, sent } = bench(NO_SPACING);
  queue.send(runtime(), link(0), [A, B], 5);
  expect(sent).toEqual(["0 eth0 192.0.2.100,192.0.2.101 x5"]);
  expect(queue.deadline).toBe(Number.POSITIVE_INFINITY);
});

test("with vrrp_garp_interval 0.1 two interfaces send what keepalived 2.2.7 sends: the first at once, each waiting address once", () => {
  const { queue, sent, runUntil } = bench(every(millis(100)));
  const one = runtime();
  queue.send(one, link(0), [A, B], 5);
  queue.send(one, link(1), [C], 5);
  runUntil(1_000);
  expect(sent).toEqual([
    "0 eth0 192.0.2.100",
    "0 eth1 198.51.100.100",
    "100 eth0 192.0.2.100",
    "100 eth1 198.51.100.100",
    "200 eth0 192.0.2.101",
  ]);
});

test("interfaces of one garp_group share its spacing", () => {
  const groups = [{ arp: millis(50), na: millis(50), interfaces: ["eth0", "eth1"] }];
  const { queue, sent, runUntil } = bench({ ...NO_SPACING, groups });
  queue.send(runtime(), link(0), [A], 1);
  queue.send(runtime(2), link(1), [C], 1);
  queue.send(runtime(4), link(2), [B], 2);
  runUntil(1_000);
  expect(sent).toEqual(["0 eth0 192.0.2.100", "0 eth2 192.0.2.101 x2", "50 eth1 198.51.100.100"]);
});

test("IPv6 has a spacing of its own", () => {
  const { queue, sent } = bench({ ...NO_SPACING, na: millis(50) });
  queue.send(runtime(), link(0), [A, ip("2001:db8::1"), ip("2001:db8::2")], 1);
  expect(sent).toEqual(["0 eth0 192.0.2.100", "0 eth0 2001:db8::1"]);
  expect(queue.deadline).toBe(50_000);
});

test("what an instance no longer holds is not announced", () => {
  const { queue, sent, runUntil } = bench(every(millis(100)));
  const [gone, stays] = [runtime(), runtime(2)];
  queue.send(gone, link(0), [A, B], 1);
  queue.send(stays, link(0), [C], 1);
  queue.forget(gone);
  runUntil(1_000);
  expect(sent).toEqual(["0 eth0 192.0.2.100", "100 eth0 198.51.100.100"]);
});
