/** Managed Redis pairs under a real etcd: who may serve is what its records say, and what happens without it is what the policy says. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { StatusReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { EtcdServer } from "../src/lab/etcd.ts";
import { VIP } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { eventsOf, holdfast, instanceWhen, statusOf } from "./holdfast-client.ts";
import { RedisPair } from "./redis-pair.ts";
import { describeStages, drop, type Stage } from "./stage.ts";
import { witnessTests } from "./witness.suite.ts";

const KEY = "/holdfast/redis/cache";

/** A pair and an etcd for each test. */
function etcdScene(stage: Stage) {
  let pair: RedisPair;
  let etcd: EtcdServer;

  afterEach(async () => {
    await pair.end();
    await etcd.kill();
    for (const name of ["db1", "db2"]) await stage.host(name).exec(["nft", "flush", "ruleset"]);
  });

  const prepare = async (options: ConstructorParameters<typeof EtcdServer>[1] = {}): Promise<void> => {
    pair = new RedisPair(stage);
    etcd = new EtcdServer(stage.host("gateway"), options);
    etcd.prepare();
    await Promise.all([pair.startServers(), etcd.start()]);
  };
  const store = (...lines: readonly string[]): string =>
    ["quorum_store etcd {", `    endpoint ${etcd.url}`, ...lines.map((line) => `    ${line}`), "}", ""].join("\n");
  const start = (index: 0 | 1, policy: string, block = store()): Daemon =>
    stage.start(index === 0 ? "db1" : "db2", block + pair.config(index, [`policy ${policy}`]));
  const record = async (): Promise<{ life: string | null; epoch: number }> =>
    JSON.parse(await etcd.ctl("get", "--print-value-only", KEY)) as { life: string | null; epoch: number };
  const serving = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.holding, 20_000);

  const watchAddress = () => ["db1", "db2"].map((name) => stage.host(name).spawn(["ip", "-ts", "monitor", "address"]));
  /** db1's kernel had lost the address before db2's got it, and each once. */
  const movedInOrder = async (monitors: ReturnType<typeof watchAddress>): Promise<void> => {
    const [gone, come] = monitors.map(({ lines }, index) =>
      lines
        .filter(({ text }) => text.includes(VIP) && text.includes("Deleted") === (index === 0))
        .map(({ text }) => stampOf(text)),
    );
    expect(gone).toHaveLength(1);
    expect(gone?.[0] ?? "").toMatch(/^2/);
    expect((gone?.[0] ?? "") < (come?.[0] ?? "")).toBe(true);
    for (const monitor of monitors) await monitor.signal("SIGKILL");
  };

  return {
    prepare,
    store,
    start,
    record,
    serving,
    watchAddress,
    movedInOrder,
    inStep: () => pair.inStep(),
    get etcd(): EtcdServer {
      return etcd;
    },
  };
}

/** Who may have the record. */
function grantTests(stage: Stage): void {
  const scene = etcdScene(stage);
  const { prepare, start, record, serving, watchAddress, movedInOrder, inStep } = scene;

  test.sequential("a standby that hears nobody is refused while the holder renews its record", async () => {
    await prepare();
    const first = start(0, "consistency");
    await instanceWhen(first, "VI_1", (it) => it.phase === "CLAIMING");
    const waiting = (await holdfast(first, "status")).stdout.replace(/\s+/g, " ");
    expect(waiting).toMatch(/there is no record, and whoever had one may still answer: the claim goes on in \d\.\d s/);
    await serving(first);
    expect(await record()).toMatchObject({ epoch: 1 });
    const second = start(1, "consistency");
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await inStep();
    await drop(stage, "db1", "meta l4proto 112");
    const refused = await instanceWhen(second, "VI_1", (it) => it.state === "FAULT", 15_000);
    expect(refused.reason).toContain("holds the record in epoch 1 and renews it");
    expect(await stage.host("db2").holds(VIP)).toBe(false);
    expect(await stage.host("db1").holds(VIP)).toBe(true);
    const explained = (await holdfast(second, "explain", "VI_1")).stdout.replace(/\s+/g, " ");
    expect(explained).toContain("quorum store: db1 has the record of redis/cache in epoch 1");
    expect((await holdfast(first, "status")).stdout).toContain("the record is this host's, epoch 1");
    // A regular stop gives the record back, and nobody has to wait for it.
    await first.stop();
    await serving(second);
    expect(await record()).toMatchObject({ epoch: 2 });
  });

  test.sequential("consistency: a holder that the store does not hear lets go before another can have the record", async () => {
    await prepare();
    const first = start(0, "consistency");
    await serving(first);
    const second = start(1, "consistency");
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await inStep();
    const monitors = watchAddress();
    await drop(stage, "db1", "tcp dport 2379");
    await serving(second);
    expect(await record()).toMatchObject({ epoch: 2 });
    expect((await instanceWhen(first, "VI_1", (it) => it.state === "FAULT")).reason).toContain(
      "this host may not serve",
    );
    await movedInOrder(monitors);
  });

  test.sequential("a store that is emptied grants nothing before the holder, whom nobody hears, must have let go", async () => {
    await prepare();
    const first = start(0, "consistency");
    await serving(first);
    const second = start(1, "consistency");
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await inStep();
    const monitors = watchAddress();
    await drop(stage, "db1", "tcp dport 2379");
    await scene.etcd.ctl("del", KEY);
    await drop(stage, "db1", "meta l4proto 112");
    await serving(second);
    expect(await record()).toMatchObject({ epoch: 2 });
    await movedInOrder(monitors);
  });
}

