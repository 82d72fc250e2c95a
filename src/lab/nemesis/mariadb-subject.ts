/**
 * A MariaDB pair for the nemesis: semi-synchronous both ways, managed by Holdfast, or under keepalived with the hooks of the demonstration.
 * A server that has committed what nobody else has is left in quarantine by design: the operator here makes it anew, in a calm.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Daemon, type DaemonKind, startDaemon } from "../daemon.ts";
import { type Lab, VIP } from "../lab.ts";
import { APPLICATION, MariadbServer, replicateFrom } from "../mariadb.ts";
import { AddressObserver } from "../observer.ts";
import { demoConfig } from "../pair.ts";
import { HOLDFAST_PROGRAM, PROJECT_ROOT } from "../paths.ts";
import { type RunningProgram, sleep, until } from "../processes.ts";
import { withSql } from "../sql-client.ts";
import type { WriteRecord } from "../writer.ts";
import type { SeenWrite } from "./judgement.ts";
import { otherOf, type Target } from "./plan.ts";
import type { Subject, SubjectMember } from "./subject.ts";

/** One on each database's host finds the address there whatever the network says. */
const APPLICATIONS = ["client", "gateway", "db1", "db2"] as const;
const INTERVAL_MS = 60;
/** Ids of one application. */
const IDS = 1_000_000_000;
const STOPS_MS = 20_000;
/** A refused claim is tried again after a while. */
const OPENED_MS = 20_000;
/** The writer's daemon looks after a server that is back once a second. */
const SETTLES_MS = 4_000;
/** Commits that wait for an acknowledgement keep their sessions after their clients have gone. */
const MORE = "max_connections = 500";

interface Member {
  readonly name: Target;
  readonly server: MariadbServer;
  daemon: Daemon | null;
}

export class MariadbSubject implements Subject {
  readonly database = "mariadb";
  readonly store = null;
  readonly kind: DaemonKind;
  readonly lab: Lab;
  readonly programs: { readonly host: Target; readonly program: RunningProgram }[] = [];
  readonly #pair: readonly [Member, Member];
  readonly #key = randomBytes(32).toString("hex");
  readonly #writes: SeenWrite[] = [];
  readonly #writers: RunningProgram[] = [];
  #observer: AddressObserver | null = null;

  private constructor(lab: Lab, kind: DaemonKind) {
    this.lab = lab;
    this.kind = kind;
    const member = (name: Target, id: number): Member => ({
      name,
      server: new MariadbServer(lab.host(name), id),
      daemon: null,
    });
    this.#pair = [member("db1", 1), member("db2", 2)];
  }

  static async start(lab: Lab, kind: DaemonKind): Promise<MariadbSubject> {
    const subject = new MariadbSubject(lab, kind);
    try {
      await subject.#setUp();
      return subject;
    } catch (error) {
      await subject.end();
      throw error;
    }
  }

  async #setUp(): Promise<void> {
    const [one, two] = this.#pair.map(({ server }) => server) as [MariadbServer, MariadbServer];
    for (const server of [one, two]) {
      await server.prepare();
      server.configure(MORE);
    }
    await Promise.all([one.start(), two.start()]);
    await Promise.all([replicateFrom(one, two), replicateFrom(two, one)]);
    this.startDaemon("db1");
    await until(async () => (await one.host.holds(VIP)) || undefined, `db1 holds ${VIP}`, 30_000);
    this.startDaemon("db2");
    const hosts = [one.host, two.host];
    this.#observer = await AddressObserver.start(this.lab, hosts);
    APPLICATIONS.forEach((host, index) => {
      this.#writeFrom(host, index * IDS);
    });
    await until(() => this.#writes.filter(({ ok }) => ok).length > 20 || undefined, "writes are acknowledged", 20_000);
    await this.whole(30_000);
  }

