/**
 * The four incidents that pairs under keepalived are known for, and a planned move, on Redis. The story is the same for every daemon; what it
 * makes of it is judged from outside (outcome.ts).
 */
import { wallClock } from "../clock.ts";
import { sleep, until } from "../processes.ts";
import { judge, type Outcome, type Telling, writtenOnBoth } from "./outcome.ts";
import type { IncidentScene, Member } from "./scene.ts";

export interface Incident {
  readonly name: string;
  readonly title: string;
  play(scene: IncidentScene, telling: Telling): Promise<Outcome>;
}

/** Three adverts, a skew time of less than one, and what a daemon needs. */
const LONGER_THAN_MASTER_DOWN_MS = 6_000;
const A_WHILE_MS = 1_000;
/** Which comes first is chance at a cold start; this way round the notify scripts do the most harm. */
const DAEMONS_APART_MS = 500;
/** The stated time of docs/redis.md, and what looking costs. */
const LETS_GO_MS = 10_000;
/** A writer without its replica refuses writes when `min_replicas_max_lag` (3 s) is over: Redis counts whole seconds, once a second. */
const NO_WRITES_ALONE_MS = 3_000 + 2_000;

async function coldStart(scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const [one, two] = scene.members;
  const fault = telling.fault("db1, the writer, loses its power");
  await scene.powerOff(one);
  telling.at(
    await scene.firstWrite(two, fault),
    "db2 has acknowledged a write: from now on it alone has the newest data",
  );
  await scene.writesReach(two);
  telling.now("db2 loses its power as well");
  await scene.powerOff(two);
  await sleep(500);
  const started = telling.now(
    "power is back on both hosts: both servers start, then db2's daemon and db1's, a moment apart",
  );
  await Promise.all(scene.members.map((member) => scene.startServer(member)));
  scene.startDaemon(two);
  await sleep(DAEMONS_APART_MS);
  scene.startDaemon(one);
  let circles = 0;
  const served = async () => {
    if (await scene.circle()) circles++;
    return scene.takenBy(one, started).length + scene.takenBy(two, started).length > 20 || undefined;
  };
  await until(served, "somebody takes writes", 45_000);
  const first = scene.writes.find(({ ok, start }) => ok && start >= started);
  const writer = await scene.writer();
  telling.at(first?.end ?? null, `first write after the cold start, on ${writer?.name ?? "more than one server"}`);
  if (circles > 0) telling.problem("both were replicas of each other: nobody could have taken a write or been filled");
  return await judge(scene, telling, { incident: "cold-start-both", since: started });
}

async function staleVip(scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const [one, two] = scene.members;
  await writesFromWriter(scene);
  const fault = telling.fault("both processes of the daemon on db1, the writer, get kill -9; Redis goes on running");
  await one.daemon?.killBoth();
  const first = await scene.firstWrite(two, fault);
  await sleep(2 * A_WHILE_MS);
  const removed = scene.observer.first("db1", "removed", fault);
  const added = scene.observer.first("db2", "added", fault);
  telling.at(removed, removed === null ? "db1 keeps the address" : "the address is gone from db1, by itself");
  telling.at(added, "db2 has the address");
  telling.at(first, first === null ? "db2 has acknowledged nothing" : "db2 has acknowledged a write");
  if (added !== null && (removed === null || removed > added)) telling.problem("both hosts had the address");
  const both = first === null ? 0 : writtenOnBoth(scene, one, first);
  if (both > 0) telling.problem(`both servers took writes: ${both} on db1 after db2 had begun`);
  telling.now("the daemon on db1 is started again");
  scene.startDaemon(one);
  return await judge(scene, telling, { incident: "stale-vip", since: fault });
}

