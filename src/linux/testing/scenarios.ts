/** For tests only: what the lab tests of this layer look at, each in a fresh namespace. */

import { writeFileSync } from "node:fs";
import { gratuitousArp, macText } from "../../core/arp/frame.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Instant } from "../../core/lib/units.ts";
import { PLAIN_HOST } from "../../core/routing/host.ts";
import type { AddressChange } from "../../ports/network.ts";
import { createAddressProbe } from "../address-probe.ts";
import { createAdvertPort } from "../advert-port.ts";
import { openAnnouncePort } from "../announce-port.ts";
import { checkCapabilities } from "../capabilities.ts";
import { openConflictWatch } from "../conflict-watch.ts";
import { openGuardPort } from "../guard-port.ts";
import { type KernelNotice, openKernelMonitor } from "../kernel-monitor.ts";
import { ignoreControlSignals } from "../process.ts";
import { exchange, GROUP, peerScenario, startPeer } from "./peer.ts";
import {
  changeOf,
  createWorld,
  goldenPacket,
  ip,
  linkNamed,
  makeVeth,
  must,
  openCapture,
  runUntil,
  virtualAddress,
} from "./world.ts";

async function adverts(): Promise<unknown> {
  makeVeth();
  const peer = await startPeer("peer");
  peer.go();
  const here = exchange(createWorld(), "a0", { own: "10.0.0.1", other: "10.0.0.2" });
  return { here, there: await peer.result };
}

function advertErrors(): unknown {
  makeVeth();
  const world = createWorld();
  const link = linkNamed(world, "a0");
  const port = createAdvertPort({ arena: world.arena, watcher: world.reactor, onPacket: () => undefined });
  must(port.open(link, 4, { kind: "multicast", group: GROUP }));
  const packets = [goldenPacket("10.0.0.1", GROUP)];
  const advert = {
    interfaceIndex: link.index,
    source: "10.0.0.1" as IpAddress,
    destinations: [GROUP],
    hopLimit: 255,
    packets,
  };
  port.prepare(0, advert);
  port.prepare(1, { ...advert, interfaceIndex: 99 });
  port.prepare(2, advert);
  const peer = "10.0.0.2" as IpAddress;
  port.prepare(3, { ...advert, interfaceIndex: 99, destinations: [peer], packets: [goldenPacket("10.0.0.1", peer)] });
  const capture = openCapture(world, linkNamed(world, "b0"));
  for (const slot of [0, 1, 2, 3]) port.queue(slot);
  const failures = port.flush();
  const sent = capture.take().filter((frame) => frame.includes("213396020001")).length;
  const missing = port.open({ ...link, index: 98, name: "gone0" }, 4, { kind: "multicast", group: GROUP });
  return { failures, sent, missing };
}

function manyAdverts(): unknown {
  makeVeth();
  const world = createWorld();
  const link = linkNamed(world, "a0");
  const port = createAdvertPort({ arena: world.arena, watcher: world.reactor, onPacket: () => undefined });
  must(port.open(link, 4, { kind: "multicast", group: GROUP }));
  const packets = [goldenPacket("10.0.0.1", GROUP)];
  for (let slot = 0; slot < 1500; slot++) {
    port.prepare(slot, {
      interfaceIndex: link.index,
      source: "10.0.0.1" as IpAddress,
      destinations: [GROUP],
      hopLimit: 255,
      packets,
    });
    port.queue(slot);
  }
  const failures = port.flush().length;
  return { failures, sent: Number(/TX:.*\n\s+\d+\s+(\d+)/.exec(ip("-s", "link", "show", "a0"))?.[1]) >= 1500 };
}