  #writeFrom(client: string, behind: number): void {
    const program = join(PROJECT_ROOT, "dist/lab/writer.js");
    const { user, password } = APPLICATION;
    const words = [VIP, user, password, String(INTERVAL_MS), String(behind)];
    const writer = this.lab.host(client).spawn([process.execPath, program, ...words]);
    writer.onLine(({ text }) => {
      if (!text.startsWith("{")) return;
      const { id, server, start, end, ok } = JSON.parse(text) as WriteRecord;
      const member = this.#pair.find((it) => it.server.serverId === server)?.name ?? null;
      this.#writes.push({ key: String(id), client, start, end, ok, member });
    });
    this.#writers.push(writer);
  }

  get observer(): AddressObserver {
    if (this.#observer === null) throw new Error("nobody observes yet");
    return this.#observer;
  }

  get members(): readonly [SubjectMember, SubjectMember] {
    const member = ({ name, server, daemon }: Member) => ({ name, host: server.host, daemon });
    return [member(this.#pair[0]), member(this.#pair[1])];
  }

  #member(target: Target): Member {
    return this.#pair[target === "db1" ? 0 : 1];
  }

  startDaemon(target: Target): void {
    const member = this.#member(target);
    const { server } = member;
    const peer = this.#member(otherOf(target)).server;
    const managed = this.kind === "holdfast";
    const config = demoConfig({
      host: server.host,
      peerAddress: peer.host.address,
      priority: target === "db1" ? 100 : 90,
      server,
      daemonKind: this.kind,
      managed,
      key: this.#key,
    });
    const text = managed
      ? config.replace("mysql orders {", `mysql orders {\n${makingAnew(server, peer).join("\n")}`)
      : config;
    member.daemon = startDaemon(server.host, { kind: this.kind, config: text });
    this.programs.push({ host: target, program: member.daemon.program });
  }

  killDatabase(target: Target): Promise<void> {
    return this.#member(target).server.kill();
  }

  startDatabase(target: Target): Promise<void> {
    return this.#member(target).server.start();
  }

  /** As a service manager: kill -9 for one that does not stop in time. */
  async stopDatabase(target: Target): Promise<void> {
    const { server } = this.#member(target);
    process.kill(server.outsidePid(), "SIGTERM");
    const stopped = () => !this.databaseRuns(target) || undefined;
    await until(stopped, `mariadbd on ${target} stops`, STOPS_MS).catch(() => server.kill());
  }

  /** It may have been started by the daemon's operator, and so be no child of this process. */
  databaseRuns(target: Target): boolean {
    const { server } = this.#member(target);
    try {
      return existsSync(server.pidFile) && server.outsidePid() > 0;
    } catch {
      return false;
    }
  }

  freezeDatabase(target: Target): void {
    process.kill(this.#member(target).server.outsidePid(), "SIGSTOP");
  }

  async thawDatabase(target: Target): Promise<void> {
    const { server } = this.#member(target);
    process.kill(server.outsidePid(), "SIGCONT");
    // The nsenter above it has stopped with it.
    await server.program?.signal("SIGCONT");
  }

  writes(): readonly SeenWrite[] {
    return [...this.#writes];
  }

  async stopWriting(): Promise<void> {
    for (const writer of this.#writers) writer.endInput();
    await Promise.all(this.#writers.map((writer) => writer.exited));
  }

  async whole(timeoutMs: number): Promise<void> {
    let last = "";
    const same = async () => {
      last = await this.#lacking().catch((error) => String(error));
      return last === "" ? true : undefined;
    };
    await until(same, "one writes and each follows the other", timeoutMs).catch((error) => {
      throw new Error(`${String(error)}: ${last}`);
    });
  }

  /** What is missing to a whole pair; empty when nothing is. */
  async #lacking(): Promise<string> {
    const writer = await this.writer();
    if (writer === null) return "not one server is open and has the address";
    for (const { name, server } of this.#pair) {
      const { Slave_IO_Running: io, Slave_SQL_Running: sql, Last_SQL_Error, Last_IO_Error } = await server.replica();
      if (io !== "Yes" || sql !== "Yes")
        return `${name} receives ${io}, executes ${sql} ${Last_SQL_Error || Last_IO_Error || ""}`;
    }
    const position = await this.#member(writer).server.value("SELECT @@gtid_binlog_pos");
    const waited = await this.#member(otherOf(writer)).server.value(`SELECT MASTER_GTID_WAIT('${position}', 4)`);
    return waited === "0" ? "" : `${otherOf(writer)} lacks something of ${position}`;
  }

  async writer(): Promise<Target | null> {
    const open = await this.#those(async ({ server }) => (await server.value("SELECT @@read_only")) === "0");
    const holders = await this.#those(({ server }) => server.host.holds(VIP));
    return open.length === 1 && holders.length === 1 && open[0] === holders[0] ? (open[0] ?? null) : null;
  }

  async #those(is: (member: Member) => Promise<boolean>): Promise<readonly Target[]> {
    const answers = await Promise.all(this.#pair.map((member) => is(member).catch(() => false)));
    return this.#pair.filter((_, index) => answers[index]).map(({ name }) => name);
  }

  async keysOn(target: Target): Promise<ReadonlySet<string>> {
    const rows = await this.#member(target).server.query("SELECT id FROM shop.orders");
    return new Set(rows.map(({ id }) => id ?? ""));
  }

  async operate(): Promise<string | null> {
    if (this.kind !== "holdfast" || (await this.#lacking()) === "") return null;
    const opened = (await this.writer()) === null ? await this.#openLastWriter() : "";
    const writer = await this.writer();
    if (writer === null) return `${opened}nobody writes`;
    const standby = otherOf(writer);
    if (/"end":\s*"whole"/.test(await this.#order(standby, "rejoin", "orders", "--json")))
      return `${opened}holdfast rejoin orders on ${standby}: whole`;
    const anew = await this.#order(standby, "rejoin", "orders", "--json", "--reseed");
    return `${opened}holdfast rejoin orders --reseed on ${standby}: ${/"end":\s*"[^"]*"/.exec(anew)?.[0] ?? anew.slice(0, 200)}`;
  }

  /**
   * Whoever told applications last that their writes are committed. A peer that answers and has transactions of its own forbids that, by no
   * option to be passed over, and may have stopped replication by what has come in from it: then they are passed over by position, as
   * `holdfast skip` does it one by one, and that peer's server is stopped for a while.
   */
  async #openLastWriter(): Promise<string> {
    const last = this.#writes.filter(({ ok }) => ok).at(-1)?.member ?? "db1";
    if (await this.#takesOver(last)) return `holdfast takeover orders --accept-loss on ${last}; `;
    const peer = otherOf(last);
    const { server } = this.#member(last);
    if ((await server.replica()).Last_SQL_Errno !== "0") {
      const behind = await this.#member(peer).server.value("SELECT @@gtid_binlog_pos");
      for (const order of ["STOP SLAVE", ...passOver(behind), "START SLAVE"]) await server.query(order);
      await sleep(SETTLES_MS);
    }
    await this.stopDatabase(peer);
    const done = await this.#takesOver(last);
    await this.startDatabase(peer);
    await sleep(SETTLES_MS);
    return `the server on ${peer} stopped, holdfast takeover orders --accept-loss on ${last}${done ? "" : ", in vain"}; `;
  }

  async #takesOver(target: Target): Promise<boolean> {
    await this.#order(target, "takeover", "orders", "--accept-loss");
    const opened = async () => (await this.#isOpen(target)) || undefined;
    return await until(opened, "it is opened", OPENED_MS).catch(() => false);
  }

  async #isOpen(target: Target): Promise<boolean> {
    const { server } = this.#member(target);
    return (await server.host.holds(VIP)) && (await server.value("SELECT @@read_only").catch(() => "")) === "0";
  }

  /** As an operator types it; what was answered, and what was complained of. */
  async #order(target: Target, ...words: readonly string[]): Promise<string> {
    const { server, daemon } = this.#member(target);
    const argv = [process.execPath, HOLDFAST_PROGRAM, ...words, "-p", daemon?.pidFile ?? ""];
    const { stdout, stderr } = await server.host.exec(argv, { timeoutMs: 60_000 });
    return stdout || stderr;
  }

  /** What was exported before a server was made anew, and the old data directories, which are kept. */
  async keysSetAside(): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (const { server, daemon } of this.#pair) {
      for (const file of filesIn(join(dirname(daemon?.pidFile ?? ""), "rejoin"), /\.sql$/)) {
        const inserted = /### INSERT INTO `shop`\.`orders`\n### SET\n###\s+@1=(\d+)/g;
        for (const [, id] of readFileSync(file, "utf8").matchAll(inserted)) keys.add(id ?? "");
      }
      for (const folder of filesIn(server.directory, /^data\.before-/)) {
        for (const id of await idsIn(server, folder)) keys.add(id);
      }
    }
    return keys;
  }

  async end(): Promise<void> {
    for (const writer of this.#writers) await writer.signal("SIGKILL");
    await this.#observer?.stop();
    for (const { name, daemon } of this.#pair) {
      await this.lab.restoreLink(name);
      await daemon?.stop();
      if (this.databaseRuns(name)) await this.killDatabase(name);
    }
  }
}

/** Lines of the mysql block, and the scripts that they name: how this server is stopped, started, and copied from the other one. */
function makingAnew(server: MariadbServer, peer: MariadbServer): readonly string[] {
  const command = server
    .command()
    .map((word) => `'${word}'`)
    .join(" ");
  const backup = `mariadb-backup --defaults-file=${peer.configFile} --backup --stream=mbstream --target-dir=${peer.directory}`;
  const scripts = {
    stop_server: `pid=$(cat ${server.pidFile}); kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done`,
    start_server: `setsid ${command} </dev/null >/dev/null 2>&1 &`,
    // All hosts of a lab see each other's files; elsewhere this goes through ssh.
    copy_from: `exec ${backup} --socket=${peer.socketPath} --user=${peer.address.user} --password=${peer.address.password}`,
  };
  return Object.entries(scripts).map(([keyword, text]) => {
    const path = join(server.directory, `${keyword}.sh`);
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return `    ${keyword} ${path}`;
  });
}

/** Strict mode refuses a position behind what the own binary log has. */
const passOver = (position: string): readonly string[] => [
  "SET GLOBAL gtid_strict_mode = 0",
  `SET GLOBAL gtid_slave_pos = '${position}'`,
  "SET GLOBAL gtid_strict_mode = 1",
];

const filesIn = (folder: string, names: RegExp): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => names.test(name))
        .map((name) => join(folder, name))
    : [];

/** By a server of its own on that data directory, which neither listens nor replicates. */
async function idsIn(server: MariadbServer, folder: string): Promise<readonly string[]> {
  const socketPath = join(server.directory, "old.sock");
  const instead = [`--datadir=${folder}`, `--socket=${socketPath}`, `--pid-file=${join(server.directory, "old.pid")}`];
  const alone = ["--skip-networking", "--skip-log-bin", "--skip-slave-start", `--relay-log=${join(folder, "relay")}`];
  const reader = server.host.spawn([...server.command(), ...instead, ...alone]);
  try {
    const ask = () => withSql({ ...server.address, socketPath }, (sql) => sql.query("SELECT id FROM shop.orders"));
    const rows = await until(() => ask().catch(() => undefined), `a server reads ${folder}`, 20_000);
    return rows.map(({ id }) => id ?? "");
  } finally {
    await reader.signal("SIGKILL");
    await reader.exited;
  }
}