async function partition(scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const [one, two] = scene.members;
  await writesFromWriter(scene);
  const fault = telling.fault("the switch drops everything to and from db1, the writer; an application runs there too");
  await scene.lab.cutLink("db1", "silent");
  const first = await scene.firstWrite(two, fault);
  const gone = () => scene.observer.first("db1", "removed", fault) ?? undefined;
  const removed = await until(gone, "db1 lets go", LETS_GO_MS).catch(() => null);
  await sleep(A_WHILE_MS);
  telling.at(scene.observer.first("db2", "added", fault), "db2 has the address");
  telling.at(first, first === null ? "db2 has acknowledged nothing" : "db2 has acknowledged a write");
  const alone = scene.takenBy(one, fault);
  const both = first === null ? 0 : writtenOnBoth(scene, one, first);
  telling.at(
    alone.at(-1)?.end ?? null,
    `the last write on db1: ${alone.length} since the cut, ${both} after db2 had begun`,
  );
  telling.at(removed, removed === null ? "db1 keeps the address" : "db1 has let the address go");
  if (removed === null) telling.problem("the writer that was cut off kept the address as long as the cut lasted");
  const late = scene.takenBy(one, fault + NO_WRITES_ALONE_MS).length;
  if (late > 0) telling.problem(`both servers took writes: ${late} on db1 long after db2 had begun`);
  telling.now("the cut is mended");
  await scene.lab.restoreLink("db1");
  await scene.inStep();
  await scene.writesReach((await scene.writer()) ?? two);
  await cutStandby(scene, telling);
  return await judge(scene, telling, { incident: "partition", since: fault });
}

/** An application on the writer's own host, which finds the address there whatever the network says. */
async function writesFromWriter(scene: IncidentScene): Promise<void> {
  scene.writeFrom("db1");
  const acknowledged = () => scene.writes.some(({ ok, client }) => ok && client === "db1") || undefined;
  await until(acknowledged, "a write from db1", 10_000);
}

/** Whoever is the standby now: alone it can prove nothing, so it must not claim. */
async function cutStandby(scene: IncidentScene, telling: Telling): Promise<void> {
  const writer = await scene.writer();
  if (writer === null) return;
  const standby = scene.other(writer);
  const cut = telling.now(`now the switch drops everything to and from ${standby.name}, the standby`);
  await scene.lab.cutLink(standby.name, "silent");
  await sleep(LONGER_THAN_MASTER_DOWN_MS);
  const claimed = scene.observer.first(standby.name, "added", cut);
  telling.at(
    claimed,
    claimed === null ? `${standby.name} has not claimed` : `${standby.name} has claimed the address too`,
  );
  if (claimed !== null) telling.problem("a standby that reached neither peer nor gateway claimed the address");
  telling.now("the cut is mended");
  await scene.lab.restoreLink(standby.name);
}

/** Both reach the gateway, so both may write (docs/redis.md); afterwards one of them must, and have or keep what the other one took. */
async function partitionBetween(scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const [, two] = scene.members;
  await writesFromWriter(scene);
  const fault = telling.fault("db1, the writer, and db2 lose each other; client and gateway reach both");
  await scene.cutBetween();
  telling.at(await scene.firstWrite(two, fault), "db2 has acknowledged a write");
  await sleep(2 * A_WHILE_MS);
  const mended = telling.now("the cut is mended");
  await scene.mendBetween();
  await sleep(LONGER_THAN_MASTER_DOWN_MS);
  const since = mended + A_WHILE_MS;
  const taken = scene.members.map((member) => scene.takenBy(member, since).length);
  telling.now(`writes since a second after: ${taken[0]} on db1, ${taken[1]} on db2`);
  if (!taken.some((count) => count > 0)) telling.problem("after the cut nobody takes writes");
  return await judge(scene, telling, { incident: "partition-between", since: fault, bothMay: true });
}

