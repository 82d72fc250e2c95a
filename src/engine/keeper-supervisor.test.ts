import { expect, test } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { millis, seconds } from "../core/lib/units.ts";
import { type FromKeeper, LINK_VERSION, type ToKeeper } from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { GuardOrder } from "../ports/guard.ts";
import type { KeeperEvents } from "../ports/keeper-process.ts";
import { createKeeperSupervisor, SILENCE_LIMIT_MILLIS } from "./keeper-supervisor.ts";
import { configOf } from "./testing/configs.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const CONFIG = `
vrrp_instance A { interface eth0
 virtual_router_id 1
 priority 90
 mcast_src_ip 192.0.2.10
 virtual_ipaddress { 192.0.2.1 }
}`;

class FakeKeeper {
  readonly heard: ToKeeper[] = [];
  killed = false;
  readonly #events: KeeperEvents;

  constructor(events: KeeperEvents) {
    this.#events = events;
  }

  say(message: FromKeeper): void {
    this.#events.onData(`${JSON.stringify(message)}\n`);
  }

  write(text: string): void {
    this.#events.onData(text);
  }

  exit(code: number | null, signal: string | null = null): void {
    this.#events.onExit({ code, signal });
  }

  greet(): void {
    this.say({ type: "hello", version: LINK_VERSION, pid: 42 });
    const configure = this.heard.findLast((message) => message.type === "configure");
    this.say({ type: "configured", serial: configure?.serial ?? 0, error: null });
  }

  becomeMaster(): void {
    const report = { kind: "state", from: "BACKUP", to: "MASTER", cause: { code: "ready" }, priority: 90 } as const;
    this.say({ type: "event", at: 0, body: { kind: "vrrp", instance: "A", report } });
  }
}

function setUp() {
  const timers = createVirtualTimers();
  const keepers: FakeKeeper[] = [];
  const released: (readonly GuardOrder[])[] = [];
  /** How many releases came before each tidying. */
  const tidied: number[] = [];
  const events: HoldfastEventBody[] = [];
  const fatal: string[] = [];
  const supervisor = createKeeperSupervisor({
    timers,
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => timers.now() } },
    launcher: {
      launch(keeperEvents) {
        const keeper = new FakeKeeper(keeperEvents);
        keepers.push(keeper);
        return {
          pid: 42,
          send: (text) =>
            void keeper.heard.push(
              ...text
                .trim()
                .split("\n")
                .map((line) => JSON.parse(line)),
            ),
          kill: () => {
            keeper.killed = true;
          },
        };
      },
    },
    guard: {
      release(orders) {
        released.push(orders);
        return { removed: [], errors: [] };
      },
      tidy: () => void tidied.push(released.length),
    },
    publish: (body) => void events.push(body),
    onMessage: () => undefined,
    settings: () => null,
    standings: () => ({ scripts: { chk: { kind: "ok" } }, files: {}, processes: {}, mysql: {}, redis: {} }),
    onLost: () => undefined,
    onFatal: (reason) => void fatal.push(reason),
  });
  supervisor.start(
    { instances: configOf(CONFIG).instances.map(({ vrrp }) => vrrp), host: PLAIN_HOST },
    () => undefined,
  );
  const keeper = (): FakeKeeper => keepers.at(-1) as FakeKeeper;
  return { timers, keepers, keeper, released, tidied, events, fatal, supervisor };
}

test("control speaks first, then configures and tells all standings", () => {
  const { keeper } = setUp();
  keeper().greet();
  const types = keeper().heard.map(({ type }) => type);
  expect(types.filter((type) => type !== "heartbeat").slice(0, 3)).toEqual(["hello", "configure", "standings"]);
});

test("the log level is told at once, and again to every new keeper before its configuration", async () => {
  const { timers, supervisor, keeper } = setUp();
  const levels = () => keeper().heard.flatMap((message) => (message.type === "log-level" ? [message.level] : []));
  supervisor.setLogLevel("detail");
  expect(levels()).toEqual([]);
  keeper().greet();
  supervisor.setLogLevel("debug");
  expect(levels()).toEqual(["detail", "debug"]);
  keeper().exit(1);
  await timers.advance(millis(1));
  keeper().greet();
  expect(levels()).toEqual(["debug"]);
});

test("a silent keeper is killed, but nobody speaks for it before it has been reaped", async () => {
  const { timers, keeper, released, events } = setUp();
  keeper().greet();
  keeper().becomeMaster();
  await timers.advance(millis(SILENCE_LIMIT_MILLIS - 250));
  expect(keeper().killed).toBe(false);
  await timers.advance(millis(600));
  expect(keeper().killed).toBe(true);
  expect(events.some(({ kind }) => kind === "keeper-frozen")).toBe(true);
  expect(released).toEqual([]);
  keeper().exit(null, "SIGKILL");
  expect(released).toHaveLength(1);
  expect(released[0]?.[0]?.addresses.map(({ address }) => address)).toEqual(["192.0.2.1"]);
  // The VRRP header follows 20 bytes of IPv4; its third byte is the priority.
  expect(released[0]?.[0]?.resign?.packets[0]?.packet[22]).toBe(0);
});

test("a keeper that holds nothing is given more time, because the host is most often only busy", async () => {
  const { timers, keeper } = setUp();
  keeper().greet();
  await timers.advance(millis(2 * SILENCE_LIMIT_MILLIS));
  expect(keeper().killed).toBe(false);
  await timers.advance(millis(SILENCE_LIMIT_MILLIS + 600));
  expect(keeper().killed).toBe(true);
});

test("a keeper that takes over hundreds of instances may be busy for longer", async () => {
  const { timers, keeper, supervisor } = setUp();
  keeper().greet();
  const [instance] = configOf(CONFIG).instances.map(({ vrrp }) => vrrp);
  if (instance === undefined) throw new Error("the configuration has an instance");
  const instances = Array.from({ length: 200 }, () => instance);
  keeper().becomeMaster();
  supervisor.configure({ instances, host: PLAIN_HOST }, () => undefined);
  await timers.advance(millis(SILENCE_LIMIT_MILLIS + 400));
  expect(keeper().killed).toBe(false);
  await timers.advance(millis(1_000));
  expect(keeper().killed).toBe(true);
});

test("a keeper that was BACKUP loses its addresses but does not resign", () => {
  const { keeper, released } = setUp();
  keeper().greet();
  keeper().exit(1);
  expect(released[0]?.map(({ resign }) => resign)).toEqual([null]);
});

test("a control process that was itself stopped listens before it judges", async () => {
  const { timers, keeper } = setUp();
  keeper().greet();
  timers.freeze(seconds(30));
  await timers.advance(millis(500));
  expect(keeper().killed).toBe(false);
});

test("restarts wait 0, 1, 2 and 4 seconds, and every new keeper hears the standings again", async () => {
  const { timers, keepers, keeper } = setUp();
  for (const [index, delay] of [0, 1, 2, 4].entries()) {
    keeper().greet();
    keeper().exit(1);
    if (delay > 0) await timers.advance(millis(delay * 1_000 - 1));
    expect(keepers).toHaveLength(index + 1);
    await timers.advance(millis(1));
    expect(keepers).toHaveLength(index + 2);
  }
  keeper().greet();
  expect(keeper().heard.find(({ type }) => type === "standings")).toMatchObject({
    standings: { scripts: { chk: { kind: "ok" } } },
  });
});

test("a keeper that breaks the protocol is killed, not believed any more, and the cause stays with its end", async () => {
  const { timers, keeper, events, supervisor } = setUp();
  keeper().greet();
  keeper().becomeMaster();
  keeper().write("nonsense\n");
  expect(keeper().killed).toBe(true);
  const heard = events.length;
  keeper().write("more nonsense\n");
  keeper().becomeMaster();
  expect(events).toHaveLength(heard);
  await timers.advance(seconds(2));
  keeper().exit(null, "SIGKILL");
  const how = "signal SIGKILL, because the keeper wrote a line that is no JSON: nonsense";
  expect(events.find(({ kind }) => kind === "keeper-lost")).toMatchObject({ how });
  expect(supervisor.state()).toMatchObject({ condition: "lost", detail: how });
});

test("exit code 42 ends the daemon instead of restarting", async () => {
  const { timers, keepers, keeper, fatal } = setUp();
  keeper().exit(42);
  await timers.advance(seconds(10));
  expect(keepers).toHaveLength(1);
  expect(fatal[0]).toContain("42");
});

test("what a dead keeper left is the next one's, or goes when none is to come", async () => {
  const { keeper, tidied, supervisor } = setUp();
  keeper().greet();
  keeper().exit(null);
  expect(tidied).toEqual([]);
  await supervisor.stop();
  expect(tidied).toEqual([1]);
});

test("an orderly stop needs no guard", async () => {
  const { keeper, released, tidied, supervisor } = setUp();
  keeper().greet();
  const stopped = supervisor.stop();
  expect(keeper().heard.at(-1)).toEqual({ type: "stop" });
  keeper().say({ type: "stopped" });
  keeper().exit(0);
  await stopped;
  expect(released).toEqual([]);
  expect(tidied).toEqual([]);
});

test("after a configuration that the keeper refused the next keeper gets the old one", async () => {
  const { timers, keeper, supervisor } = setUp();
  keeper().greet();
  let answer: string | null | undefined;
  supervisor.configure({ instances: [], host: PLAIN_HOST }, (error) => {
    answer = error;
  });
  const configure = keeper().heard.at(-1);
  keeper().say({
    type: "configured",
    serial: configure?.type === "configure" ? configure.serial : 0,
    error: "no eth9",
  });
  expect(answer).toBe("no eth9");
  keeper().exit(1);
  await timers.advance(millis(0));
  keeper().greet();
  const again = keeper().heard.find((message) => message.type === "configure");
  expect(again?.instances.map(({ name }) => name)).toEqual(["A"]);
});