function lease(): unknown {
  makeVeth();
  const world = createWorld();
  const { kernel } = world;
  const { index } = linkNamed(world, "a0");
  const removals: { readonly port: number; readonly at: number }[] = [];
  openKernelMonitor({
    arena: world.arena,
    watcher: world.reactor,
    onNotices: (notices) => {
      for (const notice of notices) {
        if (notice.kind === "address-removed") removals.push({ port: notice.port, at: world.clock.now() });
      }
    },
  });
  const held = () => kernel.addresses().find(({ address }) => address === "10.0.0.100") ?? null;
  const added = kernel.change([changeOf("add", index, "10.0.0.100", 2)]);
  const addedAgain = kernel.change([changeOf("add", index, "10.0.0.100", 5)]);
  const afterSecondAdd = held();
  const renewed = kernel.change([changeOf("renew", index, "10.0.0.100", 2)]);
  const renewedAt = world.clock.now();
  const afterRenewal = held();
  runUntil(world, 10e6, () => removals.length > 0);
  const expired = held();
  const renewedLate = kernel.change([changeOf("renew", index, "10.0.0.100", 2)]);
  return {
    added,
    addedAgain,
    afterSecondAdd,
    renewed,
    afterRenewal,
    expired,
    expiredBy: removals[0]?.port,
    livedSeconds: ((removals[0]?.at ?? 0) - renewedAt) / 1e6,
    renewedLate,
    afterLateRenewal: held(),
  };
}

/** The same for IPv6, in short: a renewal in time, one too late, and a permanent address that gets a lifetime. */
function lease6(): unknown {
  makeVeth();
  writeFileSync("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0");
  ip("addr", "add", "2001:db8::1/64", "dev", "a0", "nodad");
  ip("addr", "add", "2001:db8::51/64", "dev", "a0", "nodad");
  const world = createWorld();
  const { kernel } = world;
  const { index } = linkNamed(world, "a0");
  const change = (action: AddressChange["action"], address: string, prefixLength: number): AddressChange => ({
    ...changeOf(action, index, address, 2),
    address: virtualAddress(address, prefixLength),
  });
  const all = (action: AddressChange["action"]) => [
    change(action, "fe80::51", 128),
    change(action, "2001:db8::51", 64),
  ];
  const held = () =>
    kernel
      .addresses()
      .flatMap(({ address, prefixLength, validSeconds }) =>
        address.endsWith("::51") ? [`${address}/${prefixLength} ${validSeconds}`] : [],
      );
  openKernelMonitor({ arena: world.arena, watcher: world.reactor, onNotices: () => undefined });
  const added = kernel.change(all("add"));
  const renewed = kernel.change(all("renew"));
  const afterRenewal = held();
  runUntil(world, 10e6, () => held().length === 0);
  const late = kernel.change(all("renew"));
  const routes = ip("-6", "route", "show", "dev", "a0");
  return { added, renewed, afterRenewal, late, afterLate: held(), routes };
}

function changes(): unknown {
  makeVeth();
  const world = createWorld();
  const { kernel } = world;
  const { index } = linkNamed(world, "a0");
  const addresses = Array.from({ length: 300 }, (_, number) => `10.1.${number >> 8}.${number & 255}`);
  const all = (action: "add" | "remove") => addresses.map((address) => changeOf(action, index, address, 60));
  const held = () => kernel.addresses().filter(({ address }) => address.startsWith("10.1.")).length;
  const addFailures = kernel.change(all("add"));
  const heldAfterAdd = held();
  // One that fails in the middle keeps none of the others from being done.
  const mixed = kernel.change([
    changeOf("add", index, "10.2.0.1", null),
    changeOf("add", 99, "10.2.0.2", null),
    changeOf("add", index, "10.2.0.3", null),
  ]);
  const removeFailures = kernel.change([
    ...all("remove"),
    ...all("remove").slice(0, 5),
    changeOf("remove", 99, "10.2.0.9", null),
  ]);
  return { addFailures, heldAfterAdd, mixed, removeFailures, heldAfterRemove: held(), shown: ip("addr", "show", "a0") };
}

function announce(): unknown {
  makeVeth();
  const world = createWorld();
  const link = linkNamed(world, "a0");
  const capture = openCapture(world, linkNamed(world, "b0"));
  const port = must(openAnnouncePort(world.arena));
  const addresses = ["10.0.0.100", "10.0.0.101"] as IpAddress[];
  const result = port.announce(link, addresses, 5);
  const frames = capture.take();
  const expected = addresses.map((address) => Buffer.from(gratuitousArp(link.mac, address)).toString("hex"));
  const large = port.announce(
    link,
    Array.from({ length: 300 }, (_, number) => `10.3.${number >> 8}.${number & 255}` as IpAddress),
    5,
  );
  return {
    result,
    seen: expected.map((frame) => frames.filter((candidate) => candidate === frame).length),
    large,
    gone: port.announce({ ...link, index: 99, name: "gone0" }, addresses, 1),
    withoutMac: port.announce({ ...link, mac: new Uint8Array(0) }, addresses, 1),
  };
}

