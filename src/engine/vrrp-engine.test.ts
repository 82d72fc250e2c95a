/** The engine between fake ports that write down what reaches the kernel and the wire, and in which order. */

import { beforeEach, describe, expect, it, test } from "vitest";
import type { DatabaseStanding } from "../core/database/standing.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, instant, millis, seconds } from "../core/lib/units.ts";
import { type FromKeeper, NO_STANDINGS } from "../core/link/messages.ts";
import type { RouteRecord } from "../core/netlink/routes.ts";
import { type HostConfig, PLAIN_HOST } from "../core/routing/host.ts";
import type { VirtualAddress, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { encodeAdvert } from "../core/vrrp/packet.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { AddressChange, InterfaceAddress, KernelError, Link } from "../ports/network.ts";
import type { RoutingChange, RoutingOutcome } from "../ports/routing.ts";
import { IDLE_FENCE } from "./idle-ports.ts";
import { configOf } from "./testing/configs.ts";
import { createVrrpEngine, type VrrpEngine } from "./vrrp-engine.ts";

const OWN = "192.0.2.1" as IpAddress;
const PEER = "192.0.2.2" as IpAddress;
const VIP = "192.0.2.100" as IpAddress;
const GROUP = "224.0.0.18" as IpAddress;
const LINK: Link = { index: 7, name: "eth0", usable: true, mac: new Uint8Array(6), mtu: 1500 };

const CONFIG = onlyInstance(`vrrp_instance V1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    ${VIP}
  }
}`);

const CONFIG_IPV6 = `vrrp_instance V1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    fe80::51
  }
}`;

function onlyInstance(text: string): VrrpInstanceConfig {
  const [first] = configOf(text).instances;
  if (first === undefined) throw new Error("no instance");
  return first.vrrp;
}

let now: Instant;
let log: string[];
let sent: FromKeeper[];
let links: Link[];
let kernel: InterfaceAddress[];
/** Runs when the batch of adverts leaves: a place to stop the process. */
let onFlush: () => void;
/** Action that the kernel refuses, as it does for an address it has dropped. */
let refuse: AddressChange["action"] | null;
/** What the port was last told to listen for. */
let refuseVirtual: boolean;
let watched: string[];
let watchedMacs: string[];
/** Routes and rules of the kernel, by their lines; and the error it answers an addition with. */
let routing: string[];
let routingErrno: string | null;
let settings: Map<string, string>;
let engine: VrrpEngine;

beforeEach(() => {
  refuseVirtual = false;
  now = instant(1_000_000_000);
  log = [];
  sent = [];
  links = [LINK];
  kernel = [
    { interfaceIndex: 7, address: OWN, prefixLength: 24, secondary: false, tentative: false, validSeconds: null },
  ];
  onFlush = () => undefined;
  refuse = null;
  watched = [];
  watchedMacs = [];
  routing = [];
  routingErrno = null;
  settings = new Map();
  engine = createVrrpEngine({
    pid: 1,
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: (message) => sent.push(message),
    announce: {
      announce(_link, addresses, repeat) {
        log.push(`announce ${addresses.join()} x${repeat}`);
        return { frames: addresses.length * repeat, error: null };
      },
    },
    adverts: {
      open: () => ({ ok: true, value: undefined }),
      close: () => undefined,
      listen: () => undefined,
      prepare: () => undefined,
      forget: () => undefined,
      queue: (slot) => log.push(slot % 2 === 0 ? "advert" : "resign"),
      flush: () => {
        onFlush();
        return [];
      },
    },
    kernel: { links: () => links, addresses: () => kernel, change: applyChanges },
    routing: { apply: applyRouting },
    settings: {
      read: (device, name) => settings.get(`${device} ${name}`) ?? "0",
      write(device, name, value) {
        settings.set(`${device} ${name}`, value);
        return null;
      },
    },
    virtualInterfaces: {
      look: () => undefined,
      ensure({ name, base, mac }) {
        if (refuseVirtual)
          return { ok: false, error: { errno: "EOPNOTSUPP", what: `create macvlan ${name} on ${base}` } };
        log.push(`make ${name}`);
        links = [...links, { index: 50, name, usable: true, mac: Uint8Array.from(mac ?? []), mtu: 1500 }];
        return { ok: true, value: "made" };
      },
      removeAllBut(wanted) {
        const gone = links.filter(({ name }) => name.startsWith("vrrp.") && !wanted.has(name));
        links = links.filter((link) => !gone.includes(link));
        for (const { name } of gone) log.push(`unmake ${name}`);
        return gone.map(({ name }) => name);
      },
      silenceLocalReports: () => undefined,
    },
    firewall: {
      apply(_settings, { closed, virtual }, afresh) {
        const parts = [
          ...closed.map(({ address }) => address),
          ...virtual.map(({ index, base }) => `${index}>${base}`),
        ];
        log.push(`rules ${parts.join()}${afresh ? " afresh" : ""}`);
        return null;
      },
      sweep: () => [],
    },
    fence: IDLE_FENCE,
    conflicts: {
      watch(held, ownMacs) {
        watched = held.map(({ interfaceIndex, addresses }) => `${interfaceIndex} ${[...addresses].join()}`);
        watchedMacs = [...ownMacs];
      },
    },
  });
});

function applyChanges(changes: readonly AddressChange[]): { change: AddressChange; error: KernelError }[] {
  const refused = changes.filter(({ action }) => action === refuse);
  for (const { action, address, interfaceIndex } of changes) {
    if (action === refuse) continue;
    log.push(`${action} ${address.address}`);
    if (action === "renew") continue;
    kernel = kernel.filter((entry) => entry.address !== address.address);
    if (action === "add") {
      kernel.push({
        interfaceIndex,
        address: address.address,
        prefixLength: address.prefixLength,
        secondary: false,
        tentative: false,
        validSeconds: null,
      });
    }
  }
  return refused.map((change) => ({ change, error: { errno: "EADDRNOTAVAIL", what: `${change.action} ${VIP}` } }));
}

/** The routing table as texts; what is in it already is no change. */
function applyRouting(changes: readonly RoutingChange[]): readonly RoutingOutcome[] {
  return changes.map((change) => {
    const { action, object } = change;
    const text = `${object.kind} ${object.kind === "route" ? object.route.text : object.rule.text}`;
    if (routingErrno !== null && action === "add") {
      return { change, result: "failed", error: { errno: routingErrno, what: `add ${text}` } };
    }
    const wasSo = routing.includes(text) === (action === "add");
    if (!wasSo) log.push(`${action} ${text}`);
    routing = routing.filter((one) => one !== text);
    if (action === "add") routing.push(text);
    return { change, result: wasSo ? "was-so" : "done", error: null };
  });
}

function start(config: Partial<VrrpInstanceConfig> = {}, host: HostConfig = PLAIN_HOST): void {
  engine.handleControl({ type: "configure", serial: 1, instances: [{ ...CONFIG, ...config }], host });
}

function wakeAt(at: Instant): void {
  now = at;
  engine.wake();
}

/** Sleeps through Master_Down_Interval. */
function becomeMaster(): void {
  const deadline = engine.nextDeadline();
  expect(deadline).not.toBe(null);
  wakeAt(deadline as Instant);
  expect(status().state).toBe("MASTER");
}

function status(): VrrpInstanceStatus {
  engine.handleControl({ type: "status", id: 1 });
  const answer = sent.findLast((message) => message.type === "status");
  const first = answer?.type === "status" ? answer.instances[0] : undefined;
  if (first === undefined) throw new Error("no status");
  return first;
}

function hearAdvert(priority: number): void {
  const packet = encodeAdvert(CONFIG, { source: PEER, destination: GROUP, priority });
  engine.handlePacket({ interfaceIndex: 7, packet, header: null, truncated: false });
}

test("a new MASTER sends its advert first, then takes the address, then announces it", () => {
  start();
  becomeMaster();
  expect(log).toEqual(["advert", `add ${VIP}`, `announce ${VIP} x5`]);
  expect(status().holding).toBe(true);
});

test("the lease is renewed before the advert, in the same wake-up", () => {
  start();
  becomeMaster();
  log.length = 0;
  wakeAt(engine.nextDeadline() as Instant);
  expect(log).toEqual([`renew ${VIP}`, "advert"]);
});

test("a stop removes the address before priority 0 is said, and the engine is finished", () => {
  start();
  becomeMaster();
  log.length = 0;
  engine.handleControl({ type: "stop" });
  expect(log).toEqual([`remove ${VIP}`, "resign"]);
  expect(engine.finished).toBe(true);
  expect(sent.at(-1)).toEqual({ type: "stopped" });
});

test("an address found at the start is removed before anything is said", () => {
  kernel.push({
    interfaceIndex: 7,
    address: VIP,
    prefixLength: 24,
    secondary: false,
    tentative: false,
    validSeconds: null,
  });
  start();
  expect(log).toEqual([`remove ${VIP}`]);
});

test("an address that somebody puts there while we are BACKUP does not stay", () => {
  start();
  kernel.push({
    interfaceIndex: 7,
    address: VIP,
    prefixLength: 32,
    secondary: false,
    tentative: false,
    validSeconds: null,
  });
  engine.handleKernelChange();
  expect(log).toEqual([`remove ${VIP}`]);
});

describe("a source address that the host does not have (yet)", () => {
  const LOCAL = "fe80::1" as IpAddress;
  const ELSEWHERE = "192.0.2.9" as IpAddress;
  const IPV6 = { ...onlyInstance(CONFIG_IPV6), requiresSource: true };
  const own = (changes: Partial<InterfaceAddress>): InterfaceAddress => ({
    interfaceIndex: 7,
    address: LOCAL,
    prefixLength: 64,
    secondary: false,
    tentative: false,
    validSeconds: null,
    ...changes,
  });

  it("is waited for in INIT while duplicate address detection goes on", () => {
    kernel = [own({ tentative: true })];
    start(IPV6);
    expect(status()).toMatchObject({ state: "INIT", faults: [] });
    kernel = [own({})];
    engine.handleKernelChange();
    expect(status().state).toBe("BACKUP");
  });

  it.each([{ tentative: true, duplicate: true } as const, { address: "2001:db8::1" as IpAddress }])(
    "is FAULT when detection found another host, or there is none",
    (changes) => {
      kernel = [own(changes)];
      start(IPV6);
      expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "no-source-address" }] });
    },
  );

  it("is FAULT for whoever has begun, as long as it lasts", () => {
    kernel = [own({})];
    start(IPV6);
    kernel = [own({ tentative: true })];
    engine.handleKernelChange();
    expect(status().state).toBe("FAULT");
    kernel = [own({})];
    engine.handleKernelChange();
    expect(status().state).toBe("BACKUP");
  });

  it("is written into multicast adverts all the same, as keepalived does, unless track_src_ip forbids it", () => {
    start({ sourceAddress: ELSEWHERE });
    expect(status()).toMatchObject({ state: "BACKUP", source: ELSEWHERE });
    becomeMaster();
    engine.handleControl({
      type: "configure",
      serial: 2,
      instances: [{ ...CONFIG, sourceAddress: ELSEWHERE, requiresSource: true }],
      host: PLAIN_HOST,
    });
    expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "no-source-address", wanted: ELSEWHERE }] });
  });
});

