/** Asks every server of a group for its settings once, and judges them: `holdfast doctor`. */
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { SqlRow } from "../core/mysql/facts.ts";
import { DOCTOR_STATEMENTS, type ServerSettings, settingsOf } from "../core/mysql/settings.ts";
import { judgeSettings, type SettingsFinding } from "../core/mysql/settings-rules.ts";
import type { SqlPort } from "../ports/sql.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";

export interface DoctorTools {
  readonly sql: SqlPort;
  /** Milliseconds since the epoch. */
  readonly wallMillis: () => number;
}

export interface DoctorReport {
  /** Servers that answered, as in the file. */
  readonly servers: readonly string[];
  readonly findings: readonly SettingsFinding[];
}

const STATEMENT_MILLIS = 2_000;

export async function examine({ sql, wallMillis }: DoctorTools, config: MysqlConfig): Promise<DoctorReport> {
  const servers = new MysqlServers(sql, config);
  const asked = await Promise.all(servers.members.map((one) => ask(one, wallMillis)));
  servers.close();
  const known = asked.flatMap((one) => ("settings" in one ? [one.settings] : []));
  const absent = asked.flatMap((one) => ("finding" in one ? [one.finding] : []));
  return { servers: known.map(({ address }) => address), findings: [...absent, ...judgeSettings(known)] };
}

type Asked = { readonly settings: ServerSettings } | { readonly finding: SettingsFinding };

async function ask(
  { member, role }: { readonly member: MysqlMember; readonly role: ServerSettings["role"] },
  wallMillis: () => number,
): Promise<Asked> {
  const facts = await member.facts({ end: false });
  if (!facts.ok) return { finding: unanswered(member.name, failureInWords(facts.error)) };
  const answers: (readonly SqlRow[] | null)[] = [];
  let hostSeconds = 0;
  for (const statement of DOCTOR_STATEMENTS) {
    const before = wallMillis();
    const answer = await member.order(statement, STATEMENT_MILLIS);
    // Halfway: a clock that is read over a slow line is not ahead.
    if (statement.includes("UNIX_TIMESTAMP")) hostSeconds = (before + wallMillis()) / 2_000;
    answers.push(answer.ok ? answer.value : null);
  }
  return { settings: settingsOf({ address: member.name, role }, facts.value, answers, hostSeconds) };
}

const unanswered = (server: string, detail: string): SettingsFinding => ({
  id: "unanswered",
  severity: "error",
  server,
  what: `it cannot be asked: ${detail}`,
  why: "a claim asks it as well, and what it cannot ask it may have to refuse",
  fix: "see `holdfast positions`, the credentials file and the account's host part",
});
