/** What an operator orders by hand for a managed group, and nothing does by itself. */
import { closeManaged } from "./mysql-closing.ts";
import { failureInWords } from "./mysql-group.ts";
import type { Managed } from "./mysql-managed.ts";
import { MysqlMember } from "./mysql-member.ts";
import { Rejoin, type RejoinOutcome, type RejoinRequest } from "./mysql-rejoin.ts";
import { Skip, type SkipOutcome, type SkipRequest } from "./mysql-skip.ts";
import type { MysqlWork, StepEvent } from "./mysql-work.ts";

export interface FenceOutcome {
  /** When it was fenced; null: it is not. */
  readonly since: string | null;
  /** It takes no writes now; null: it cannot be asked. */
  readonly closed: boolean | null;
  /** What was not done, and why; null when all was. */
  readonly problem: string | null;
}

/** Each answers null when nobody manages that server. */
export interface MysqlRepairs {
  /** Attaches a server that has returned, or says what stands against it. */
  rejoin(name: string, request: RejoinRequest): Promise<RejoinOutcome> | null;
  /** Shows the transaction that a replica has stopped at, or passes over it. */
  skip(name: string, request: SkipRequest): Promise<SkipOutcome> | null;
  /** Closes the own server and keeps it so, or gives it back. */
  fence(name: string, on: boolean): Promise<FenceOutcome> | null;
}

export function createMysqlRepairs(work: MysqlWork, find: (name: string) => Managed | undefined): MysqlRepairs {
  const teller =
    (managed: Managed, what: StepEvent["what"]) =>
    (step: string, outcome: StepEvent["outcome"], detail: string): void =>
      work.tell(managed, { what, step, outcome, detail });
  return {
    rejoin(name, request) {
      const managed = find(name);
      if (managed === undefined) return null;
      const claims = (): boolean => managed.runs.size > 0;
      const needed = (): string | null => {
        if (claims()) return "a claim of this host's server runs";
        return managed.state === "MASTER" || managed.open
          ? "this host has the address: its server is the writer"
          : null;
      };
      const host = { tools: work.tools, tell: teller(managed, "rejoin"), claims, needed };
      return new Rejoin(host, managed.config, request).run();
    },
    skip(name, request) {
      const managed = find(name);
      if (managed === undefined) return null;
      return new Skip({ tools: work.tools, tell: teller(managed, "skip") }, managed.config).run(request);
    },
    fence(name, on) {
      const managed = find(name);
      if (managed === undefined) return null;
      return on ? fence(work, managed) : giveBack(work, managed);
    },
  };
}

/** A claim that runs is cut short; closing waits for no disk, and the mark comes after. */
async function fence(work: MysqlWork, managed: Managed): Promise<FenceOutcome> {
  const { name } = managed.config;
  const since = new Date(work.tools.wallMillis()).toISOString();
  for (const run of managed.runs) run.cancelled = true;
  work.fences.begin(name, since);
  work.queue(managed, () => closeManaged(work, managed, "fence"));
  await managed.queue;
  const kept = await work.fences.keep(name);
  const outcome = kept.ok ? "done" : "failed";
  const step = "fence the own server until it is given back";
  work.tell(managed, { what: "fence", step, outcome, detail: kept.ok ? "" : kept.error });
  const { closed, problem } = await isClosed(work, managed);
  const unkept = kept.ok ? null : `a restart of the daemon would forget it: ${kept.error}`;
  return { since, closed, problem: problem ?? unkept };
}

async function giveBack(work: MysqlWork, managed: Managed): Promise<FenceOutcome> {
  const ended = await work.fences.end(managed.config.name);
  const trouble = work.fences.troubleOf(managed.config.name);
  const since = trouble?.kind === "fenced" ? trouble.since : null;
  if (ended.ok) work.tell(managed, { what: "fence", step: "give the own server back", outcome: "done", detail: "" });
  const { closed } = await isClosed(work, managed);
  return { since, closed, problem: ended.ok ? null : ended.error };
}

async function isClosed(
  work: MysqlWork,
  { config }: Managed,
): Promise<{ readonly closed: boolean | null; readonly problem: string | null }> {
  const member = new MysqlMember(work.tools.sql, config.address, config);
  const facts = await member.facts({ end: false });
  member.close();
  if (!facts.ok)
    return { closed: null, problem: `whether it is closed cannot be asked: ${failureInWords(facts.error)}` };
  const closed = facts.value.closedBy !== null;
  return { closed, problem: closed ? null : "it is still open for writes" };
}