test("an address that comes back after it was removed is said to be set by another program", () => {
  start();
  for (const again of [false, true]) {
    kernel.push({
      interfaceIndex: 7,
      address: VIP,
      prefixLength: 32,
      secondary: false,
      tentative: false,
      validSeconds: null,
    });
    engine.handleKernelChange();
    expect(sent.findLast((message) => message.type === "event")).toMatchObject({
      body: { kind: "leftover-removed", again },
    });
  }
});

test("an address that vanished while notifications were lost is noticed when the kernel is read again", () => {
  start();
  becomeMaster();
  kernel = kernel.filter((entry) => entry.address !== VIP);
  engine.handleKernelChange();
  expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "address-removed" } });
});

test("a process stopped between its advert and its addresses does not take them when it comes back", () => {
  start();
  onFlush = () => {
    now = instant(now + 10_000_000);
    onFlush = () => undefined;
  };
  wakeAt(engine.nextDeadline() as Instant);
  expect(log).not.toContain(`add ${VIP}`);
  expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "lease-lost" }, holding: false });
});

test("in FAULT status still names the master that is heard, until it has been silent for Master_Down_Interval", () => {
  start({ trackScripts: [{ key: "check", weight: 0, reverse: false }] });
  engine.handleControl({
    type: "standings",
    standings: { ...NO_STANDINGS, scripts: { check: { kind: "failed" } } },
    succeeded: [],
  });
  hearAdvert(150);
  expect(status()).toMatchObject({ state: "FAULT", master: { source: PEER, priority: 150 } });
  now = instant(now + seconds(4));
  expect(status().master).toBe(null);
});

