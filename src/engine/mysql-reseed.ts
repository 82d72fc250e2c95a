/**
 * Makes the own server anew from the writer: a copy beside its data directory (MySQL's CLONE plugin, or mariadb-backup as the operator's
 * command sends it), the server stopped by the operator's command, the directories exchanged, started, and attached from where the copy
 * was taken. The old data directory is kept. Until the server is stopped nothing of it has changed; after that every failure says where
 * the old data are.
 */

import { isLocal } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { millis } from "../core/lib/units.ts";
import type { MysqlAddress, MysqlConfig } from "../core/mysql/config.ts";
import { mariadbContains } from "../core/mysql/gtid.ts";
import { closeStatement, forgetRelayOrder, replicaOrder, sourceOrder } from "../core/mysql/orders.ts";
import { GRANTS_STATEMENT, privilegesOf } from "../core/mysql/privileges.ts";
import {
  attachStatements,
  CLONE_PLUGIN,
  type CopiedPosition,
  cloneStatement,
  copiedPosition,
  type DataPlaces,
  donorStatement,
  keptSource,
  neededMib,
  PLACES_STATEMENT,
  placesOf,
  sizeStatement,
  stateAt,
} from "../core/mysql/reseed.ts";
import type { LoginReader, ServerCopy } from "../ports/server-copy.ts";
import type { Two } from "./mysql-compare.ts";
import { failureInWords } from "./mysql-group.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface ReseedTools extends Pick<TakeoverTools, "timers" | "wallMillis"> {
  readonly copies: ServerCopy;
  readonly logins: LoginReader;
}

export interface ReseedHost {
  readonly tools: ReseedTools;
  readonly tell: (step: string, outcome: "begun" | "done" | "failed", detail: string) => void;
  /** Why the server may not be taken down now; null when it may. */
  readonly needed: () => string | null;
}

export interface ReseedPlan {
  readonly steps: readonly string[];
  readonly places: DataPlaces;
  readonly directory: string;
  readonly stamp: string;
}

const ORDER_MILLIS = 10_000;
/** A copy takes as long as it takes. */
const COPY_MILLIS = 7 * 86_400_000;
const SERVICE_MILLIS = 600_000;
const PAUSE = millis(200);
/** 200 ms each: an orderly stop writes everything to the disk, a start may recover. */
const STOP_LOOKS = 3_000;
const START_LOOKS = 3_000;

export class Reseed {
  readonly #host: ReseedHost;
  readonly #config: MysqlConfig;
  readonly #two: Two;

  constructor(host: ReseedHost, config: MysqlConfig, two: Two) {
    this.#host = host;
    this.#config = config;
    this.#two = two;
  }

