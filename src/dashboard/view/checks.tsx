/** Checks of scripts and of database servers: how they stand, and on demand what the last run said. */
import type { ComponentChildren } from "preact";
import type { CheckView, DatabaseView, LvsCheckerView } from "../../control/contract/types.ts";
import { lengthText, timeText } from "../model/format.ts";
import { OWN } from "../model/topology.ts";
import type { Words } from "../words/words.ts";
import { useShared } from "./shared.ts";

export function Checks() {
  const { words, host, snapshot } = useShared();
  const { status } = host;
  if (status === null) return null;
  const databases = [...status.mysql, ...status.redis];
  // Peers do not report their virtual servers.
  const services = host.key === OWN ? (snapshot.lvs?.services ?? []) : [];
  const servers = services.flatMap((service) => service.servers.map((server) => ({ service, server })));
  const checkers = servers.flatMap(({ service, server }) =>
    (server.pool?.checkers ?? []).map((checker) => ({ name: `${service.service} ${server.server}`, checker })),
  );
  if (status.checks.length + databases.length + checkers.length === 0) return null;
  return (
    <section aria-labelledby="checks-title">
      <h2 id="checks-title">{words.checks.title}</h2>
      {status.checks.map((check) => (
        <Script key={check.key} check={check} />
      ))}
      {databases.map((database) => (
        <Database key={`${database.name} ${database.server}`} database={database} />
      ))}
      {checkers.map(({ name, checker }) => (
        <Checker key={`${name} ${checker.checker}`} name={name} checker={checker} />
      ))}
    </section>
  );
}

type Fact = readonly [title: string, value: ComponentChildren];

interface CheckBoxProps {
  readonly name: string;
  readonly standing: keyof Words["checks"]["standings"];
  readonly since: number | null;
  readonly facts: readonly Fact[];
}

function CheckBox({ name, standing, since, facts }: CheckBoxProps) {
  const { words, now } = useShared();
  const style = standing === "ok" ? "good" : standing === "unknown" ? "dim" : "bad";
  return (
    <details class="check" data-check={name} data-standing={standing}>
      <summary>
        <span class="strong">{name}</span> <span class={style}>{words.checks.standings[standing]}</span>{" "}
        {since !== null && <small>{lengthText(now - since)}</small>}
      </summary>
      <dl>
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Script({ check }: { readonly check: CheckView }) {
  const { words, now } = useShared();
  const { checks: said } = words;
  const facts: Fact[] = [
    [said.last, check.outcome === null ? words.none : outcomeText(words, check.outcome)],
    [said.error, check.lastError === null || check.lastError === "" ? words.none : <pre>{check.lastError}</pre>],
    [said.took, lengthOrNone(words, check.durationMillis)],
    [said.ran, check.lastRunAt === null ? words.none : timeText(check.lastRunAt, now)],
    [said.next, check.nextRunAt === null ? words.none : lengthText(check.nextRunAt - now)],
    [said.every, lengthOrNone(words, check.intervalMillis)],
    [said.timeout, lengthOrNone(words, check.timeoutMillis)],
    [said.command, check.command === null ? words.none : <code>{check.command}</code>],
    [said.tracked, trackers(words, check.trackedBy)],
  ];
  return <CheckBox name={check.key} standing={check.standing} since={check.since} facts={facts} />;
}

function Database({ database }: { readonly database: DatabaseView }) {
  const { words, now } = useShared();
  const { checks: said } = words;
  const { name, server, version, standing, since, trouble, remarks, lookedAt } = database;
  const facts: Fact[] = [
    [words.pool.server, `${server}${version === null ? "" : `, ${version}`}`],
    [said.last, trouble === null ? said.standings[standing] : <span lang="en">{trouble}</span>],
    [said.remarks, remarks.length === 0 ? words.none : <Remarks texts={remarks} />],
    [said.ran, lookedAt === null ? words.none : timeText(lookedAt, now)],
    [said.every, lengthText(database.intervalMillis)],
    [said.tracked, trackers(words, database.trackedBy)],
  ];
  return <CheckBox name={name} standing={standing} since={since} facts={facts} />;
}

interface CheckerProps {
  /** Of the virtual and of the real server. */
  readonly name: string;
  readonly checker: LvsCheckerView;
}

function Checker({ name, checker }: CheckerProps) {
  const { words, now } = useShared();
  const { checks: said } = words;
  const { up, since, finding, output, lastRunAt, intervalSeconds } = checker;
  const facts: Fact[] = [
    [said.last, finding === null ? words.none : <span lang="en">{finding}</span>],
    [said.output, output === null ? words.none : <pre>{output}</pre>],
    [said.ran, lastRunAt === null ? words.none : timeText(lastRunAt, now)],
    [said.every, lengthOrNone(words, intervalSeconds === null ? null : intervalSeconds * 1_000)],
  ];
  const standing = lastRunAt === null ? "unknown" : up ? "ok" : "failed";
  return <CheckBox name={`${name} ${checker.checker}`} standing={standing} since={since} facts={facts} />;
}

const Remarks = ({ texts }: { readonly texts: readonly string[] }) => (
  <ul lang="en">
    {texts.map((text) => (
      <li key={text}>{text}</li>
    ))}
  </ul>
);

const lengthOrNone = (words: Words, millis: number | null): string =>
  millis === null ? words.none : lengthText(millis);

function trackers(words: Words, trackedBy: CheckView["trackedBy"]): string {
  const texts = trackedBy.map(({ instance, weight }) => `${instance} (${words.checks.weight(weight)})`);
  return texts.join(", ") || words.none;
}

function outcomeText({ checks }: Words, outcome: NonNullable<CheckView["outcome"]>): string {
  switch (outcome.kind) {
    case "exit":
      return checks.outcome.exit(outcome.code);
    case "signal":
      return checks.outcome.signal(outcome.signal);
    case "timeout":
      return checks.outcome.timeout(lengthText(outcome.afterMillis));
    case "spawn-failed":
      return checks.outcome["spawn-failed"](outcome.reason);
  }
}
