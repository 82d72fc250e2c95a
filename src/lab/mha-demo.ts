/**
 * `holdfast lab demo mha`: one master, three replicas, MHA's configuration; the master is killed while it is written to. Tells what happens in
 * plain words and judges at the end: every committed row on every survivor, all of them following the new master.
 */
import { createLab } from "./lab.ts";
import { MHA_TOPOLOGY, MhaScene } from "./mha-scene.ts";
import { namespacesUnavailable } from "./namespace.ts";
import { sleep } from "./processes.ts";

/** What of the log a newcomer wants to see. */
const TOLD =
  /has ended|is not reachable|double check|Saved binary logs|New master is|Applying \d+ transactions|Setting read_only=0|Slave recovery on host|completed successfully/;

export async function demoMha(out: (text: string) => void): Promise<number> {
  const unavailable = await namespacesUnavailable();
  if (unavailable !== null) {
    out(`needs root: 1 not run (${unavailable})\n`);
    return 1;
  }
  const say = (text: string): void => out(`${text}\n`);
  const lab = await createLab(MHA_TOPOLOGY);
  const scene = new MhaScene(lab, { mode: "gtid", count: 4 });
  try {
    say("starting MariaDB on db1 (master), db2, db3 and db4 (replicas by GTID), ssh servers, and a manager's host");
    await scene.start();
    await scene.startSsh();
    scene.writeConf({ servers: { db2: ["no_master=1"], db3: ["candidate_master=1"] } });
    say(`\n$ masterha_check_repl --conf=${scene.conf}`);
    const check = await scene.run("masterha_check_repl");
    say(check.stdout.trimEnd().split("\n").slice(-1).join("\n"));
    if (check.code !== 0) return 1;
    say(`\n$ masterha_manager --conf=${scene.conf} &`);
    const manager = await scene.watching();
    say((await scene.run("masterha_check_status")).stdout.trimEnd());
    return await kill(scene, manager.exited, say);
  } finally {
    await scene.end();
    await lab.destroy();
  }
}

async function kill(scene: MhaScene, ended: Promise<number | null>, say: (text: string) => void): Promise<number> {
  const [db1, db2, db3, db4] = scene.four;
  const writing = scene.writeUntilItFails(db1);
  await sleep(1_000);
  say("\nkill -9 of the master's server, while it is written to");
  const at = performance.now();
  await db1.kill();
  await writing;
  const code = await ended;
  for (const line of scene.log.split("\n").filter((one) => TOLD.test(one))) say(`  ${line.replace(/^.{24} - /, "")}`);
  say(`\nthe manager has ended with ${code} after ${Math.round(performance.now() - at)} ms`);
  if (code !== 0) return 1;
  await scene.write(db3, 3);
  await scene.sameData([db2, db3, db4]);
  const missing = await scene.missing(db3);
  const following = await Promise.all([db2, db4].map((replica) => scene.follows(replica)));
  say(`committed rows: ${scene.acknowledged.size}, missing on the new master: ${missing.length}`);
  say(`db2 and db4 follow ${following.join(" and ")}; db2, db3 and db4 hold the same data`);
  return missing.length === 0 && following.every((host) => host === db3.host.address) ? 0 : 1;
}