function conflicts(): unknown {
  makeVeth();
  const world = createWorld();
  const here = linkNamed(world, "a0");
  const there = linkNamed(world, "b0");
  const heard: string[] = [];
  const watch = must(
    openConflictWatch({
      arena: world.arena,
      watcher: world.reactor,
      onConflict: ({ interfaceIndex, address, mac }) =>
        heard.push(`${interfaceIndex === here.index} ${address} ${mac}`),
    }),
  );
  const other = must(openAnnouncePort(world.arena));
  const all = Array.from({ length: 300 }, (_, number) => `10.3.${number >> 8}.${number & 255}` as IpAddress);
  const [one, another] = ["10.0.0.100", "10.0.0.101"] as IpAddress[];
  let wakeUps = 0;
  const look = (held: readonly IpAddress[], announced: readonly IpAddress[], own: string): string[] => {
    heard.length = 0;
    wakeUps = 0;
    watch.watch([{ interfaceIndex: here.index, addresses: new Set(held) }], new Set([own]));
    other.announce(there, announced, 1);
    while (world.reactor.wait((world.clock.now() + 50e3) as Instant) > 0) wakeUps++;
    return [...heard];
  };
  const ownMac = "02:00:00:00:00:01";
  return {
    mac: macText(there.mac),
    nothingHeld: [look([], [one as IpAddress], ownMac), wakeUps],
    held: look([one as IpAddress], [another as IpAddress, one as IpAddress], ownMac),
    replaced: look([another as IpAddress], [another as IpAddress, one as IpAddress], ownMac),
    othersOnly: [look([one as IpAddress], all, ownMac), wakeUps],
    own: look([one as IpAddress], [one as IpAddress], macText(there.mac)),
    many: [look(all.slice(0, 200), all, ownMac).length, wakeUps >= 4],
    tooMany: [look(all.slice(0, 250), all.slice(190, 290), ownMac).length, wakeUps >= 2],
  };
}

function links(): unknown {
  makeVeth();
  const world = createWorld();
  const { index } = linkNamed(world, "a0");
  const seen: KernelNotice[] = [];
  openKernelMonitor({ arena: world.arena, watcher: world.reactor, onNotices: (notices) => void seen.push(...notices) });
  const usable = (wanted: boolean) => () =>
    seen.some((notice) => notice.kind === "link" && notice.link.index === index && notice.link.usable === wanted);
  const removed = () => seen.some((notice) => notice.kind === "link-removed" && notice.index === index);
  const step = (done: () => boolean, ...args: string[]): boolean => {
    seen.length = 0;
    ip(...args);
    return runUntil(world, 5e6, done);
  };
  return {
    carrierLost: step(usable(false), "link", "set", "b0", "down"),
    carrierBack: step(usable(true), "link", "set", "b0", "up"),
    down: step(usable(false), "link", "set", "a0", "down"),
    up: step(usable(true), "link", "set", "a0", "up"),
    foreignRemoval: step(
      () => seen.some((notice) => notice.kind === "address-removed" && notice.port !== world.kernel.port),
      ...["addr", "del", "10.0.0.1/24", "dev", "a0"],
    ),
    ownRemovalKnown: ((): boolean => {
      seen.length = 0;
      world.kernel.change([changeOf("add", index, "10.0.0.7", 9), changeOf("remove", index, "10.0.0.7", null)]);
      return runUntil(world, 5e6, () =>
        seen.some((notice) => notice.kind === "address-removed" && notice.port === world.kernel.port),
      );
    })(),
    removed: step(removed, "link", "del", "a0"),
  };
}