test("a script that can veto keeps the instance in INIT until it has reported", () => {
  start({ trackScripts: [{ key: "check", weight: 0, reverse: false }] });
  expect(status().state).toBe("INIT");
  engine.handleControl({
    type: "standings",
    standings: { ...NO_STANDINGS, scripts: { check: { kind: "ok" } } },
    succeeded: ["check"],
  });
  expect(status().state).toBe("BACKUP");
});

test("a server that is only unfit takes no MASTER away; the claim and a BACKUP need a fit one", () => {
  const standby = { kind: "lagging", channel: "", seconds: 90, limit: 30 } as const;
  const tell = (standing: DatabaseStanding) =>
    engine.handleControl({
      type: "standings",
      standings: { ...NO_STANDINGS, mysql: { orders: standing } },
      succeeded: [],
    });
  start({ trackMysql: [{ key: "orders", weight: 0, reverse: false }] });
  expect(status().state).toBe("INIT");
  tell({ always: null, standby });
  expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "mysql", key: "orders", trouble: standby }] });
  tell({ always: null, standby: null });
  becomeMaster();
  tell({ always: null, standby });
  expect(status()).toMatchObject({ state: "MASTER", holding: true, faults: [] });
  hearAdvert(150);
  expect(status().state).toBe("BACKUP");
  // Control repeats it at every change of state.
  tell({ always: null, standby });
  expect(status().state).toBe("FAULT");
});

