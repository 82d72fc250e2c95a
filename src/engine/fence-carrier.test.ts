import { beforeEach, expect, test } from "vitest";
import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, instant, millis, seconds } from "../core/lib/units.ts";
import { type FromKeeper, NO_STANDINGS } from "../core/link/messages.ts";
import type { FenceEntry } from "../core/nftables/fence.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith, virtualAddress } from "../core/vrrp/example-config.ts";
import { encodeAdvert } from "../core/vrrp/packet.ts";
import type { KernelError } from "../ports/network.ts";
import { stagePorts } from "./stage-ports.ts";
import { createVrrpEngine, type VrrpEngine } from "./vrrp-engine.ts";

const VIP = "192.0.2.100" as IpAddress;
const SPAN = seconds(2.98);
const OWN = { interfaceIndex: 1, prefixLength: 32, secondary: false, tentative: false, validSeconds: null };

/** As the kernel has it: addresses behind the fence, and when each closes. */
let fence: Map<string, number>;
let log: string[];
let now: Instant;
let refused: KernelError | null;
/** What happens between the reading of the clock and the kernel's work. */
let beforeWrite: () => void;
let sendFails: (slot: number) => boolean;
/** Addresses that were open when everything was made afresh. */
let reopened: string[];
let held: Set<IpAddress>;
let sent: FromKeeper[];
let engine: VrrpEngine;

const close = ({ openMillis }: FenceEntry): number => now + openMillis * 1_000;

beforeEach(() => {
  fence = new Map();
  log = [];
  now = instant(1_000_000_000);
  refused = null;
  beforeWrite = () => undefined;
  sendFails = () => false;
  reopened = [];
  held = new Set();
  sent = [];
  const ports = stagePorts();
  const queued: number[] = [];
  engine = createVrrpEngine({
    ...ports,
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: (message) => sent.push(message),
    adverts: {
      ...ports.adverts,
      queue: (slot) => queued.push(slot),
      flush() {
        log.push(...queued.map((slot) => (slot % 2 === 0 ? "advert" : "resign")));
        const slots = queued.splice(0);
        return slots.filter(sendFails).map((slot) => ({ slot, error: { errno: "ENOBUFS", what: "send" } }));
      },
    },
    kernel: {
      ...ports.kernel,
      addresses: () => [...ports.kernel.addresses(), ...[...held].map((address) => ({ ...OWN, address }))],
      change(changes) {
        for (const { action, address } of changes) {
          log.push(action);
          if (action === "remove") held.delete(address.address);
          else held.add(address.address);
        }
        return [];
      },
    },
    fence: { set, renew, sweep: () => ["inet holdfast_fence_1"] },
  });
});

function set(entries: readonly FenceEntry[], afresh: boolean): KernelError | null {
  if (refused !== null) return entries.length === 0 ? null : refused;
  const before = fence;
  fence = new Map(entries.map((entry) => [entry.address, (!afresh && before.get(entry.address)) || close(entry)]));
  if (afresh) reopened = [...fence].flatMap(([address, until]) => (until > now ? [address] : []));
  const keys = [...fence.keys()].join();
  if (afresh || keys !== [...before.keys()].join()) log.push(`fence ${keys || "gone"}${afresh ? " afresh" : ""}`);
  return null;
}

function renew(entries: readonly FenceEntry[]): KernelError | null {
  beforeWrite();
  if (refused !== null) return refused;
  if (entries.some(({ address }) => now >= (fence.get(address) ?? 0))) return { errno: "ENOENT", what: "renew" };
  for (const entry of entries) fence.set(entry.address, close(entry));
  log.push("renew");
  return null;
}

const configure = (...changes: readonly Partial<VrrpInstanceConfig>[]): void => {
  const instances = changes.map((some) =>
    configWith({ version: 3, advertInterval: seconds(1), fenceSpan: SPAN, ...some }),
  );
  engine.handleControl({ type: "configure", serial: 1, instances, host: PLAIN_HOST });
};