async function faultToMaster(scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const [one, two] = scene.members;
  const before = one.hooks.lines.length;
  const fault = telling.fault("db1's Redis is killed");
  await one.server.kill();
  telling.at(await scene.firstWrite(two, fault), "db2 has acknowledged a write: db1's data are old from now on");
  await scene.writesReach(two);
  await hooksSeen(one, before + 1);
  telling.now("db2's Redis is killed as well");
  await two.server.kill();
  await sleep(A_WHILE_MS);
  const back = telling.now("db1's Redis is back alone: db1 leaves FAULT");
  await scene.startServer(one);
  await sleep(LONGER_THAN_MASTER_DOWN_MS);
  const early = scene.takenBy(one, back);
  telling.at(early[0]?.end ?? null, early.length === 0 ? "db1 takes no writes" : "db1 takes writes on its old data");
  telling.now("db2's Redis is back");
  await scene.startServer(two);
  await scene.inStep();
  const writer = (await scene.writer()) ?? two;
  await scene.writesReach(writer);
  telling.now(`${writer.name} takes writes, the other one follows`);
  if (writer === two) await returnToOne(scene, telling);
  await until(() => one.hooks.lines.at(-1)?.includes(" MASTER ") || undefined, "MASTER's hook", 10_000).catch(
    () => undefined,
  );
  await sleep(A_WHILE_MS);
  const states = one.hooks.lines.slice(before).map((line) => line.split(" ")[2] ?? "");
  telling.now(`hooks on db1: ${states.join(", ")}`);
  // A claim that is refused is FAULT again.
  if (!/^FAULT(,BACKUP,FAULT)*,BACKUP,MASTER$/.test(states.join()))
    telling.problem(`hooks on db1 ran as ${states.join(", ")}`);
  return await judge(scene, telling, { incident: "fault-to-master", since: fault });
}

async function returnToOne(scene: IncidentScene, telling: Telling): Promise<void> {
  const [one, two] = scene.members;
  await scene.inStep();
  await until(() => one.hooks.lines.at(-1)?.includes(" BACKUP ") || undefined, "db1 is BACKUP", 30_000);
  const at = telling.now("db2's Redis is killed again; db1 has everything now, and is BACKUP");
  await two.server.kill();
  telling.at(await scene.firstWrite(one, at), "db1 has acknowledged a write");
  await scene.startServer(two);
}

async function hooksSeen(member: Member, count: number): Promise<void> {
  const ran = () => member.hooks.lines.length >= count || undefined;
  // Too few are told as what they are.
  await until(ran, `${count} hooks`, 10_000).catch(() => undefined);
}

async function switchover(scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const [one, two] = scene.members;
  await writesFromWriter(scene);
  const order = scene.kind === "holdfast" ? "holdfast switchover cache" : "keepalived is stopped on db1";
  const at = telling.fault(`an operator moves the writer: ${order}`);
  await scene.move(one);
  const first = await scene.firstWrite(two, at);
  telling.at(first, first === null ? "db2 has acknowledged nothing" : "db2 has acknowledged a write");
  await sleep(A_WHILE_MS);
  const both = first === null ? 0 : writtenOnBoth(scene, one, first);
  if (both > 0) telling.problem(`both servers took writes: ${both} on db1 after db2 had begun`);
  // Under keepalived nothing tells a stopped host's server that it is no master any more.
  if ((await one.server.info("role")) === "master") telling.problem("db1's server goes on taking writes beside db2's");
  if (scene.kind === "keepalived") {
    telling.now("keepalived on db1 is started again");
    scene.startDaemon(one);
  }
  return await judge(scene, telling, { incident: "switchover", since: at - A_WHILE_MS });
}

export const INCIDENTS: readonly Incident[] = [
  { name: "cold-start-both", title: "both hosts start at once, one of them with older data", play: coldStart },
  { name: "stale-vip", title: "the daemon is killed and leaves the address behind", play: staleVip },
  { name: "partition", title: "the two hosts lose each other", play: partition },
  { name: "partition-between", title: "the two hosts lose each other, but not the gateway", play: partitionBetween },
  { name: "fault-to-master", title: "a host with older data leaves FAULT", play: faultToMaster },
  { name: "switchover", title: "a planned move", play: switchover },
];

/** A story that stops half way is told as a failure of its own, with what the daemons said last. */
export async function play(incident: Incident, scene: IncidentScene, telling: Telling): Promise<Outcome> {
  const since = wallClock();
  try {
    return await incident.play(scene, telling);
  } catch (error) {
    telling.problem(error instanceof Error ? error.message : String(error));
    const acknowledged = scene.writes.filter(({ ok }) => ok).length;
    const nothing = {
      lost: 0,
      copied: 0,
      outage: wallClock() - since,
      answeredTwice: scene.observer.answeredTwice.length,
    };
    return { incident: incident.name, kind: scene.kind, acknowledged, ...nothing, problems: telling.problems };
  }
}