  /** What run() would do, or what stands against it; nothing is changed. */
  async plan(): Promise<Result<ReseedPlan, string>> {
    const unset = this.#unset();
    if (unset !== null) return err(unset);
    const { server, writer } = this.#two;
    const { product } = server.facts.version;
    const rows = await server.member.order(PLACES_STATEMENT, ORDER_MILLIS);
    const places = rows.ok ? placesOf(rows.value) : null;
    if (places === null) return err(`${server.address} does not say where its data are`);
    const free = await this.#host.tools.copies.examine(places);
    if (!free.ok) return free;
    const missing = product === "mysql" ? await this.#cloneable() : null;
    if (missing !== null) return err(missing);
    const size = await writer.member.order(sizeStatement(writer.facts.version), ORDER_MILLIS);
    const needed = neededMib(size.ok ? Number(size.value[0]?.bytes ?? "0") || 0 : 0);
    if (!size.ok) return err(`${writer.address} does not say how large it is: ${failureInWords(size.error)}`);
    if (free.value < needed) {
      return err(`the copy needs about ${needed} MiB beside ${places.data}, and ${free.value} MiB are free`);
    }
    const stamp = new Date(this.#host.tools.wallMillis()).toISOString().replaceAll(/[:.]/g, "-");
    const place = `${places.data}.copy-${stamp}`;
    // The server itself makes the last part of it, and only if it is not there.
    const directory = product === "mysql" ? `${place}/data` : place;
    return ok({ places, directory, stamp, steps: this.#steps(places, { directory, stamp, needed, free: free.value }) });
  }

  /** What the configuration lacks. */
  #unset(): string | null {
    const { server, writer } = this.#two;
    const { reseed } = this.#config.group;
    if (server.member.address !== this.#config.address || !isLocal(this.#config.address)) {
      return `${server.address} can be made anew by the daemon of its own host only: run it there`;
    }
    const { product } = server.facts.version;
    if (product !== writer.facts.version.product) return "the writer is of another product";
    if (reseed.stop === null || reseed.start === null) return byHand("stop_server and start_server", this.#config.name);
    if (product === "mariadb" && reseed.copy === null) return byHand("copy_from", this.#config.name);
    return null;
  }

  #steps(
    { data }: DataPlaces,
    { directory, stamp, needed, free }: { directory: string; stamp: string; needed: number; free: number },
  ): readonly string[] {
    const { writer, server } = this.#two;
    const { reseed } = this.#config.group;
    return [
      `copy ${writer.address} into ${directory}: about ${needed} MiB, ${free} MiB are free`,
      `stop ${server.address}: ${reseed.stop?.text ?? ""}`,
      `rename ${data} to ${data}.before-${stamp}, and the copy to ${data}`,
      `start ${server.address}: ${reseed.start?.text ?? ""}`,
      `attach ${server.address} to ${writer.address} from where the copy was taken`,
    ];
  }

  /** MySQL: the plugin on both sides, and the privileges; those that the copy brings along are the writer's. */
  async #cloneable(): Promise<string | null> {
    const { server, writer } = this.#two;
    for (const { member, address, facts } of [server, writer]) {
      if (facts.gtids.product === "mysql" && !facts.gtids.on) {
        return "without GTIDs nobody can tell from where a clone goes on: copy it by hand, as docs/mysql.md says";
      }
      const rows = await member.order(CLONE_PLUGIN, ORDER_MILLIS);
      if (!rows.ok || rows.value[0]?.status !== "ACTIVE") {
        return `${address} has no CLONE plugin: plugin-load-add = mysql_clone.so in its my.cnf, or INSTALL PLUGIN clone SONAME 'mysql_clone.so'`;
      }
      const grants = await member.order(GRANTS_STATEMENT, ORDER_MILLIS);
      const held = grants.ok ? privilegesOf(grants.value) : new Set<string>();
      const wanted = address === writer.address ? ["BACKUP_ADMIN", "RELOAD"] : ["CLONE_ADMIN", "RELOAD"];
      const lacks = held.has("ALL PRIVILEGES") ? [] : wanted.filter((name) => !held.has(name));
      if (lacks.length > 0) {
        return `the daemons' account lacks ${lacks.join(", ")} on ${address}: GRANT ${lacks.join(", ")} ON *.* TO ...`;
      }
    }
    return null;
  }

  /** Null when the server is attached and follows. */
  async run(plan: ReseedPlan): Promise<string | null> {
    const copied = await this.#step(plan.steps[0], () => this.#copy(plan));
    if (!copied.ok) {
      await this.#host.tools.copies.discard(placeOf(plan));
      return copied.error;
    }
    const needed = this.#host.needed() ?? (await this.#writerGone());
    if (needed !== null) return `${needed}; nothing of the server was changed, the copy is in ${plan.directory}`;
    const stopped = await this.#step(plan.steps[1], () => this.#stop(plan));
    if (!stopped.ok) return `${stopped.error}; nothing of it was changed, the copy is in ${plan.directory}`;
    const exchanged = await this.#step(plan.steps[2], () => this.#exchange(plan, copied.value));
    if (!exchanged.ok)
      return `${exchanged.error}; the server is stopped, look at ${plan.places.data}* before you start it`;
    const old = exchanged.value;
    await this.#host.tools.copies.discard(placeOf(plan));
    const started = await this.#step(plan.steps[3], () => this.#start());
    if (!started.ok) return `${started.error}; the old data are in ${old}`;
    const attached = await this.#step(plan.steps[4], () => this.#attach(copied.value, old));
    return attached.ok ? null : `${attached.error}; the old data are in ${old}`;
  }

  /** A copy takes long enough for a takeover: what was copied from is the writer still, or its copy is nobody's. */
  async #writerGone(): Promise<string | null> {
    const { address, member, facts } = this.#two.writer;
    const now = await member.facts({ end: false });
    if (!now.ok) return `${address} cannot be asked any more: ${failureInWords(now.error)}`;
    if (now.value.closedBy !== null) return `${address} is not open for writes any more`;
    return now.value.serverId === facts.serverId ? null : `another server answers at ${address}`;
  }

  async #step<T>(words = "", action: () => Promise<Result<T, string>>): Promise<Result<T, string>> {
    this.#host.tell(words, "begun", "");
    const done = await action();
    this.#host.tell(words, done.ok ? "done" : "failed", done.ok ? "" : done.error);
    return done;
  }

