/** Managed Redis pairs with `holdfast witness` on a third host: what a store says counts, whatever happens to the witness itself. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { WITNESS_KEY, WitnessServer } from "../src/lab/witness.ts";
import { eventsOf, holdfast, instanceWhen, statusOf } from "./holdfast-client.ts";
import { RedisPair } from "./redis-pair.ts";
import { drop, type Stage } from "./stage.ts";

export function witnessTests(stage: Stage): void {
  let pair: RedisPair;
  let witness: WitnessServer;

  afterEach(async () => {
    await pair.end();
    await witness.kill();
    for (const name of ["db1", "db2"]) await stage.host(name).exec(["nft", "flush", "ruleset"]);
  });

  const clients = () => ["db1", "db2"].map((name) => stage.host(name).address);
  const start = (index: 0 | 1, ...lines: readonly string[]): Daemon => {
    const key = lines.some((line) => line.startsWith("key ")) ? [] : [`key 1 ${WITNESS_KEY}`];
    const block = [`endpoint ${witness.host.address}`, ...key, "active_key 1", ...lines];
    const store = ["quorum_store witness {", ...block.map((line) => `    ${line}`), "}", ""].join("\n");
    return stage.start(index === 0 ? "db1" : "db2", store + pair.config(index, ["policy consistency"]));
  };
  const serving = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.holding, 20_000);
  const group = async (daemon: Daemon) => (await statusOf(daemon))?.quorum?.groups[0];
  /** The record as the witness has it on its disk. */
  const onDisk = (): { readonly host: string; readonly epoch: number; readonly serial: number } | null => {
    const directory = join(witness.directory, "witness");
    const name = existsSync(directory) ? readdirSync(directory).find((one) => one.endsWith(".note")) : undefined;
    if (name === undefined) return null;
    const note = JSON.parse(readFileSync(join(directory, name), "utf8")) as { key: string; value: string };
    expect(note.key).toBe("/holdfast/redis/cache");
    return JSON.parse(note.value);
  };
  const prepare = async (...lines: readonly string[]): Promise<readonly [Daemon, Daemon]> => {
    pair = new RedisPair(stage);
    witness = new WitnessServer(stage.host("gateway"));
    witness.prepare();
    await Promise.all([pair.startServers(), witness.start(...clients())]);
    const first = start(0, ...lines);
    await serving(first);
    const second = start(1, ...lines);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await pair.inStep();
    return [first, second];
  };

  test.sequential("a standby that hears nobody is refused while the holder renews; a regular stop gives the record over at once", async () => {
    const [first, second] = await prepare();
    await drop(stage, "db1", "meta l4proto 112");
    const refused = await instanceWhen(second, "VI_1", (it) => it.state === "FAULT", 15_000);
    expect(refused.reason).toContain("holds the record in epoch 1 and renews it");
    expect([await stage.host("db1").holds(VIP), await stage.host("db2").holds(VIP)]).toEqual([true, false]);
    const said = (await holdfast(first, "status")).stdout.replace(/\s+/g, " ");
    expect(said).toContain(`quorum store witness (${witness.host.address}:8113): answers`);
    expect(said).toContain("the record is this host's, epoch 1");
    await first.stop();
    await serving(second);
    expect(await group(second)).toMatchObject({ held: true, epoch: 2 });
  });

  test.sequential("killed and started again it has its records, and nothing moves; without them the holder writes its own again", async () => {
    const [first, second] = await prepare("ttl 9");
    const moves = async (daemon: Daemon) => (await eventsOf(daemon)).filter(({ body }) => body.kind === "vrrp").length;
    const before = [await moves(first), await moves(second)];
    for (const lose of [false, true]) {
      await witness.kill();
      const written = onDisk()?.serial ?? 0;
      expect(written).toBeGreaterThan(0);
      if (lose) rmSync(join(witness.directory, "witness"), { recursive: true });
      await witness.start(...clients());
      const renewed = async () => (onDisk()?.serial ?? 0) > written || undefined;
      await until(renewed, "the holder renews its record", 8_000);
      expect(onDisk()).toMatchObject({ host: "db1", epoch: 1 });
      const seen = async () => (await group(second))?.holder === "db1" || undefined;
      await until(seen, "the standby sees it", 8_000);
      expect([await group(first), await group(second)]).toMatchObject([{ held: true }, { held: false, epoch: 1 }]);
    }
    expect([await moves(first), await moves(second)]).toEqual(before);
  });

  test.sequential("a frozen witness: the holder lets go in order; thawed, one of the two serves again", async () => {
    const [first, second] = await prepare();
    await witness.program?.signal("SIGSTOP");
    const gone = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT", 15_000);
    expect(gone.reason).toContain("this host may not serve");
    // Nobody else gets it either: there is nobody to grant it.
    await sleep(3_000);
    expect([await stage.host("db1").holds(VIP), await stage.host("db2").holds(VIP)]).toEqual([false, false]);
    expect((await holdfast(first, "status")).stdout.replace(/\s+/g, " ")).toContain("DOES NOT ANSWER");
    await witness.program?.signal("SIGCONT");
    const one = () => [first, second].map((daemon) => statusOf(daemon));
    const served = async () =>
      (await Promise.all(one())).filter((it) => it?.instances.some(({ holding }) => holding)).length === 1 || undefined;
    await until(served, "one of the two serves again", 25_000);
  });

  test.sequential("a wrong key: FAULT, with what to do, on the host and in the witness's log; no key in either", async () => {
    pair = new RedisPair(stage);
    witness = new WitnessServer(stage.host("gateway"));
    witness.prepare();
    await Promise.all([pair.startServers(), witness.start(...clients())]);
    const wrong = `hex:${"a5".repeat(32)}`;
    const first = start(0, `key 1 ${wrong}`);
    const refused = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT", 15_000);
    expect(refused.reason).toMatch(/quorum store cannot be reached .*key/);
    const said = (await holdfast(first, "status")).stdout.replace(/\s+/g, " ");
    expect(said).toContain("have its active key");
    const log = witness.program?.lines.map(({ text }) => text).join("\n") ?? "";
    expect(log).toContain(`${stage.host("db1").address} was turned away: TLS failed, its key may be another one`);
    for (const text of [said, log, first.program.lines.map((line) => line.text).join("\n")])
      expect(text).not.toContain(wrong.slice(4));
  });
}
