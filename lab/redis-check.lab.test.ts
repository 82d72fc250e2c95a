/**
 * The check of Redis against real servers: every way in which one can fail has its own cause, in status, in explain, and in
 * `holdfast probe`. The interval is long where an event must be noticed without one.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RedisView } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { type ExecResult, until } from "../src/lab/processes.ts";
import { REDIS_MANAGER, RedisServer } from "../src/lab/redis.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { holdfast, instanceWhen, statusOf } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const NEVER = "interval 60";
const OFTEN = "interval 0.3";

const config = (server: RedisServer, lines: string): string =>
  `redis cache {\n    server 127.0.0.1 6379\n    credentials ${server.managerFile}\n    ${lines}\n}\n` +
  instanceBlock({ lines: ["track_redis {", "    cache", "}"] });

const faulty = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT" && !it.holding);
const serving = (daemon: Daemon) => instanceWhen(daemon, "VI_1", (it) => it.holding);

const seen = (daemon: Daemon, wanted: (view: RedisView) => boolean): Promise<RedisView> =>
  until(async () => (await statusOf(daemon))?.redis.find(wanted), "the server is seen as wanted", 10_000);

const failsBy = (daemon: Daemon, kind: string) => seen(daemon, (it) => it.cause?.kind === kind);

const explained = async (daemon: Daemon): Promise<string> =>
  (await holdfast(daemon, "explain", "VI_1")).stdout.replaceAll(/\s+/g, " ");

const probe = (server: RedisServer, ...words: readonly string[]): Promise<ExecResult> =>
  server.host.exec([process.execPath, HOLDFAST_PROGRAM, "probe", "redis", ...words]);

describeStage("the check of a Redis server", (stage: Stage) => {
  let server: RedisServer;
  let other: RedisServer;

  beforeAll(async () => {
    server = new RedisServer(stage.host("db1"), {
      startsOpen: true,
      lines: ["enable-protected-configs yes", "save 3600 1"],
    });
    other = new RedisServer(stage.host("db2"), { startsOpen: true });
    for (const one of [server, other]) one.prepare();
    await Promise.all([server.start(), other.start()]);
  });

  afterAll(async () => {
    for (const one of [server, other]) if (one.program !== null) await one.kill();
  });

  test("its death is noticed at once, and its return", async () => {
    const daemon = stage.start("db1", config(server, NEVER));
    await serving(daemon);
    await server.kill();
    await faulty(daemon);
    expect(await seen(daemon, (it) => it.standing === "failed")).toMatchObject({ cause: { kind: "dead" } });
    expect(await explained(daemon)).toContain("the server is gone: its connection broke and nobody listens");
    await server.start();
    await serving(daemon);
  });

  test("a connection that somebody kills is no dead server; a server that hangs is told as such", async () => {
    const daemon = stage.start("db1", config(server, `${OFTEN}\n    timeout 0.3`));
    await serving(daemon);
    await server.ask("CLIENT", "KILL", "USER", REDIS_MANAGER.user);
    const view = await seen(daemon, (it) => it.standing === "ok");
    expect(view.version).toMatch(/^(Redis|Valkey) \d/);
    server.freeze();
    await failsBy(daemon, "timeout");
    await server.thaw();
    await serving(daemon);
  });

  test("full memory, refused saves and a refused account each have their own cause", async () => {
    const daemon = stage.start("db1", config(server, `${OFTEN}\n    fall 1\n    on_memory_full fail`));
    await serving(daemon);
    await server.ask("CONFIG", "SET", "maxmemory", "1");
    await failsBy(daemon, "memory-full");
    await server.ask("CONFIG", "SET", "maxmemory", "0");
    await seen(daemon, (it) => it.standing === "ok");
    await server.ask("CONFIG", "SET", "dir", "/proc");
    await server.ask("BGSAVE");
    await failsBy(daemon, "misconf");
    expect((await probe(server)).stderr).toContain("(MISCONF)");
    // Without save points a failed save refuses nobody.
    await server.ask("CONFIG", "SET", "save", "");
    await seen(daemon, (it) => it.standing === "ok");
    await server.ask("CONFIG", "SET", "save", "3600 1");
    await failsBy(daemon, "misconf");
    await server.ask("CONFIG", "SET", "dir", server.directory);
    await server.ask("BGSAVE");
    await seen(daemon, (it) => it.standing === "ok");
    await server.ask("ACL", "SETUSER", REDIS_MANAGER.user, "-info");
    await failsBy(daemon, "acl");
    await server.ask("ACL", "SETUSER", REDIS_MANAGER.user, "+info");
    await serving(daemon);
  });

  test("a circle is a fault although both links are up, and a changed password needs no restart", async () => {
    const daemon = stage.start("db1", config(server, OFTEN));
    await serving(daemon);
    // A new password: the old one stays until the daemon has read the file again.
    for (const one of [server, other]) await one.ask("ACL", "SETUSER", REDIS_MANAGER.user, ">rotated");
    const rotated = `[client]\nuser = ${REDIS_MANAGER.user}\npassword = "rotated"\n`;
    writeFileSync(server.managerFile, rotated, { mode: 0o600 });
    await server.ask("ACL", "SETUSER", REDIS_MANAGER.user, `<${REDIS_MANAGER.password}`);
    await server.ask("CLIENT", "KILL", "USER", REDIS_MANAGER.user);
    await seen(daemon, (it) => it.standing === "ok");
    await other.ask("REPLICAOF", server.host.address, "6379");
    await other.waitFor("master_link_status", "up");
    await server.ask("REPLICAOF", other.host.address, "6379");
    await server.waitFor("master_link_status", "up");
    expect((await failsBy(daemon, "circle")).trouble).toContain("replication goes in a circle");
    const asked = await probe(server, "-h", "127.0.0.1", "-p", "6379");
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining("goes in a circle") });
    await server.ask("REPLICAOF", "NO", "ONE");
    await serving(daemon);
    await other.ask("REPLICAOF", "NO", "ONE");
  });

  test("a probe stands in for redis-cli PING, by TCP, by socket and as an ACL user", async () => {
    expect(await probe(server, "PING")).toMatchObject({ code: 0, stdout: "PONG\n" });
    expect(await probe(server, "-s", server.socketPath, "ping")).toMatchObject({ code: 0, stdout: "PONG\n" });
    expect((await probe(server, "--defaults-file", server.managerFile)).stdout).toContain("is good");
    const wrong = join(server.directory, "wrong.cnf");
    writeFileSync(wrong, `[client]\nuser = ${REDIS_MANAGER.user}\npassword = "no"\n`, { mode: 0o600 });
    expect(await probe(server, "--defaults-file", wrong)).toMatchObject({ code: 4 });
    const open = join(server.directory, "open.cnf");
    writeFileSync(open, "[client]\npassword = x\n", { mode: 0o644 });
    expect((await probe(server, "--defaults-file", open)).stderr).toContain("chmod");
    expect(await probe(server, "-p", "1", "PING")).toMatchObject({ code: 1, stdout: "" });
    await other.ask("REPLICAOF", server.host.address, "6379");
    const replica = await probe(other, "--writable", "PING");
    expect(replica).toMatchObject({ code: 1, stderr: expect.stringContaining("is a replica of") });
    await other.ask("REPLICAOF", "NO", "ONE");
  });

  test("TLS: encrypted, and refused with another authority", async () => {
    const { key, cert } = await certificate(server);
    const tls = new RedisServer(stage.host("client"), {
      startsOpen: true,
      lines: ["tls-port 6390", `tls-cert-file ${cert}`, `tls-key-file ${key}`, "tls-auth-clients no"],
    });
    tls.prepare();
    await tls.start();
    const words = ["-h", "127.0.0.1", "-p", "6390", "PING"];
    expect(await probe(tls, "--tls", "required", ...words)).toMatchObject({ code: 0, stdout: "PONG\n" });
    expect(await probe(tls, "--tls", "verify-ca", "--cacert", cert, ...words)).toMatchObject({ code: 0 });
    const refused = await probe(tls, "--tls", "verify-ca", ...words);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining("TLS:") });
    await tls.kill();
  });
});

async function certificate(server: RedisServer): Promise<{ readonly key: string; readonly cert: string }> {
  const [key, cert] = [join(server.directory, "key.pem"), join(server.directory, "cert.pem")];
  await server.host.execOrThrow([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-keyout", key, "-out", cert],
  ]);
  return { key, cert };
}
