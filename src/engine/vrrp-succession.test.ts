/** A reload puts an instance in another's place while that one still releases: one after the other, each with its own gate. */
import { beforeEach, expect, test } from "vitest";
import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, instant, seconds } from "../core/lib/units.ts";
import { type FromKeeper, NO_STANDINGS } from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith } from "../core/vrrp/example-config.ts";
import type { AddressChange, InterfaceAddress } from "../ports/network.ts";
import { stagePorts } from "./stage-ports.ts";
import { createVrrpEngine, type VrrpEngine } from "./vrrp-engine.ts";

const GATE = { timeout: seconds(10) };
const OLD = configWith({ version: 3, virtualRouterId: 51, claimGate: GATE, releaseGate: GATE });
const NEW: VrrpInstanceConfig = { ...OLD, virtualRouterId: 52 };

let now: Instant;
let sent: FromKeeper[];
let engine: VrrpEngine;
let kernel: InterfaceAddress[];

const present = (address: IpAddress): InterfaceAddress => ({
  interfaceIndex: 1,
  address,
  prefixLength: 32,
  secondary: false,
  tentative: false,
  validSeconds: null,
});

function change(changes: readonly AddressChange[]): readonly [] {
  for (const { action, address } of changes) {
    if (action === "renew") continue;
    kernel = kernel.filter((entry) => entry.address !== address.address);
    if (action === "add") kernel.push(present(address.address));
  }
  return [];
}

beforeEach(() => {
  kernel = [present("192.0.2.1" as IpAddress)];
  now = instant(1_000_000_000);
  sent = [];
  const ports = stagePorts();
  engine = createVrrpEngine({
    ...ports,
    kernel: { links: ports.kernel.links, addresses: () => kernel, change },
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: (message) => void sent.push(message),
  });
});

function configure(...instances: readonly VrrpInstanceConfig[]): void {
  engine.handleControl({ type: "configure", serial: 1, instances, host: PLAIN_HOST });
  engine.handleControl({ type: "standings", standings: NO_STANDINGS, succeeded: [] });
}

/** Wakes at every deadline until so much time has passed. */
function pass(time: number): void {
  const end = instant(now + time);
  for (let next = engine.nextDeadline(); next !== null && next <= end; next = engine.nextDeadline()) {
    now = next > now ? next : now;
    engine.wake();
  }
  now = end;
  engine.wake();
}

const asked = () => sent.flatMap((message) => (message.type === "ask-gate" ? [message] : []));
const open = (gate: number | undefined): void =>
  engine.handleControl({ type: "gate", instance: OLD.name, gate: gate ?? -1, opened: true, reason: "" });

function phases(): Record<number, string> {
  engine.handleControl({ type: "status", id: 1 });
  const answer = sent.findLast((message) => message.type === "status");
  const instances = answer?.type === "status" ? answer.instances : [];
  return Object.fromEntries(instances.map(({ virtualRouterId, phase }) => [virtualRouterId, phase]));
}

/** States told under the name that both have, in order. */
const told = (): string[] =>
  sent.flatMap((message) =>
    message.type === "event" && message.body.kind === "vrrp" && message.body.report.kind === "state"
      ? [message.body.report.to]
      : [],
  );

function serve(): void {
  configure(OLD);
  pass(seconds(4));
  open(asked().at(-1)?.gate);
  expect(phases()).toEqual({ 51: "MASTER" });
}

test("the new instance of a name begins when the old one has released, and has its whole claim_timeout then", () => {
  serve();
  configure(NEW);
  pass(seconds(9));
  expect(phases()).toEqual({ 51: "RELEASING", 52: "INIT" });
  open(asked().at(-1)?.gate);
  expect(phases()).toEqual({ 52: "BACKUP" });
  pass(seconds(4));
  expect(phases()).toEqual({ 52: "CLAIMING" });
  pass(seconds(9));
  open(asked().at(-1)?.gate);
  expect(phases()).toEqual({ 52: "MASTER" });
  expect(asked().map(({ which }) => which)).toEqual(["claim", "release", "claim"]);
  expect(told()).toEqual(["BACKUP", "MASTER", "STOP", "BACKUP", "MASTER"]);
});

test("a release that is never answered ends in its own time, and the new instance begins", () => {
  serve();
  configure(NEW);
  pass(seconds(11));
  expect(phases()).toEqual({ 52: "BACKUP" });
});

test("no two gates have one number, and a late answer opens nobody else's", () => {
  serve();
  configure(NEW);
  const release = asked().at(-1)?.gate;
  open(release);
  pass(seconds(4));
  open(release);
  expect(phases()).toEqual({ 52: "CLAIMING" });
  open(asked().at(-1)?.gate);
  expect(phases()).toEqual({ 52: "MASTER" });
  expect(new Set(asked().map(({ gate }) => gate)).size).toBe(3);
});

test("an answer finds the instance that asked under whatever name it has by now", () => {
  configure(OLD);
  pass(seconds(4));
  configure({ ...OLD, name: "renamed" }, { ...NEW, name: OLD.name });
  open(asked()[0]?.gate);
  expect(phases()[51]).toBe("MASTER");
});

test("one that was taken out again before it began leaves no trace, and the daemon stops", () => {
  serve();
  configure(NEW);
  configure(OLD);
  expect(told().filter((state) => state === "STOP")).toEqual([]);
  engine.handleControl({ type: "stop" });
  expect(engine.finished).toBe(false);
  open(asked().at(-1)?.gate);
  expect(engine.finished).toBe(true);
  expect(told().filter((state) => state === "STOP")).toHaveLength(1);
});