/** What becomes of a holder whose store is lost, made anew or not to be asked. */
function lossTests(stage: Stage): void {
  const scene = etcdScene(stage);
  const { prepare, store, start, record, serving, inStep } = scene;

  test.sequential("a store that is made anew under the holder gets its record again, and nothing moves", async () => {
    await prepare();
    const block = store("ttl 9");
    const first = start(0, "consistency", block);
    await serving(first);
    const second = start(1, "consistency", block);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await inStep();
    const [before, waiting] = [await moves(first), await moves(second)];
    const { life } = await record();
    await scene.etcd.kill();
    scene.etcd.prepare();
    await scene.etcd.start();
    const again = async () => ((await record().catch(() => null))?.life === life ? true : undefined);
    await until(again, "the holder writes its record again", 15_000);
    expect(await record()).toMatchObject({ epoch: 1 });
    await storeSays(second, (it) => it.groups[0]?.holder === "db1" && it.groups[0].epoch === 1);
    expect([await moves(first), await moves(second)]).toEqual([before, waiting]);
  });

  test.sequential("availability: the store goes down and nothing moves; the holder stops and the other goes on without it", async () => {
    await prepare();
    const first = start(0, "availability");
    await serving(first);
    const second = start(1, "availability");
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await inStep();
    const [before, waiting] = [await moves(first), await moves(second)];
    await scene.etcd.kill();
    await storeSays(first, (it) => it.answers === false);
    // Longer than ttl and every wait after it.
    await sleep(7_000);
    expect(before).toContain("MASTER");
    expect([await moves(first), await moves(second)]).toEqual([before, waiting]);
    await first.stop();
    await serving(second);
    expect((await statusOf(second))?.quorum?.groups[0]).toMatchObject({ without: true, held: false });
  });

  test.sequential("TLS and a user: a wrong password and another pair's record are named, and a claim is granted when both are right", async () => {
    const host = stage.host("gateway");
    const [cert, key] = [join(host.directory, "etcd.crt"), join(host.directory, "etcd.key")];
    const made = ["-x509", "-nodes", "-days", "1", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    const name = ["-subj", "/CN=etcd", "-addext", `subjectAltName=IP:${host.address}`];
    await host.execOrThrow(["openssl", "req", ...made, ...name, "-keyout", key, "-out", cert]);
    await prepare({ tls: { cert, key, ca: cert } });
    await scene.etcd.ctl("put", KEY, foreignRecord());
    for (const [one, ...words] of [
      ["user", "add", "root:r00t"],
      ["user", "grant-role", "root", "root"],
      ["auth", "enable"],
    ] as const)
      await scene.etcd.ctl(one, ...words);
    const credentials = join(stage.host("db1").directory, "etcd.cnf");
    const login = (password: string) =>
      writeFileSync(credentials, `[client]\nuser = root\npassword = ${password}\n`, { mode: 0o600 });
    login("wrong");
    const first = start(0, "consistency", store(`tls_ca ${cert}`, `credentials ${credentials}`));
    const denied = await instanceWhen(first, "VI_1", (it) => it.state === "FAULT");
    expect(denied.reason).toMatch(/refuses this host .*authentication failed/);
    login("r00t");
    const foreign = await instanceWhen(first, "VI_1", (it) => it.reason?.includes("another pair") === true);
    expect(foreign.reason).toContain("elsewhere with 192.0.2.1");
    await scene.etcd.ctl("--user", "root:r00t", "del", KEY);
    await serving(first);
    expect((await statusOf(first))?.quorum).toMatchObject({ answers: true, groups: [{ held: true, epoch: 1 }] });
  });
}

describeStages("a managed pair with a third vote", {
  "of etcd: who has it": grantTests,
  "of etcd: without it": lossTests,
  "of a witness": witnessTests,
});

const stampOf = (text: string): string => /\[([^\]]+)\]/.exec(text)?.[1] ?? "";
/** Every state and phase that it has entered. */
const moves = async (daemon: Daemon): Promise<readonly string[]> =>
  (await eventsOf(daemon)).flatMap(({ body }) =>
    body.kind === "vrrp" && (body.report.kind === "state" || body.report.kind === "phase") ? [body.report.to] : [],
  );
type Store = NonNullable<StatusReply["quorum"]>;

const storeSays = (daemon: Daemon, wanted: (store: Store) => boolean): Promise<true> =>
  until(
    async () => {
      const quorum = (await statusOf(daemon))?.quorum ?? null;
      return quorum !== null && wanted(quorum) ? true : undefined;
    },
    "the daemon says so of the store",
    15_000,
  );

const foreignRecord = (): string =>
  JSON.stringify({
    form: "holdfast-writer-1",
    host: "elsewhere",
    life: null,
    epoch: 9,
    serial: 1,
    ttlMillis: 4_000,
    silenceMillis: 1_100,
    addresses: ["192.0.2.1"],
  });