test("control silent for too long releases the address; when it is back the election starts again", () => {
  start();
  becomeMaster();
  log.length = 0;
  engine.controlSilent(2_500);
  expect(log).toEqual([`remove ${VIP}`, "resign"]);
  expect(status().state).toBe("FAULT");
  engine.controlBack();
  expect(status().state).toBe("BACKUP");
});

test("a reload that changes the address list touches only the difference and keeps the role", () => {
  start();
  becomeMaster();
  log.length = 0;
  const second = "192.0.2.101" as IpAddress;
  const [first] = CONFIG.advertised;
  if (first === undefined) throw new Error("no address");
  start({ advertised: [first, { ...first, address: second }] });
  expect(log).toContain(`add ${second}`);
  expect(log).not.toContain(`remove ${VIP}`);
  expect(status()).toMatchObject({ state: "MASTER", addresses: [VIP, second] });
});

test("a lost interface is FAULT at once, and its return begins a full Master_Down_Interval", () => {
  start();
  becomeMaster();
  links = [{ ...LINK, usable: false }];
  engine.handleKernelChange();
  expect(status().state).toBe("FAULT");
  expect(kernel.map((entry) => entry.address)).toEqual([OWN]);
  links = [LINK];
  engine.handleKernelChange();
  expect(status().state).toBe("BACKUP");
  expect((engine.nextDeadline() ?? 0) - now).toBeGreaterThan(millis(3_000));
});

test("that the addresses are held is reported after they were added and announced", () => {
  start();
  sent = [];
  becomeMaster();
  const told = sent.flatMap((message) => {
    if (message.type !== "event") return [];
    const { body } = message;
    return [body.kind === "vrrp" ? `${body.kind} ${body.report.kind}` : body.kind];
  });
  expect(told).toEqual(["vrrp state", "addresses", "announcement", "vrrp announced"]);
});

test("which addresses adverts do not name is told when they come and when they go", () => {
  const [first] = CONFIG.advertised;
  if (first === undefined) throw new Error("no address");
  const silent = "192.0.2.101" as IpAddress;
  start({ excluded: [{ ...first, address: silent }] });
  becomeMaster();
  engine.handleControl({ type: "stop" });
  const told = sent.flatMap((message) =>
    message.type === "event" && message.body.kind === "addresses" ? message.body : [],
  );
  const both = { addresses: [VIP, silent], excluded: [silent] };
  expect(told).toEqual([expect.objectContaining(both), expect.objectContaining({ action: "removed", ...both })]);
});

