/** Tracked files and processes between fake ports: what the keeper is told, and when. */
import { expect, test } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { ProcessFacts } from "../core/health/tracked-process.ts";
import { err, ok } from "../core/lib/result.ts";
import { millis } from "../core/lib/units.ts";
import type { FileWatchPort, ProcessListener, ProcessWatchPort } from "../ports/watches.ts";
import { createFileEngine } from "./file-engine.ts";
import { createProcessEngine } from "./process-engine.ts";
import { configOf } from "./testing/configs.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const INSTANCE = "interface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n";
const FILES = configOf(`track_file f {\nfile /f\n}\nvrrp_instance V {\n${INSTANCE}track_file {\nf\n}\n}`);
const PROCESSES = configOf(
  `vrrp_track_process p {\nprocess x\nterminate_delay 2\n}\nvrrp_instance V {\n${INSTANCE}track_process {\np\n}\n}`,
);

test("a file is read at the start and whenever it changed; the keeper hears of other numbers only", async () => {
  let text: string | null = "3";
  let changed: () => void = () => undefined;
  const port: FileWatchPort = {
    watch: (_path, told) => {
      changed = told;
      return ok({ close: () => undefined });
    },
    read: () => ok(text),
    create: () => ok(undefined),
  };
  const told: unknown[] = [];
  const engine = createFileEngine({
    port,
    timers: createVirtualTimers(),
    publish: () => undefined,
    tell: (files) => told.push(files),
  });
  engine.configure(FILES);
  expect(engine.standings()).toEqual({ f: { kind: "value", value: 3 } });
  changed();
  text = "-7";
  changed();
  text = null;
  changed();
  expect(told).toEqual([{ f: { kind: "value", value: -7 } }, { f: { kind: "value", value: 0 } }]);
  engine.configure(configOf(`vrrp_instance V {\n${INSTANCE}}`));
  expect(engine.standings()).toEqual({});
});

test("a directory that comes later is watched then", async () => {
  let exists = false;
  const timers = createVirtualTimers();
  const published: HoldfastEventBody[] = [];
  const told: unknown[] = [];
  const engine = createFileEngine({
    port: {
      watch: () => (exists ? ok({ close: () => undefined }) : err("no such directory")),
      read: () => ok(exists ? "9" : null),
      create: () => ok(undefined),
    },
    timers,
    publish: (body) => published.push(body),
    tell: (files) => told.push(files),
  });
  engine.configure(FILES);
  expect(published).toMatchObject([{ kind: "tracked-file", value: 0, detail: "no such directory" }]);
  exists = true;
  await timers.advance(millis(6_000));
  expect(told).toEqual([{ f: { kind: "value", value: 9 } }]);
});

test("a directory that goes is waited for, and its successor is watched", async () => {
  const timers = createVirtualTimers();
  const published: HoldfastEventBody[] = [];
  const told: unknown[] = [];
  let text: string | null = "9";
  const listeners: { readonly changed: () => void; readonly lost: () => void }[] = [];
  const engine = createFileEngine({
    port: {
      watch: (_path, changed, lost) => {
        if (text === null) return err("no such directory");
        listeners.push({ changed, lost });
        return ok({ close: () => undefined });
      },
      read: () => ok(text),
      create: () => ok(undefined),
    },
    timers,
    publish: (body) => published.push(body),
    tell: (files) => told.push(files),
  });
  engine.configure(FILES);
  text = null;
  listeners[0]?.lost();
  expect(told).toEqual([{ f: { kind: "value", value: 0 } }]);
  expect(published.at(-1)).toMatchObject({ value: 0, detail: "no such directory" });
  text = "8";
  await timers.advance(millis(6_000));
  text = "7";
  listeners[1]?.changed();
  expect(told.slice(1)).toEqual([{ f: { kind: "value", value: 8 } }, { f: { kind: "value", value: 7 } }]);
});

function bench(kernelTells: boolean) {
  const running = new Map<number, ProcessFacts>();
  const listeners: ProcessListener[] = [];
  const timers = createVirtualTimers();
  const published: HoldfastEventBody[] = [];
  const told: unknown[] = [];
  const port: ProcessWatchPort = {
    list: () => [...running.keys()],
    facts: (pid) => running.get(pid) ?? null,
    watch: (one) => {
      if (!kernelTells) return err("in a container");
      listeners.push(one);
      return ok({ close: () => undefined });
    },
  };
  const engine = createProcessEngine({
    port,
    timers,
    publish: (body) => published.push(body),
    tell: (all) => told.push(all),
  });
  return { running, listener: () => listeners[0] as ProcessListener, timers, published, told, engine };
}

test("a process that starts gives quorum at once, its end takes it after terminate_delay", async () => {
  const { running, listener, timers, told, engine } = bench(true);
  engine.configure(PROCESSES);
  expect(engine.standings()).toEqual({ p: { kind: "failed", count: 0 } });
  running.set(7, { comm: "x", argv: ["x"] });
  listener().changed(7);
  expect(told.at(-1)).toEqual({ p: { kind: "ok", count: 1 } });
  running.delete(7);
  listener().ended(7);
  await timers.advance(millis(1_900));
  expect(told.at(-1)).toEqual({ p: { kind: "ok", count: 1 } });
  await timers.advance(millis(200));
  expect(told.at(-1)).toEqual({ p: { kind: "failed", count: 0 } });
});

test("a process that becomes another program no longer counts; lost news mean looking at all", async () => {
  const { running, listener, told, engine, timers } = bench(true);
  running.set(7, { comm: "x", argv: ["x"] });
  engine.configure(PROCESSES);
  running.set(7, { comm: "y", argv: ["y"] });
  listener().changed(7);
  await timers.advance(millis(2_100));
  expect(told.at(-1)).toEqual({ p: { kind: "failed", count: 0 } });
  running.set(8, { comm: "x", argv: ["x"] });
  listener().missed();
  expect(told.at(-1)).toEqual({ p: { kind: "ok", count: 1 } });
});

test("where the kernel does not tell, all processes are looked at every second, and that is said", async () => {
  const { running, timers, published, told, engine } = bench(false);
  engine.configure(PROCESSES);
  expect(published[0]).toEqual({ kind: "process-watch", everyMillis: 1_000, detail: "in a container" });
  running.set(7, { comm: "x", argv: ["x"] });
  await timers.advance(millis(1_100));
  expect(told.at(-1)).toEqual({ p: { kind: "ok", count: 1 } });
});
