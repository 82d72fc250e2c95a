/** Many virtual interfaces at once: the kernel takes milliseconds for each, and who is MASTER goes on advertising meanwhile. */
import { beforeEach, expect, test } from "vitest";

import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, instant } from "../core/lib/units.ts";
import type { FromKeeper } from "../core/link/messages.ts";
import type { InterfaceAddress, Link } from "../ports/network.ts";
import type { VrrpEngine } from "./engine-interface.ts";
import { IDLE_FENCE, IDLE_ROUTING, IDLE_SETTINGS } from "./idle-ports.ts";
import { configOf } from "./testing/configs.ts";
import { createVrrpEngine } from "./vrrp-engine.ts";

const INTERVAL = 100_000;
/** What one interface costs: to make, and to remove together with others. */
const MAKING = 3_000;
const REMOVING = 4_000;
/** No more than this is made or removed in one wake-up. */
const SLICE = 8;
const MANY = 200;

let now: Instant;
let links: Link[];
let engine: VrrpEngine;
let sent: FromKeeper[];
let touched: number;
let held: Map<string, InterfaceAddress>;
let refused: ReadonlySet<string>;
let attempts: number;
/** Slots whose adverts left, and when. */
let adverts: { readonly slot: number; readonly at: number }[];

const pass = (micros: number): void => {
  now = instant(now + micros);
};
const own = (interfaceIndex: number, address: string): InterfaceAddress => ({
  interfaceIndex,
  address: address as IpAddress,
  prefixLength: 32,
  secondary: false,
  tentative: false,
  validSeconds: null,
});
const isVirtual = ({ name }: Link): boolean => name.startsWith("vrrp.");

beforeEach(() => {
  now = instant(1_000_000_000);
  links = [{ index: 7, name: "eth0", usable: true, mac: new Uint8Array(6), mtu: 1500 }];
  sent = [];
  touched = 0;
  attempts = 0;
  held = new Map();
  refused = new Set();
  adverts = [];
  let queued: number[] = [];
  let index = 100;
  engine = createVrrpEngine({
    pid: 1,
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: (message) => void sent.push(message),
    announce: { announce: (_link, addresses, repeat) => ({ frames: addresses.length * repeat, error: null }) },
    adverts: {
      open: () => ({ ok: true, value: undefined }),
      close: () => undefined,
      listen: () => undefined,
      prepare: () => undefined,
      forget: () => undefined,
      queue: (slot) => void queued.push(slot),
      flush() {
        adverts.push(...queued.map((slot) => ({ slot, at: now as number })));
        queued = [];
        return [];
      },
    },
    kernel: {
      links: () => [...links],
      addresses: () => [own(7, "192.0.2.1"), ...held.values()],
      change(changes) {
        for (const { action, interfaceIndex, address } of changes) {
          if (action === "remove") held.delete(address.address);
          else held.set(address.address, own(interfaceIndex, address.address));
        }
        return [];
      },
    },
    routing: IDLE_ROUTING,
    settings: IDLE_SETTINGS,
    virtualInterfaces: {
      look: () => undefined,
      ensure({ name }) {
        attempts++;
        if (refused.has(name)) return { ok: false, error: { errno: "EEXIST", what: `create ${name}` } };
        touched++;
        pass(MAKING);
        links.push({ index: index++, name, usable: true, mac: new Uint8Array(6), mtu: 1500 });
        return { ok: true, value: "made" };
      },
      removeAllBut(wanted, most) {
        const gone = links.filter((link) => isVirtual(link) && !wanted.has(link.name)).slice(0, most);
        touched += gone.length;
        pass(gone.length * REMOVING);
        links = links.filter((link) => !gone.includes(link));
        return gone.map(({ name }) => name);
      },
      silenceLocalReports: () => undefined,
    },
    firewall: { apply: () => null, sweep: () => [] },
    fence: IDLE_FENCE,
    conflicts: { watch: () => undefined },
  });
});

const instance = (id: number, lines: string): string => `vrrp_instance V${id} {
  interface eth0
  version 3
  advert_int 0.1
  virtual_router_id ${id}
  ${lines}
  virtual_ipaddress {
    192.0.2.${id}
  }
}
`;
const MASTER = instance(2, "");
const FLOCK = Array.from({ length: MANY }, (_, position) => instance(position + 3, "use_vmac")).join("");