function becomeMaster(changes: Partial<VrrpInstanceConfig> = {}): void {
  configure({ advertised: [virtualAddress(VIP)], ...changes });
  engine.handleControl({ type: "standings", standings: NO_STANDINGS, succeeded: [] });
  wakeAt(engine.nextDeadline());
}

function wakeAt(at: Instant | null): void {
  if (at === null) throw new Error("nothing is due");
  now = at;
  engine.wake();
}

function status() {
  engine.handleControl({ type: "status", id: 1 });
  const answer = sent.findLast((message) => message.type === "status");
  return answer?.type === "status" ? answer.instances[0] : undefined;
}

const events = () => sent.flatMap((message) => (message.type === "event" ? [message.body] : []));

test("the fence stands before the address appears, and an advert that has left moves its end on", () => {
  becomeMaster();
  expect(log).toEqual(["advert", `fence ${VIP}`, "add"]);
  expect(fence.get(VIP)).toBeLessThanOrEqual(now + SPAN);
  // Counted from the next advert, which may be up to a sixteenth of the interval early.
  expect(fence.get(VIP)).toBeGreaterThan(now + SPAN - 62_500);
  log = [];
  wakeAt(engine.nextDeadline());
  expect(log).toEqual(["advert", "renew"]);
  expect(fence.get(VIP)).toBe(now + SPAN);
  expect(status()).toMatchObject({ state: "MASTER", fenceUntil: now + SPAN });
});

test("an advert that could not be sent moves nothing: the peers have not heard it", () => {
  becomeMaster();
  const end = fence.get(VIP);
  sendFails = () => true;
  wakeAt(engine.nextDeadline());
  expect(log).not.toContain("renew");
  expect(fence.get(VIP)).toBe(end);
});

test("an orderly stop takes the fence away after the address", () => {
  becomeMaster();
  log = [];
  engine.handleControl({ type: "stop" });
  expect(log).toEqual(["remove", "resign", "fence gone"]);
});

test("beaten and MASTER again before anybody has looked at the fence: it has the time of the new mastership", () => {
  becomeMaster();
  const config = configWith({ version: 3, advertInterval: seconds(1), advertised: [virtualAddress(VIP)] });
  const rival = { source: "192.0.2.2" as IpAddress, destination: "224.0.0.18" as IpAddress, priority: 200 };
  engine.handlePacket({ interfaceIndex: 1, packet: encodeAdvert(config, rival), header: null, truncated: false });
  expect(held.size).toBe(0);
  wakeAt(engine.nextDeadline());
  expect([...held]).toEqual([VIP]);
  expect(fence.get(VIP)).toBeGreaterThan(now + SPAN - 62_500);
});

test("a reload that removes the keyword takes the fence away, one that adds it raises it from the last advert", () => {
  becomeMaster();
  wakeAt(engine.nextDeadline());
  const advertAt = now;
  configure({ advertised: [virtualAddress(VIP)], fenceSpan: null });
  expect(log.at(-1)).toBe("fence gone");
  expect(status()).toMatchObject({ state: "MASTER", fenceUntil: null });
  now = instant(now + 400_000);
  configure({ advertised: [virtualAddress(VIP)] });
  expect(log.at(-1)).toBe(`fence ${VIP}`);
  expect(fence.get(VIP)).toBeLessThanOrEqual(advertAt + SPAN);
  expect(fence.get(VIP)).toBeGreaterThan(advertAt + SPAN - 70_000);
});

test("woken after the fence has closed: it is not opened again, the instance runs for election", () => {
  becomeMaster();
  const end = fence.get(VIP) ?? 0;
  // The peers of a high priority would wait a little longer than that.
  wakeAt(instant(end + 1_000));
  expect(log).not.toContain("renew");
  expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "fence-closed" } });
  expect(fence.size).toBe(0);
});

test("stopped between clock and kernel until the fence had closed: the renewal fails as a whole", () => {
  becomeMaster();
  const end = fence.get(VIP) ?? 0;
  beforeWrite = () => {
    now = instant(end + 500_000);
  };
  wakeAt(engine.nextDeadline());
  expect(log).not.toContain("renew");
  expect(log).not.toContain(`fence ${VIP} afresh`);
  expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "fence-closed" } });
});