test("an interface's only address is the host's own and is never swept away", () => {
  kernel = [
    { interfaceIndex: 7, address: VIP, prefixLength: 24, secondary: false, tentative: false, validSeconds: null },
  ];
  start();
  expect(log).toEqual([]);
  expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "no-source-address" }] });
});

test("a removal that the kernel refuses is tried again until it succeeds", () => {
  start();
  becomeMaster();
  refuse = "remove";
  engine.handleControl({ type: "stop" });
  expect(kernel.map((entry) => entry.address)).toContain(VIP);
  refuse = null;
  wakeAt(instant(now + 500_000));
  expect(kernel.map((entry) => entry.address)).not.toContain(VIP);
});

test("a renewal of an address that the kernel has dropped ends the mastership at once", () => {
  start();
  becomeMaster();
  refuse = "renew";
  wakeAt(engine.nextDeadline() as Instant);
  expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "lease-lost" } });
});

test("only interfaces of an instance are worth reading the kernel again", () => {
  start();
  expect(engine.concerns(7, "eth0", null)).toBe(true);
  expect(engine.concerns(31, "veth4711", null)).toBe(false);
});

const OTHER_MAC = "02:00:00:00:00:09";

function conflictsTold(): string[] {
  return sent.flatMap((message) => {
    if (message.type !== "event" || message.body.kind !== "address-conflict") return [];
    const { instance, interface: device, address, mac } = message.body;
    return [`${instance} ${device} ${address} ${mac}`];
  });
}

test("held addresses are listened for, from the moment they are held until they are not", () => {
  start();
  expect(watched).toEqual([]);
  becomeMaster();
  expect(watched).toEqual([`7 ${VIP}`]);
  expect(watchedMacs).toEqual(["00:00:00:00:00:00"]);
  hearAdvert(254);
  expect(status().state).toBe("BACKUP");
  expect(watched).toEqual([]);
});

test("an address in use elsewhere is told once per MAC in ten seconds and counted each time; MASTER stays and does not announce", () => {
  start();
  becomeMaster();
  log.length = 0;
  const told = `V1 eth0 ${VIP} ${OTHER_MAC}`;
  engine.handleConflict(7, VIP, OTHER_MAC);
  engine.handleConflict(7, VIP, OTHER_MAC);
  expect(conflictsTold()).toEqual([told]);
  engine.handleConflict(7, VIP, "02:00:00:00:00:0a");
  expect(conflictsTold()).toHaveLength(2);
  expect(log).toEqual([]);
  const again = now + seconds(10);
  while (now < again) wakeAt(engine.nextDeadline() as Instant);
  engine.handleConflict(7, VIP, OTHER_MAC);
  expect(conflictsTold()).toHaveLength(3);
  expect(status()).toMatchObject({ state: "MASTER", holding: true, counters: { addressConflicts: 4 } });
});

test("a flood of forged MACs is counted and told of eight at most", () => {
  start();
  becomeMaster();
  for (let host = 0; host < 100; host++) engine.handleConflict(7, VIP, `02:00:00:00:01:${host}`);
  expect(conflictsTold()).toHaveLength(8);
  expect(status().counters.addressConflicts).toBe(100);
});

test("who uses the address while we do not, or another address, or on another interface, is nobody's conflict", () => {
  start();
  engine.handleConflict(7, VIP, OTHER_MAC);
  becomeMaster();
  engine.handleConflict(8, VIP, OTHER_MAC);
  engine.handleConflict(7, PEER, OTHER_MAC);
  hearAdvert(254);
  engine.handleConflict(7, VIP, OTHER_MAC);
  expect(conflictsTold()).toEqual([]);
  expect(status().counters.addressConflicts).toBe(0);
});