function configure(text: string): void {
  const { instances, host } = configOf(text);
  engine.handleControl({ type: "configure", serial: 1, instances: instances.map(({ vrrp }) => vrrp), host });
}

/** Wakes when something is due; the most that one wake-up has made or removed. */
function runFor(micros: number, done: () => boolean = () => false): number {
  const end = now + micros;
  let most = 0;
  while (now < end && !done()) {
    now = instant(Math.max(now, Math.min(engine.nextDeadline() ?? end, end)));
    touched = 0;
    engine.wake();
    most = Math.max(most, touched);
  }
  return most;
}

function longestPause(): number {
  const own = adverts.filter(({ slot }) => slot === 0);
  return Math.max(...own.slice(1).map(({ at }, position) => at - (own[position]?.at ?? 0)));
}

const phases = (): readonly string[] => {
  engine.handleControl({ type: "status", id: 1 });
  const status = sent.findLast((message) => message.type === "status");
  return status?.type === "status" ? status.instances.map(({ phase }) => phase) : [];
};

test("a reload that adds 200: adverts of the MASTER stay due, the new ones wait in INIT, then all serve", () => {
  configure(MASTER);
  runFor(2_000_000);
  adverts = [];
  touched = 0;
  configure(MASTER + FLOCK);
  expect(touched).toBeLessThanOrEqual(SLICE);
  expect(phases()[0]).toBe("MASTER");
  expect(phases().at(-1)).toBe("INIT");
  expect(runFor(5_000_000)).toBeLessThanOrEqual(SLICE);
  expect(links.filter(isVirtual)).toHaveLength(MANY);
  expect(longestPause()).toBeLessThanOrEqual(INTERVAL + SLICE * MAKING);
  expect(new Set(phases())).toEqual(new Set(["MASTER"]));
  const faults = sent.filter((message) => JSON.stringify(message).includes('"to":"FAULT"'));
  expect(faults).toEqual([]);
});

test("a reload that removes 200 keeps the MASTER's time; a stop removes all before it says so", () => {
  configure(MASTER + FLOCK);
  runFor(5_000_000);
  adverts = [];
  touched = 0;
  configure(MASTER);
  expect(touched).toBeLessThanOrEqual(SLICE);
  expect(runFor(2_000_000)).toBeLessThanOrEqual(SLICE);
  expect(links.filter(isVirtual)).toEqual([]);
  expect(longestPause()).toBeLessThanOrEqual(INTERVAL + SLICE * REMOVING);

  configure(MASTER + FLOCK);
  runFor(5_000_000);
  sent = [];
  engine.handleControl({ type: "stop" });
  expect(engine.finished).toBe(false);
  expect(runFor(10_000_000, () => engine.finished)).toBeLessThanOrEqual(SLICE);
  expect(links.filter(isVirtual)).toEqual([]);
  expect(sent.filter(({ type }) => type === "stopped")).toHaveLength(1);
  expect(sent.at(-1)).toEqual({ type: "stopped" });
});

test("a stop in the middle of the work makes nothing more", () => {
  configure(MASTER + FLOCK);
  runFor(30_000);
  const before = links.filter(isVirtual).length;
  expect(before).toBeGreaterThan(0);
  engine.handleControl({ type: "stop" });
  runFor(10_000_000, () => engine.finished);
  expect(links.filter(isVirtual)).toEqual([]);
  expect(attempts).toBe(before);
});

test("control is dead: everything is gone when abandon() returns", () => {
  configure(MASTER + FLOCK);
  runFor(5_000_000);
  engine.abandon();
  expect(links.filter(isVirtual)).toEqual([]);
  expect(engine.finished).toBe(true);
});

test("what cannot be made is a fault of its instance, and is not tried again until the kernel changes", () => {
  refused = new Set(Array.from({ length: 20 }, (_, position) => `vrrp.${position + 3}`));
  configure(MASTER + FLOCK);
  runFor(5_000_000);
  expect(attempts).toBe(MANY);
  expect(phases().filter((phase) => phase === "FAULT")).toHaveLength(20);
  refused = new Set();
  engine.handleKernelChange();
  runFor(5_000_000);
  expect(new Set(phases())).toEqual(new Set(["MASTER"]));
});
