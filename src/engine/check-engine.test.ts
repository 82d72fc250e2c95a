import { expect, test } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { millis, seconds } from "../core/lib/units.ts";
import type { ScriptStanding } from "../core/link/messages.ts";
import { createCheckEngine, planChecks } from "./check-engine.ts";
import { configOf } from "./testing/configs.ts";
import { createFakeSpawner } from "./testing/fake-spawner.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const instance = (name: string, id: number, extra = ""): string => `
vrrp_instance ${name} { interface eth0
 virtual_router_id ${id}
 priority 100
 track_script { chk }
 virtual_ipaddress { 192.0.2.${id} }
 ${extra}
}`;
const script = (lines: string): string => `vrrp_script chk { script "/usr/bin/chk -x"\n${lines}\n}`;

function setUp(text: string) {
  const timers = createVirtualTimers();
  const spawner = createFakeSpawner();
  const events: HoldfastEventBody[] = [];
  const told: [Readonly<Record<string, ScriptStanding>>, readonly string[]][] = [];
  const engine = createCheckEngine({
    tools: { timers, spawner },
    publish: (body) => void events.push(body),
    tell: (standings, succeeded) => void told.push([standings, succeeded]),
    stateOf: (name) => (name === "A" ? "MASTER" : "BACKUP"),
  });
  engine.configure(configOf(text));
  return { timers, spawner, events, told, engine };
}

test("a check runs at once and then every interval from its previous start", async () => {
  const { timers, spawner } = setUp(script("interval 2") + instance("A", 1));
  await timers.advance(millis(0));
  expect(spawner.started).toHaveLength(1);
  await timers.advance(millis(1_500));
  spawner.started[0]?.end(0);
  await timers.advance(millis(499));
  expect(spawner.started).toHaveLength(1);
  await timers.advance(millis(1));
  expect(spawner.started).toHaveLength(2);
});

test("a shared script runs once and hears the names of all instances and the state of the first", async () => {
  const { timers, spawner } = setUp(script("interval 2") + instance("A", 1) + instance("B", 2));
  await timers.advance(millis(0));
  expect(spawner.started).toHaveLength(1);
  expect(spawner.started[0]?.env).toEqual({ HOLDFAST_INSTANCE: "A,B", HOLDFAST_STATE: "MASTER" });
  expect(spawner.started[0]?.argv).toEqual(["/usr/bin/chk", "-x"]);
});

test("a per-instance script runs once for each instance, under its own key", () => {
  const text = script("interval 2\nper_instance") + instance("A", 1) + instance("B", 2);
  expect([...planChecks(configOf(text)).keys()]).toEqual(["chk@A", "chk@B"]);
});

test("a script that nobody tracks is not run", () => {
  const text = `vrrp_script lonely { script "/bin/x" }\n${script("interval 1")}${instance("A", 1)}`;
  expect([...planChecks(configOf(text)).keys()]).toEqual(["chk"]);
});

test("two runs never overlap, whatever a run takes", async () => {
  const { timers, spawner } = setUp(script("interval 1\ntimeout 30") + instance("A", 1));
  await timers.advance(millis(5_500));
  expect(spawner.started).toHaveLength(1);
  spawner.started[0]?.end(0);
  await timers.advance(millis(499));
  expect(spawner.started).toHaveLength(1);
  await timers.advance(millis(1));
  expect(spawner.started).toHaveLength(2);
});

test("a timeout is a failure at once, TERM comes first, KILL two seconds later, and only then the next run", async () => {
  const { timers, spawner, engine, events } = setUp(script("interval 1\ntimeout 1") + instance("A", 1));
  spawner.obedient = false;
  await timers.advance(seconds(1));
  expect(engine.standings()).toEqual({ chk: { kind: "failed" } });
  expect(spawner.started[0]?.signals).toEqual(["SIGTERM"]);
  await timers.advance(millis(1_999));
  expect(spawner.started).toHaveLength(1);
  await timers.advance(millis(1));
  expect(spawner.started[0]?.signals.slice(0, 2)).toEqual(["SIGTERM", "SIGKILL"]);
  expect(spawner.started).toHaveLength(2);
  expect(events.filter(({ kind }) => kind === "check")).toHaveLength(1);
});

test("the first result decides, later ones obey rise and fall", async () => {
  const { timers, spawner, engine } = setUp(script("interval 1\nrise 2\nfall 2") + instance("A", 1));
  const standings: string[] = [];
  for (const code of [1, 0, 0, 1, 1]) {
    await timers.advance(millis(0));
    spawner.running()[0]?.end(code);
    standings.push(engine.standings().chk?.kind ?? "none");
    await timers.advance(seconds(1));
  }
  expect(standings).toEqual(["failed", "failed", "ok", "ok", "failed"]);
});

test("every success is told to the keeper, a standing only when it changes", async () => {
  const { timers, spawner, told } = setUp(script("interval 1") + instance("A", 1));
  for (let run = 0; run < 2; run++) {
    await timers.advance(millis(0));
    spawner.running()[0]?.end(0);
    await timers.advance(seconds(1));
  }
  expect(told).toEqual([
    [{ chk: { kind: "ok" } }, ["chk"]],
    [{}, ["chk"]],
  ]);
});

test("an unusable script is looked at again every interval and recovers when it can be run", async () => {
  const { timers, spawner, engine } = setUp(script("interval 1") + instance("A", 1));
  await timers.advance(millis(0));
  spawner.running()[0]?.end(0);
  spawner.unusable = { reason: "/usr/bin/chk does not exist", remedy: "install it" };
  await timers.advance(seconds(1));
  expect(engine.standings()).toEqual({ chk: { kind: "unusable", reason: "/usr/bin/chk does not exist; install it" } });
  spawner.unusable = null;
  await timers.advance(seconds(1));
  spawner.running()[0]?.end(0);
  expect(engine.standings()).toEqual({ chk: { kind: "ok" } });
});

test("a reload keeps standing and schedule of an unchanged command and forgets those of a changed one", async () => {
  const { timers, spawner, engine } = setUp(script("interval 2") + instance("A", 1));
  await timers.advance(millis(0));
  spawner.started[0]?.end(0);
  await timers.advance(seconds(1));
  engine.configure(configOf(script("interval 2\nfall 3") + instance("A", 1)));
  await timers.advance(millis(0));
  expect(spawner.started).toHaveLength(1);
  expect(engine.standings()).toEqual({ chk: { kind: "ok" } });
  engine.configure(configOf(`vrrp_script chk { script "/usr/bin/other"\ninterval 2 }${instance("A", 1)}`));
  await timers.advance(millis(0));
  expect(engine.standings()).toEqual({ chk: { kind: "unknown" } });
  expect(spawner.running().map(({ argv }) => argv)).toEqual([["/usr/bin/other"]]);
});

test("the last line of standard error explains a failure, and that of standard output when there is none", async () => {
  const { timers, spawner, events } = setUp(script("interval 1") + instance("A", 1));
  await timers.advance(millis(0));
  spawner.running()[0]?.end(3, { stderr: "Traceback\nImportError: libmysqlclient.so.21\n", stdout: "x" });
  await timers.advance(seconds(1));
  spawner.running()[0]?.end(4, { stdout: "replica is broken\n" });
  expect(events.map((body) => (body.kind === "check" ? body.lastError : null))).toEqual([
    "ImportError: libmysqlclient.so.21",
    "replica is broken",
  ]);
});

test("a command changed between two runs starts at once, and the run that was due is no second row of them", async () => {
  const { timers, spawner, engine } = setUp(script("interval 2") + instance("A", 1));
  await timers.advance(millis(0));
  spawner.started[0]?.end(0);
  await timers.advance(millis(500));
  engine.configure(configOf(`vrrp_script chk { script "/usr/bin/other"\ninterval 2 }${instance("A", 1)}`));
  await timers.advance(millis(0));
  expect(spawner.started.map(({ argv }) => argv[0])).toEqual(["/usr/bin/chk", "/usr/bin/other"]);
  spawner.started[1]?.end(0);
  await timers.advance(millis(1_999));
  expect(spawner.started).toHaveLength(2);
  await engine.stop();
  await timers.advance(seconds(10));
  expect(spawner.started).toHaveLength(2);
});
