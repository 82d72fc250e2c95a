// TERM ends the daemon, whatever hangs: a keeper that ignores SIGKILL, a hook in the kernel, a dead file system.
import { expect, test } from "vitest";
import { err } from "../core/lib/result.ts";
import { micros, millis, seconds } from "../core/lib/units.ts";
import { type FromKeeper, LINK_VERSION, type ToKeeper } from "../core/link/messages.ts";
import type { KeeperEvents } from "../ports/keeper-process.ts";
import type { Spawner } from "../ports/spawner.ts";
import { createControlProcess, LAST_LIMIT, type ParsedConfig } from "./control-process.ts";
import { createEventBus } from "./event-bus.ts";
import { STOP_LIMIT } from "./stop-limit.ts";
import { configOf } from "./testing/configs.ts";
import { NO_IPVS } from "./testing/fake-ipvs.ts";
import { NO_ADDRESSES, NO_PROBES } from "./testing/no-probes.ts";
import { NO_QUORUM } from "./testing/no-quorum.ts";
import {
  NO_DATABASES,
  NO_FENCES,
  NO_FILES,
  NO_PROCESSES,
  NO_REDIS,
  NO_REDIS_FILES,
  NO_SQL,
  NO_TAKEOVER,
} from "./testing/no-watches.ts";
import { createVirtualTimers, type VirtualTimers } from "./testing/virtual-timers.ts";

const CONFIG = `
vrrp_script chk { script /c }
vrrp_instance A { interface eth0
 virtual_router_id 1
 priority 90
 track_script { chk }
 virtual_ipaddress { 192.0.2.1 }
}`;

const portsOf = (timers: VirtualTimers) => ({
  timers,
  keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => timers.now() } },
  spawner: {
    examine: () => expect.fail("nothing is run"),
    start: () => expect.fail("nothing is run"),
  },
  files: NO_FILES,
  processes: NO_PROCESSES,
  sql: NO_SQL,
  redis: NO_REDIS,
  redisFiles: NO_REDIS_FILES,
  databases: NO_DATABASES,
  takeover: NO_TAKEOVER,
  fences: NO_FENCES,
  quorum: NO_QUORUM,
  guard: { release: () => ({ removed: [], errors: [] }), tidy: () => undefined },
  bus: createEventBus({
    clock: timers,
    wallMillis: () => 0,
    onListenerError: (error) => expect.fail(String(error)),
  }),
  fifos: { open: () => expect.fail("no pipe is configured") },
  mailer: { send: () => expect.fail("no mail is configured") },
  wallMillis: () => 0,
  parse: () => expect.fail("nothing is reloaded"),
  hasInterface: () => null,
  onConfig: () => undefined,
  onFatal: (reason: string) => expect.fail(reason),
});

/** Nothing ends by itself: neither the keeper nor a program. */
function setUp(examine: Spawner["examine"]) {
  const timers = createVirtualTimers();
  const keeper: { events: KeeperEvents | null; kills: number } = { events: null, kills: 0 };
  const control = createControlProcess({
    ipvs: NO_IPVS,
    probes: NO_PROBES,
    addresses: NO_ADDRESSES,
    random: () => 0,
    ...portsOf(timers),
    spawner: { examine, start: () => ({ pid: 1, signalGroup: () => undefined }) },
    launcher: {
      launch(events) {
        keeper.events = events;
        return { pid: 42, send: () => undefined, kill: () => void keeper.kills++ };
      },
    },
  });
  control.start({ config: configOf(CONFIG), diagnostics: [], unusable: null });
  return { timers, keeper, control };
}

const STUCK = {
  "a dead file system": () => new Promise<never>(() => undefined),
  "a check in the kernel": async () => ({ ok: true as const, value: { file: "/c", args: [], identity: null } }),
};

test.each(Object.entries(STUCK))("a stop ends with %s and a keeper that cannot be killed", async (_name, examine) => {
  const { timers, control, keeper } = setUp(examine);
  await timers.advance(millis(100));
  let stopped = false;
  void control.stop("TERM").then(() => {
    stopped = true;
  });
  await timers.advance(micros(STOP_LIMIT + LAST_LIMIT - 1));
  expect(stopped).toBe(false);
  expect(keeper.kills).toBeGreaterThan(0);
  await timers.advance(micros(1));
  expect(stopped).toBe(true);
});

test("a second TERM leaves the limit after killing only", async () => {
  const { timers, control } = setUp(STUCK["a check in the kernel"]);
  await timers.advance(millis(100));
  let stopped = false;
  void control.stop("TERM").then(() => {
    stopped = true;
  });
  control.hurry();
  await timers.advance(LAST_LIMIT);
  expect(stopped).toBe(true);
});

