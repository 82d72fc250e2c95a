/** Shows the transaction that a replica has stopped at, and passes over it when an operator has ordered exactly that one. */

import { addressInWords } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { maskSecrets } from "../core/lib/secrets.ts";
import { millis } from "../core/lib/units.ts";
import { binlogEvent } from "../core/mysql/binlog.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { ChannelFacts, MemberFacts } from "../core/mysql/member.ts";
import { type Failing, failingOf, relayEventsStatement, relayPlace, skipOrders } from "../core/mysql/skip.ts";
import { replicaStatement } from "../core/mysql/version.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

export interface SkipHost {
  readonly tools: Pick<TakeoverTools, "sql" | "timers" | "flush">;
  readonly tell: (step: string, outcome: "begun" | "done" | "failed", detail: string) => void;
}

export interface SkipRequest {
  /** As in the file, or its host alone; null: the own server. */
  readonly server: string | null;
  /** What was shown; null: only show it. */
  readonly transaction: string | null;
}

export interface SkipOutcome {
  readonly server: string | null;
  readonly channel: string;
  readonly source: string;
  /** Error of the SQL thread. */
  readonly sqlError: { readonly number: number; readonly text: string } | null;
  readonly transaction: string | null;
  /** "Write_rows_v1: table_id: 18 ..." */
  readonly events: readonly string[];
  /** The statements that pass over it. */
  readonly statements: readonly string[];
  /** "shown", "skipped", or why not. */
  readonly end: string;
}

const ORDER_MILLIS = 10_000;
const LONGEST = 2_000;
const SHOWN = 50;
/** How long the SQL thread may take to be seen running, or stopped again by the next error; 100 ms each. */
const LOOKS = 30;
const PAUSE = millis(100);

export class Skip {
  readonly #host: SkipHost;
  readonly #config: MysqlConfig;
  readonly #servers: MysqlServers;

  constructor(host: SkipHost, config: MysqlConfig) {
    this.#host = host;
    this.#config = config;
    this.#servers = new MysqlServers(host.tools.sql, config);
  }

  async run({ server, transaction }: SkipRequest): Promise<SkipOutcome> {
    try {
      const member = this.#find(server);
      if (member === null) return { ...NOTHING, end: `${server} is not a server of this group` };
      const name = member === this.#servers.own ? addressInWords(this.#config.address) : member.name;
      const found = await this.#failing(member);
      if (!found.ok) return { ...NOTHING, server: name, end: found.error };
      return await this.#decide(member, { ...found.value, name, transaction });
    } finally {
      this.#servers.close();
    }
  }

  #find(server: string | null): MysqlMember | null {
    if (server === null) return this.#servers.own;
    const named = this.#servers.members.filter(
      ({ member: { name } }) => name === server || name.replace(/:\d+$/, "") === server,
    );
    return named.length === 1 ? (named[0]?.member ?? null) : null;
  }

  async #failing(
    member: MysqlMember,
  ): Promise<Result<{ readonly facts: MemberFacts; readonly failing: Failing }, string>> {
    const facts = await member.facts({ end: false });
    if (!facts.ok) return err(`it cannot be asked: ${failureInWords(facts.error)}`);
    const stopped = facts.value.channels.filter(({ sql, sqlError }) => sql === "stopped" && sqlError !== null);
    const [channel] = stopped;
    if (channel === undefined) return err("its replication has not stopped with an error: there is nothing to skip");
    const rows = await member.order(replicaStatement(facts.value.version), ORDER_MILLIS);
    if (!rows.ok) return err(failureInWords(rows.error));
    const row = rows.value.find((one) => (one.Channel_Name ?? one.Connection_name ?? "") === channel.channel);
    const place = row === undefined ? null : relayPlace(row);
    if (place === null) return err("the server does not say where its relay log stands");
    const events = await member.order(relayEventsStatement(place, channel.channel), ORDER_MILLIS);
    if (!events.ok) return err(`its relay log cannot be read: ${failureInWords(events.error)}`);
    const failing = failingOf(
      events.value.flatMap((one) => binlogEvent(one) ?? []),
      channel,
      facts.value,
    );
    return failing === null ? err("the transaction is not in its relay log") : ok({ facts: facts.value, failing });
  }

  async #decide(member: MysqlMember, found: Found): Promise<SkipOutcome> {
    const { name, facts, failing, transaction } = found;
    const orders = skipOrders(failing, facts);
    const shown = {
      server: name,
      channel: failing.channel.channel,
      source: failing.channel.source,
      sqlError: failing.channel.sqlError,
      transaction: failing.transaction,
      events: failing.events.slice(0, SHOWN).map(({ type, info }) => maskSecrets(`${type}: ${info}`).slice(0, LONGEST)),
      statements: "refused" in orders ? [] : orders.statements,
    };
    if ("refused" in orders) return { ...shown, end: orders.refused };
    if (transaction === null) return { ...shown, end: "shown" };
    if (transaction !== failing.transaction) {
      return { ...shown, end: `it stands at ${failing.transaction} now, and the order was for ${transaction}` };
    }
    return { ...shown, end: await this.#pass(member, { ...found, orders: orders.statements }) };
  }

  /** In the journal before it is done: what is passed over is nowhere else to be seen afterwards. */
  async #pass(
    member: MysqlMember,
    { name, failing, orders }: Found & { readonly orders: readonly string[] },
  ): Promise<string> {
    const { number } = failing.channel.sqlError ?? { number: 0 };
    const words = `skip ${failing.transaction} from ${failing.channel.source} on ${name} (error ${number})`;
    this.#host.tell(words, "begun", "");
    if (!(await this.#host.tools.flush())) {
      this.#host.tell(words, "failed", "the journal cannot be written");
      return "the journal cannot be written, so nothing is skipped";
    }
    for (const statement of orders) {
      const done = await member.order(statement, ORDER_MILLIS);
      if (done.ok) continue;
      const why = `${statement}: ${failureInWords(done.error)}`;
      this.#host.tell(words, "failed", why);
      member.close();
      return why;
    }
    const after = await this.#after(member, failing.channel);
    this.#host.tell(words, "done", after);
    return after === "" ? "skipped" : `skipped; ${after}`;
  }

  /** Whether it goes on; what it has stopped at next, if it does not. */
  async #after(member: MysqlMember, before: ChannelFacts): Promise<string> {
    for (let looks = 0; looks < LOOKS; looks++) {
      await new Promise<void>((resolve) => {
        this.#host.tools.timers.schedule(PAUSE, resolve);
      });
      const facts = await member.facts({ end: false });
      const channel = facts.ok ? facts.value.channels.find((one) => one.channel === before.channel) : undefined;
      if (channel?.sql === "running") return "";
      if (channel?.sqlError)
        return `it has stopped again with error ${channel.sqlError.number}: ${channel.sqlError.text}`;
    }
    return "its SQL thread does not run yet";
  }
}

interface Found {
  readonly name: string;
  readonly facts: MemberFacts;
  readonly failing: Failing;
  readonly transaction: string | null;
}

const NOTHING: SkipOutcome = {
  server: null,
  channel: "",
  source: "",
  sqlError: null,
  transaction: null,
  events: [],
  statements: [],
  end: "",
};