  /** Where the copy was taken; null of MySQL, whose GTIDs are in the copy. */
  async #copy(plan: ReseedPlan): Promise<Result<CopiedPosition | null, string>> {
    const { copies } = this.#host.tools;
    const clones = this.#two.server.facts.version.product === "mysql";
    const begun = await copies.begin(plan.places, placeOf(plan), clones ? "server" : "daemon");
    if (!begun.ok) return begun;
    if (clones) return await this.#clone(plan);
    const { copy } = this.#config.group.reseed;
    const unpacked = await copies.unpack(copy?.argv ?? [], plan.directory);
    if (!unpacked.ok) return unpacked;
    const prepared = await copies.run(["mariadb-backup", "--prepare", `--target-dir=${plan.directory}`], 0);
    if (!prepared.ok) return prepared;
    return await this.#verified(plan.directory);
  }

  /** The copy is the writer's: what it had executed is in the writer's past. */
  async #verified(directory: string): Promise<Result<CopiedPosition, string>> {
    const { copies } = this.#host.tools;
    const { writer } = this.#two;
    const text =
      (await copies.read(`${directory}/xtrabackup_binlog_info`)) ??
      (await copies.read(`${directory}/mariadb_backup_binlog_info`));
    const position = text === null ? null : copiedPosition(text);
    if (position === null)
      return err(`${directory} does not say from where its data are: xtrabackup_binlog_info is missing`);
    const now = await writer.member.facts();
    if (!now.ok) return err(`${writer.address} cannot be asked any more: ${failureInWords(now.error)}`);
    const { gtids, end } = now.value;
    const series = (file: string): string => file.replace(/\.\d+$/, "");
    const same = end !== null && series(end.file) === series(position.at.file);
    if (same && gtids.product === "mariadb" && mariadbContains(gtids, position.gtid)) return ok(position);
    return err(`the copy is of another server than ${writer.address}: it was taken at ${text?.trim() ?? ""}`);
  }

  async #clone({ directory }: ReseedPlan): Promise<Result<null, string>> {
    const { server, writer } = this.#two;
    const { host, port } = writer.member.address;
    const login = await this.#host.tools.logins.read(this.#config.credentials);
    if (!login.ok) return login;
    const allowed = await server.member.order(donorStatement(host, port), ORDER_MILLIS);
    if (!allowed.ok) return err(`clone_valid_donor_list: ${failureInWords(allowed.error)}`);
    const statement = cloneStatement({ ...login.value, host, port, directory });
    const cloned = await server.member.order(statement, COPY_MILLIS);
    if (cloned.ok) return ok(null);
    // The server's words could repeat the statement, and that holds the password.
    const words = failureInWords(cloned.error).replaceAll(
      login.value.password === "" ? statement : login.value.password,
      "...",
    );
    return err(`CLONE: ${words}`);
  }

  async #stop({ places }: ReseedPlan): Promise<Result<void, string>> {
    const { copies } = this.#host.tools;
    const { stop } = this.#config.group.reseed;
    this.#two.server.member.close();
    const ran = await copies.run(stop?.argv ?? [], SERVICE_MILLIS);
    if (!ran.ok) return ran;
    for (let looks = 0; looks < STOP_LOOKS; looks++) {
      if (!copies.isRunning(places.data)) return ok(undefined);
      await this.#pause();
    }
    return err(`a server still works in ${places.data}`);
  }

  #exchange(plan: ReseedPlan, position: CopiedPosition | null): Promise<Result<string, string>> {
    const { places, directory, stamp } = plan;
    const { facts } = this.#two.writer;
    const series = this.#binlogOf(places);
    const state =
      position === null || series === null ? [] : [{ path: `${series}.state`, text: stateAt(facts, position.gtid) }];
    return this.#host.tools.copies.exchange({ places, directory, stamp, files: state });
  }

  #binlogOf({ data, binlog }: DataPlaces): string | null {
    if (binlog !== null) return binlog;
    const end = this.#two.server.facts.end;
    return end === null ? null : `${data}/${end.file.replace(/\.\d+$/, "")}`;
  }

  async #start(): Promise<Result<void, string>> {
    const { copies } = this.#host.tools;
    const { member } = this.#two.server;
    const ran = await copies.run(this.#config.group.reseed.start?.argv ?? [], SERVICE_MILLIS);
    if (!ran.ok) return ran;
    let last = "";
    for (let looks = 0; looks < START_LOOKS; looks++) {
      const facts = await member.facts({ end: false });
      if (facts.ok) {
        if (facts.value.closedBy !== null) return ok(undefined);
        const closed = await member.closeForWrites(closeStatement(facts.value.version), ORDER_MILLIS);
        return closed.ok ? ok(undefined) : err(`it came up open and cannot be closed: ${failureInWords(closed.error)}`);
      }
      last = failureInWords(facts.error);
      await this.#pause();
    }
    return err(`it does not answer: ${last}`);
  }

  async #attach(position: CopiedPosition | null, old: string): Promise<Result<void, string>> {
    const { server } = this.#two;
    const statements = position === null ? await this.#asCloned() : await this.#asCopied(position, old);
    if (!statements.ok) return statements;
    for (const statement of statements.value) {
      const done = await server.member.order(statement, ORDER_MILLIS);
      // Never the statement itself: it may hold the password.
      if (!done.ok)
        return err(
          `${statement.split(" ").slice(0, 3).join(" ")}: error of ${server.address}: ${numberOf(done.error)}`,
        );
    }
    const gone = await this.#writerGone();
    return gone === null ? ok(undefined) : err(gone);
  }

  /** The writer's own channel has come along, with the account; it only leads to the wrong server. */
  async #asCloned(): Promise<Result<readonly string[], string>> {
    const { server, writer } = this.#two;
    const facts = await server.member.facts({ end: false });
    if (!facts.ok) return err(failureInWords(facts.error));
    const { version, channels } = facts.value;
    const [one] = channels;
    if (one === undefined || channels.length > 1) {
      return err(`it has ${channels.length} channels: point the right one at ${writer.address} by hand`);
    }
    const { host, port }: MysqlAddress = writer.member.address;
    return ok([
      replicaOrder(version, "STOP", { channel: one.channel, thread: null }),
      forgetRelayOrder(one.channel),
      sourceOrder(version, one, { host, port, at: null }),
      replicaOrder(version, "START", { channel: one.channel, thread: null }),
    ]);
  }

  /** The account is the old server's own, as it had it in master.info. */
  async #asCopied({ at, gtid }: CopiedPosition, old: string): Promise<Result<readonly string[], string>> {
    const { writer, server } = this.#two;
    const text = await this.#host.tools.copies.read(`${old}/master.info`);
    const source = text === null ? null : keptSource(text);
    if (source === null) return err(`${old}/master.info names no account: point it at ${writer.address} by hand`);
    const { host, port } = writer.member.address;
    const byGtid = server.facts.channels.every((channel) => channel.gtid) && gtid !== "";
    return ok(attachStatements({ host, port, source, gtid: byGtid ? gtid : null, at }));
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#host.tools.timers.schedule(PAUSE, resolve);
    });
  }
}

/** What is made before the copy: MySQL's server makes the last part itself. */
const placeOf = ({ directory }: ReseedPlan): string => directory.replace(/\/data$/, "");

const numberOf = (failure: Parameters<typeof failureInWords>[0]): string =>
  failure.kind === "server" ? `${failure.number}` : failureInWords(failure);

const byHand = (what: string, name: string): string =>
  `${what} is not set in the mysql block ${name}: set it, or copy the server by hand, as docs/mysql.md says`;