test("one fence closes while several are renewed: only the others are made afresh", () => {
  const other = "192.0.2.101" as IpAddress;
  const second = { name: "VI_83", virtualRouterId: 83, advertised: [virtualAddress(other)] };
  configure({ advertised: [virtualAddress(VIP)] }, second);
  engine.handleControl({ type: "standings", standings: NO_STANDINGS, succeeded: [] });
  wakeAt(engine.nextDeadline());
  expect([...held]).toEqual([VIP, other]);
  sendFails = (slot) => slot === 0;
  wakeAt(engine.nextDeadline());
  sendFails = () => false;
  const end = fence.get(VIP) ?? 0;
  beforeWrite = () => {
    now = instant(Math.max(now, end));
  };
  expect(engine.nextDeadline()).toBeLessThan(end);
  wakeAt(engine.nextDeadline());
  expect(reopened).toEqual([other]);
  expect([...held]).toEqual([other]);
});

test("stopped between clock and kernel for a moment: the time is written again, no longer than it was meant", () => {
  becomeMaster();
  beforeWrite = () => {
    now = instant(now + 900_000);
    beforeWrite = () => undefined;
  };
  const due = engine.nextDeadline() ?? now;
  wakeAt(due);
  expect(log.filter((text) => text === "renew")).toHaveLength(2);
  expect(fence.get(VIP)).toBe(due + SPAN);
});

test("tables that somebody took away are set again with the next advert, or as soon as they are missed", () => {
  becomeMaster();
  fence.clear();
  wakeAt(engine.nextDeadline());
  expect(log.at(-1)).toBe(`fence ${VIP} afresh`);
  expect(fence.get(VIP)).toBe(now + SPAN);
  expect(events()).toContainEqual({ kind: "firewall", action: "fence-restored", detail: "" });
  fence.clear();
  now = instant(now + 300_000);
  engine.handleFirewallTouched("fence");
  expect(fence.size).toBe(0);
  wakeAt(instant(now + 700_000));
  expect(fence.get(VIP)).toBeGreaterThan(now);
  expect(status()).toMatchObject({ state: "MASTER" });
});

test("a fence that cannot be renewed ends the mastership when it has closed, one that cannot be raised lets no address come", () => {
  becomeMaster();
  refused = { errno: "EPERM", what: "renew the fence" };
  wakeAt(engine.nextDeadline());
  wakeAt(engine.nextDeadline());
  expect(status()).toMatchObject({ state: "MASTER" });
  wakeAt(engine.nextDeadline());
  expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "fence-closed" } });
  log = [];
  wakeAt(engine.nextDeadline());
  expect(log).not.toContain("add");
  expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "address-refused", address: VIP }] });
  expect(events().filter((body) => body.kind === "firewall" && body.action === "fence-failed")).toHaveLength(1);
});

test("what a quorum store grants bounds the fence to the microsecond", () => {
  becomeMaster();
  const until = instant(now + 2_300_000);
  engine.handleControl({ type: "permit", instance: "VI_82", until });
  wakeAt(engine.nextDeadline());
  expect(fence.get(VIP)).toBe(until);
});

test("left-over tables go once, after the left-over addresses; without the keyword nothing else is done", () => {
  becomeMaster({ fenceSpan: null });
  wakeAt(engine.nextDeadline());
  expect(log.filter((text) => text.startsWith("fence") || text === "renew")).toEqual([]);
  const swept = events().filter((body) => body.kind === "firewall");
  expect(swept).toEqual([{ kind: "firewall", action: "swept", detail: "inet holdfast_fence_1" }]);
});

test("time passes without adverts for as long as the kernel's clock says: nothing here moves it", () => {
  becomeMaster();
  const end = fence.get(VIP);
  now = instant(now + millis(900));
  engine.wake();
  expect(fence.get(VIP)).toBe(end);
});