test("with all of it obedient a stop takes no limit", async () => {
  const { timers, control, keeper } = setUp(STUCK["a dead file system"]);
  await timers.advance(millis(100));
  let stopped = false;
  void control.stop("TERM").then(() => {
    stopped = true;
  });
  keeper.events?.onExit({ code: 0, signal: null });
  await timers.advance(millis(1));
  expect(stopped).toBe(true);
});

test("what is known of a database server is told again when an instance has changed its state", async () => {
  const timers = createVirtualTimers();
  const heard: ToKeeper[] = [];
  const keeper: { events: KeeperEvents | null } = { events: null };
  const control = createControlProcess({
    ipvs: NO_IPVS,
    probes: NO_PROBES,
    addresses: NO_ADDRESSES,
    random: () => 0,
    ...portsOf(timers),
    launcher: {
      launch(events) {
        keeper.events = events;
        const send = (text: string) => {
          for (const line of text.trim().split("\n")) heard.push(JSON.parse(line) as ToKeeper);
        };
        return { pid: 42, send, kill: () => undefined };
      },
    },
    sql: { open: async () => err({ kind: "timeout", phase: "connect", afterMillis: 1_000 }) },
  });
  const say = (message: FromKeeper): void => keeper.events?.onData(`${JSON.stringify(message)}\n`);
  const config = configOf(`mysql db {\n}\n${CONFIG.replace("track_script { chk }", "track_mysql {\n db\n }")}`);
  control.start({ config, diagnostics: [], unusable: null });
  say({ type: "hello", version: LINK_VERSION, pid: 42 });
  const configure = heard.findLast((message) => message.type === "configure");
  say({ type: "configured", serial: configure?.serial ?? 0, error: null });
  await timers.advance(millis(10));
  const told = () =>
    heard.filter((message) => message.type === "standings" && message.standings.mysql.db?.always?.kind === "timeout");
  const before = told().length;
  expect(before).toBeGreaterThan(0);
  const report = { kind: "state", from: "MASTER", to: "BACKUP", cause: { code: "ready" }, priority: 90 } as const;
  say({ type: "event", at: 0, body: { kind: "vrrp", instance: "A", report } });
  expect(told()).toHaveLength(before + 1);
});

test.each([
  ["vrrp_startup_delay 2.5", 0, 2_500],
  ["vrrp_delay_after_boot 60", 57, 2_000],
])("%s, %i s after the boot, is told when it begins and when it is over", async (words, uptime, delayMillis) => {
  const timers = createVirtualTimers();
  await timers.advance(seconds(uptime));
  const told: unknown[] = [];
  const bus = createEventBus({
    clock: timers,
    wallMillis: () => 0,
    onListenerError: (error) => expect.fail(String(error)),
  });
  bus.subscribe(({ body }) => body.kind === "startup-delay" && told.push(body));
  let launched = 0;
  const control = createControlProcess({
    ipvs: NO_IPVS,
    probes: NO_PROBES,
    addresses: NO_ADDRESSES,
    random: () => 0,
    ...portsOf(timers),
    bus,
    launcher: {
      launch: () => {
        launched++;
        return { pid: 42, send: () => undefined, kill: () => undefined };
      },
    },
  });
  const config = configOf(`global_defs { ${words} }\n${CONFIG.replace("track_script { chk }", "")}`);
  control.start({ config, diagnostics: [], unusable: null });
  await timers.advance(millis(delayMillis - 1));
  const kind = "startup-delay";
  expect(told).toEqual([{ kind, delayMillis, over: false }]);
  expect(launched).toBe(0);
  await timers.advance(millis(1));
  expect(told[1]).toEqual({ kind, delayMillis, over: true });
  expect(launched).toBe(1);
});

const PARSED: ParsedConfig = { config: configOf(CONFIG), diagnostics: [], unusable: null };

test.each([
  ["refused", { ...PARSED, unusable: "1 error(s)" }],
  ["unchanged", PARSED],
])("a reload is announced before the file is read, and a dry run is not; then it is %s", async (outcome, parsed) => {
  const ports = portsOf(createVirtualTimers());
  const order: string[] = [];
  ports.bus.subscribe(({ body, origin }) => {
    order.push(body.kind === "reload" ? `${origin}: ${body.outcome}` : `${origin}: ${body.kind}`);
  });
  const control = createControlProcess({
    ipvs: NO_IPVS,
    probes: NO_PROBES,
    addresses: NO_ADDRESSES,
    random: () => 0,
    ...ports,
    spawner: { examine: STUCK["a dead file system"], start: () => expect.fail("nothing is run") },
    launcher: { launch: () => ({ pid: 42, send: () => undefined, kill: () => undefined }) },
    parse: () => {
      order.push("read");
      return parsed;
    },
  });
  control.start(PARSED);
  order.length = 0;
  await control.reload(false);
  expect(order).toEqual(["parent: reload-begun", "read", `parent: ${outcome}`]);
  order.length = 0;
  await control.reload(true);
  expect(order).toEqual(["read"]);
});