describe("routes and rules", () => {
  const ROUTED = onlyInstance(`
vrrp_instance V {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    ${VIP}
  }
  virtual_routes {
    10.50.0.0/16 via 192.0.2.9 dev eth0
    10.51.0.0/16 via 192.0.2.9 dev eth0 no_track
  }
  virtual_rules {
    from 10.50.0.0/16 table 5 preference 50
  }
}`);
  const ROUTE = "10.50.0.0/16 via 192.0.2.9 dev eth0";
  const LOOSE = "10.51.0.0/16 via 192.0.2.9 dev eth0 no_track";
  const RULE = "from 10.50.0.0/16 table 5 preference 50";
  const record = (net: string): RouteRecord => ({
    family: 4,
    type: 1,
    table: 254,
    protocol: 18,
    tos: 0,
    destination: { address: net as IpAddress, length: 16 },
    priority: 0,
    interfaceIndex: 7,
    gateway: "192.0.2.9" as IpAddress,
  });

  it("come after the addresses and go before them, the rules first", () => {
    start(ROUTED);
    becomeMaster();
    expect(log.filter((line) => /add|announce/.test(line)).slice(0, 4)).toEqual([
      `add ${VIP}`,
      `add route ${ROUTE}`,
      `add route ${LOOSE}`,
      `add rule ${RULE}`,
    ]);
    log = [];
    engine.handleControl({ type: "stop" });
    expect(log).toEqual([
      `remove rule ${RULE}`,
      `remove route ${LOOSE}`,
      `remove route ${ROUTE}`,
      `remove ${VIP}`,
      "resign",
    ]);
  });

  it("what an earlier life left behind is swept at the start, and nothing else", () => {
    routing = [`route ${ROUTE}`, "route 10.99.0.0/16 dev eth0"];
    start(ROUTED);
    expect(routing).toEqual(["route 10.99.0.0/16 dev eth0"]);
    expect(sent).toContainEqual(
      expect.objectContaining({
        body: { kind: "routing", instance: "V", action: "swept", objects: [{ kind: "route", text: ROUTE }] },
      }),
    );
  });

  it("deleted by somebody: the instance gives up and claims again, as with a deleted address", () => {
    start(ROUTED);
    becomeMaster();
    routing = routing.filter((text) => text !== `route ${ROUTE}`);
    engine.handleRoutingLost(record("10.50.0.0"));
    expect(status()).toMatchObject({ state: "BACKUP", cause: { code: "object-removed", what: "route", text: ROUTE } });
    wakeAt(engine.nextDeadline() as Instant);
    expect(status()?.state).toBe("MASTER");
    expect(routing).toContain(`route ${ROUTE}`);
  });

  it("no_track: deleted by somebody, nothing happens", () => {
    start(ROUTED);
    becomeMaster();
    engine.handleRoutingLost(record("10.51.0.0"));
    expect(status()?.state).toBe("MASTER");
  });

  it("an address with no_track that somebody deletes stays away, and the lease of the others goes on", () => {
    const [address] = ROUTED.advertised;
    const options = { peer: null, flags: 0, duplicateDetection: false, preferredLifetime: null, untracked: true };
    const loose = { ...(address as VirtualAddress), address: "192.0.2.101" as IpAddress, options };
    start({ ...ROUTED, excluded: [loose], leaseSeconds: 2 });
    becomeMaster();
    kernel = kernel.filter((entry) => entry.address !== loose.address);
    engine.handleAddressRemoved(7, loose.address);
    log = [];
    wakeAt(engine.nextDeadline() as Instant);
    wakeAt(engine.nextDeadline() as Instant);
    expect(status()?.state).toBe("MASTER");
    expect(log.filter((line) => line.startsWith("renew") || line.startsWith("add"))).not.toContain(
      `renew ${loose.address}`,
    );
    expect(log).toContain(`renew ${VIP}`);
  });

  it("the interface of a tracked route is watched", () => {
    const routes = ROUTED.routes.map((route) => ({ ...route, device: "eth9" }));
    start({ ...ROUTED, routes });
    expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "interface", interface: "eth9" }] });
    engine.handleControl({ type: "stop" });
  });

  it("one that the kernel refuses is told and does not cost the mastership", () => {
    start(ROUTED);
    routingErrno = "ENETUNREACH";
    becomeMaster();
    expect(status()?.state).toBe("MASTER");
    expect(sent.filter((message) => message.type === "event" && message.body.kind === "routing-failed").length).toBe(3);
  });

  it("lost notifications: what is missing is put back", () => {
    start(ROUTED);
    becomeMaster();
    routing = [];
    engine.handleRoutingOverrun();
    expect(routing).toEqual([`route ${ROUTE}`, `rule ${RULE}`]);
    expect(status()?.state).toBe("MASTER");
  });

  it("a reload touches only the difference", () => {
    start(ROUTED);
    becomeMaster();
    log = [];
    start({ ...ROUTED, routes: ROUTED.routes.slice(0, 1) });
    expect(log.filter((line) => line.includes("rou") || line.includes("rule"))).toEqual([`remove route ${LOOSE}`]);
  });
});

