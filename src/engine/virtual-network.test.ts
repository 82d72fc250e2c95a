/** What the engine does for instances that bring interfaces along: in which order, and where it announces. */
import { beforeEach, expect, test } from "vitest";

import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, instant } from "../core/lib/units.ts";
import type { InterfaceAddress, Link } from "../ports/network.ts";
import type { VrrpEngine } from "./engine-interface.ts";
import { IDLE_FENCE, IDLE_ROUTING, IDLE_SETTINGS } from "./idle-ports.ts";
import { configOf } from "./testing/configs.ts";
import { createVrrpEngine } from "./vrrp-engine.ts";

let now: Instant;
let log: string[];
let links: Link[];
let engine: VrrpEngine;

const link = (index: number, name: string): Link => ({ index, name, usable: true, mac: new Uint8Array(6), mtu: 1500 });
const own = (interfaceIndex: number, address: string): InterfaceAddress => ({
  interfaceIndex,
  address: address as IpAddress,
  prefixLength: 24,
  secondary: false,
  tentative: false,
  validSeconds: null,
});

beforeEach(() => {
  now = instant(1_000_000_000);
  log = [];
  links = [link(7, "eth0"), link(8, "eth1")];
  engine = createVrrpEngine({
    pid: 1,
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: () => undefined,
    announce: {
      announce({ name }, addresses, repeat) {
        log.push(`announce on ${name}`);
        return { frames: addresses.length * repeat, error: null };
      },
    },
    adverts: {
      open({ name }) {
        log.push(`join on ${name}`);
        return { ok: true, value: undefined };
      },
      close: () => undefined,
      listen: () => undefined,
      prepare: () => undefined,
      forget: () => undefined,
      queue: () => undefined,
      flush: () => [],
    },
    kernel: {
      links: () => links,
      addresses: () => [own(7, "192.0.2.1"), own(8, "198.51.100.1")],
      change: () => [],
    },
    routing: IDLE_ROUTING,
    settings: IDLE_SETTINGS,
    virtualInterfaces: {
      look: () => undefined,
      ensure({ name }) {
        log.push(`make ${name}`);
        links = [...links, link(40 + links.length, name)];
        return { ok: true, value: "made" };
      },
      removeAllBut: () => [],
      silenceLocalReports: () => undefined,
    },
    firewall: {
      apply(_settings, { virtual }) {
        log.push(`reports of ${virtual.map(({ index }) => links.find((each) => each.index === index)?.name)} moved`);
        return null;
      },
      sweep: () => [],
    },
    fence: IDLE_FENCE,
    conflicts: { watch: () => undefined },
  });
});

function start(lines: string): void {
  const text = `vrrp_instance V {
  interface eth0
  virtual_router_id 51
  ${lines}
  virtual_ipaddress {
    192.0.2.100
    198.51.100.100 dev eth1
  }
}`;
  const { instances, host } = configOf(text);
  engine.handleControl({ type: "configure", serial: 1, instances: instances.map(({ vrrp }) => vrrp), host });
}

/** Where is announced in the periods that follow the announcements of a takeover. */
function announcedLater(lines: string): readonly string[] {
  start(lines);
  const [settled, end] = [now + 20_000_000, now + 60_000_000];
  while (now < end) {
    if (now < settled) log = [];
    now = engine.nextDeadline() ?? instant(end);
    engine.wake();
  }
  return [...new Set(log.filter((line) => line.startsWith("announce")))].sort();
}

test("what the kernel reports of a group is moved off the virtual MAC before a group is joined by it", () => {
  start("use_vmac");
  expect(log).toEqual(["make vrrp.51", "reports of vrrp.51 moved", "join on vrrp.51"]);
});

test("garp_extra_if: virtual interfaces that no advert leaves by; the advert keeps the switch's memory of its own", () => {
  expect(announcedLater("use_vmac\ngarp_extra_if 10")).toEqual([]);
});

test("garp_extra_if: with vmac_xmit_base the virtual MAC is in no advert", () => {
  expect(announcedLater("use_vmac\nvmac_xmit_base\ngarp_extra_if 10")).toEqual(["announce on vrrp.51"]);
});

test("garp_extra_if: use_vmac_addr carries an address on a virtual MAC of another interface", () => {
  expect(announcedLater("use_vmac\nuse_vmac_addr\ngarp_extra_if 10")).toEqual(["announce on vrrp1.51"]);
});

test("garp_extra_if all: every interface but that of the adverts", () => {
  expect(announcedLater("use_vmac\ngarp_extra_if all 10")).toEqual(["announce on eth1"]);
});

test("garp_extra_if without virtual interfaces says nothing", () => {
  expect(announcedLater("garp_extra_if 10")).toEqual([]);
});

test("garp_extra_if all without virtual interfaces: where no advert leaves", () => {
  expect(announcedLater("garp_extra_if all 10")).toEqual(["announce on eth1"]);
});