function overrun(): unknown {
  makeVeth();
  const world = createWorld();
  const { index } = linkNamed(world, "a0");
  const seen: KernelNotice[] = [];
  openKernelMonitor({ arena: world.arena, watcher: world.reactor, onNotices: (notices) => void seen.push(...notices) });
  // Nobody reads while more changes are made than any receive buffer holds.
  for (let round = 0; round < 400; round++) {
    const add = Array.from({ length: 50 }, (_, number) => changeOf("add", index, `10.4.0.${number}`, 60));
    world.kernel.change([...add, ...add.map((change) => ({ ...change, action: "remove" as const }))]);
  }
  const told = runUntil(world, 5e6, () => seen.some(({ kind }) => kind === "overrun"));
  seen.length = 0;
  ip("link", "set", "b0", "down");
  return { told, goesOn: runUntil(world, 5e6, () => seen.some(({ kind }) => kind === "link")) };
}

function guard(): unknown {
  makeVeth();
  const world = createWorld();
  const link = linkNamed(world, "a0");
  const port = must(openGuardPort(world.arena));
  world.kernel.change([changeOf("add", link.index, "10.0.0.100", 60), changeOf("add", link.index, "10.0.0.101", 60)]);
  const capture = openCapture(world, linkNamed(world, "b0"));
  const packet = goldenPacket("10.0.0.1", GROUP);
  const released = port.release(
    [
      {
        instance: "VI_1",
        interface: "a0",
        sendsVia: "a0",
        routes: [],
        rules: [],
        addresses: [virtualAddress("10.0.0.100"), virtualAddress("10.0.0.101"), virtualAddress("10.0.0.102")],
        resign: {
          source: "10.0.0.1" as IpAddress,
          transport: { kind: "multicast", group: GROUP },
          hopLimit: 255,
          packets: [{ destination: GROUP, packet }],
          seal: null,
        },
      },
      {
        instance: "VI_2",
        interface: "gone0",
        sendsVia: "gone0",
        addresses: [virtualAddress("10.0.0.103")],
        routes: [],
        rules: [],
        resign: null,
      },
    ],
    PLAIN_HOST.statics,
  );
  const adverts = capture.take().filter((frame) => frame.includes("213396020001")).length;
  return {
    released,
    adverts,
    left: world.kernel.addresses().flatMap(({ address }) => (address.includes(":") ? [] : [address])),
  };
}

/** Two hosts' ends of a link, each with the macvlan of the same virtual router; the far one has the address. */
async function virtualNeighbour(): Promise<unknown> {
  makeVeth();
  for (const [device, macvlan] of [
    ["a0", "va"],
    ["b0", "vb"],
  ] as const) {
    const kind = ["type", "macvlan", "mode", "private"];
    ip("link", "add", "link", device, "name", macvlan, "address", VIRTUAL_MAC, ...kind);
    ip("link", "set", macvlan, "up");
  }
  ip("addr", "add", "2001:db8::64/128", "dev", "vb", "nodad");
  const probe = createAddressProbe(createWorld().arena);
  const ask = (address: string) => probe.whoAnswers(address as IpAddress, { device: "a0", millis: 300, first: true });
  // An interface that has just been set up is not ready at once: only a probe that is deaf hears nothing again and again.
  let held = await ask("2001:db8::64");
  for (let left = 20; left > 0 && held.ok && held.value.length === 0; left--) held = await ask("2001:db8::64");
  return { held, free: await ask("2001:db8::65") };
}

const VIRTUAL_MAC = "00:00:5e:00:02:33";

function powerless(): unknown {
  const world = createWorld();
  const port = createAdvertPort({ arena: world.arena, watcher: world.reactor, onPacket: () => undefined });
  const lo = linkNamed(world, "lo");
  return {
    capabilities: checkCapabilities(),
    adverts: port.open(lo, 4, { kind: "multicast", group: GROUP }),
    announce: openAnnouncePort(world.arena),
    change: world.kernel.change([changeOf("add", lo.index, "10.0.0.1", null)]).map(({ error }) => error),
  };
}

function signals(): unknown {
  ignoreControlSignals();
  const sent = [1, 2, 10, 12, 13, 15, 36, 63, 64];
  for (const signal of sent) process.kill(process.pid, signal);
  return { survived: sent };
}

export const SCENARIOS: Readonly<Record<string, () => unknown>> = {
  adverts,
  advertErrors,
  manyAdverts,
  lease,
  lease6,
  changes,
  announce,
  conflicts,
  links,
  overrun,
  guard,
  virtualNeighbour,
  powerless,
  signals,
  peer: peerScenario,
};