describe("static objects", () => {
  const text = `
track_group G {
  group {
    V
  }
}
static_ipaddress {
  10.7.0.1/24 dev eth0
}
static_routes {
  10.60.0.0/16 via 192.0.2.9 dev eth0 track_group G
}
vrrp_instance V {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    ${VIP}
  }
}`;
  const HOST = configOf(text).host;
  const ROUTE = "10.60.0.0/16 via 192.0.2.9 dev eth0 track_group G";

  it("are there before the instances and after them", () => {
    start({}, HOST);
    expect(log.slice(0, 2)).toEqual(["add 10.7.0.1", `add route ${ROUTE}`]);
    log = [];
    engine.handleControl({ type: "stop" });
    expect(log.slice(-2)).toEqual([`remove route ${ROUTE}`, "remove 10.7.0.1"]);
  });

  it("deleted by somebody they are put back, and nobody gives up", () => {
    start({ name: "V" }, HOST);
    becomeMaster();
    log = [];
    kernel = kernel.filter(({ address }) => address !== "10.7.0.1");
    engine.handleAddressRemoved(7, "10.7.0.1");
    expect(log).toEqual(["add 10.7.0.1"]);
    expect(status()?.state).toBe("MASTER");
  });

  it("one that cannot be put back is a fault of the instances of its group, until it can", () => {
    start({ name: "V" }, HOST);
    becomeMaster();
    routing = [];
    routingErrno = "ENETUNREACH";
    engine.handleRoutingOverrun();
    expect(status()).toMatchObject({ state: "FAULT", faults: [{ kind: "static-object", reason: "ENETUNREACH" }] });
    routingErrno = null;
    engine.handleRoutingOverrun();
    expect(status()?.state).toBe("BACKUP");
  });

  it("a reload removes what is gone from the file and leaves the rest alone", () => {
    start({}, HOST);
    log = [];
    start({}, { ...HOST, statics: { ...HOST.statics, routes: [] } });
    expect(log).toEqual([`remove route ${ROUTE}`]);
  });
});

describe("links that bounce", () => {
  const HOST: HostConfig = {
    ...PLAIN_HOST,
    linkDelays: [{ interface: "eth0", down: seconds(1), up: seconds(1) }],
  };
  const setUsable = (usable: boolean): void => {
    links = [{ ...LINK, usable }];
    engine.handleKernelChange();
  };

  it("down for less than the delay is no fault", () => {
    start({}, HOST);
    becomeMaster();
    setUsable(false);
    expect(status()?.state).toBe("MASTER");
    now = instant(now + 500_000);
    setUsable(true);
    wakeAt(instant(now + 900_000));
    expect(status()?.state).toBe("MASTER");
  });

  it("down for the whole delay is a fault, without further news", () => {
    start({}, HOST);
    becomeMaster();
    setUsable(false);
    const due = instant(now + 1_000_000);
    while (now < due) wakeAt(engine.nextDeadline() as Instant);
    expect(now).toBe(due);
    expect(status()?.state).toBe("FAULT");
  });

  it("a storm is read a few times and then at a pace, and the last state counts", () => {
    start();
    for (let change = 0; change < 1_000; change++) engine.handleKernelChange();
    links = [{ ...LINK, usable: false }];
    engine.handleKernelChange();
    expect(status()?.state).not.toBe("FAULT");
    const due = instant(now + 50_000);
    expect(engine.nextDeadline()).toBeLessThanOrEqual(due);
    wakeAt(due);
    expect(status()?.state).toBe("FAULT");
  });
});

test("promote_secondaries is set where a lease may end the first address of a prefix, and set back at the stop", () => {
  const [address] = CONFIG.advertised;
  start({ leaseSeconds: 2, advertised: [{ ...(address as VirtualAddress), prefixLength: 24 }] });
  expect(settings.get("eth0 promote_secondaries")).toBe("1");
  engine.handleControl({ type: "stop" });
  expect(settings.get("eth0 promote_secondaries")).toBe("0");
});
