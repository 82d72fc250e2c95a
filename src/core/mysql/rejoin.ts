/**
 * A server that returns to its group: whether it may be attached to the writer again, and how, step by step, so that the ring is whole. Each
 * step is chosen from what the two servers say at that moment and does nothing when it is done already. What could lose data is refused
 * here; there is no step that discards any.
 */
import { hasGivenUp } from "./facts.ts";
import type { ChannelFacts, MemberFacts } from "./member.ts";
import { hasEverything } from "./takeover.ts";
import { atLeast, type ServerVersion, versionInWords } from "./version.ts";

export interface Returned {
  readonly address: string;
  readonly facts: MemberFacts;
}

/** What the returned server has and the writer lacks. */
export type Extra =
  | { readonly kind: "none" }
  /** In words: GTIDs, or where they lie in its binary log; and how many, where that is known. */
  | { readonly kind: "some"; readonly what: string; readonly count: number | null }
  | { readonly kind: "unknown"; readonly why: string };

export interface RejoinFacts {
  readonly writer: Returned;
  readonly server: Returned;
  readonly extra: Extra;
  /** GTIDs that it committed first and has lost; null: none. */
  readonly lost: string | null;
  /** Transactions in the writer's past that its binary logs no longer hold and the server lacks; "" when there are none. */
  readonly purged: string;
  /** Only two servers are in the group, so that a channel with an unknown source belongs to the other one. */
  readonly pair: boolean;
  /** False: the writer receives from nobody, so the ring is not closed. */
  readonly ring?: boolean;
}

export type RejoinStep =
  /** The server receives from the writer and executes. */
  | { readonly kind: "follow"; readonly channel: string }
  /** The writer receives from the server: the back edge of the ring. */
  | { readonly kind: "resume"; readonly channel: string }
  /** The same, from where its binary log ends now: what the writer's channel asks for is no longer in it. */
  | { readonly kind: "renew"; readonly channel: string };

export type RejoinDecision =
  | { readonly kind: "step"; readonly step: RejoinStep }
  | { readonly kind: "wait"; readonly what: string }
  | { readonly kind: "refuse"; readonly reason: string; readonly cause: RefusalCause }
  | { readonly kind: "whole"; readonly ring: boolean };

/** What an operator can do about it is chosen by this. */
export type RefusalCause = "extra" | "lost" | "purged" | "broken" | "other";

const refuse = (reason: string, cause: RefusalCause = "other"): RejoinDecision => ({ kind: "refuse", reason, cause });

export function decideRejoin(facts: RejoinFacts): RejoinDecision {
  return refusal(facts) ?? follow(facts) ?? caughtUp(facts) ?? resume(facts);
}

/** Why a server must not be attached, whatever its channels are; null: nothing stands against it. */
export function refusesRejoin(facts: RejoinFacts): string | null {
  const refused = refusal(facts);
  return refused?.kind === "refuse" ? refused.reason : null;
}

function refusal({ writer, server, extra, lost, purged }: RejoinFacts): RejoinDecision | null {
  if (server.facts.closedBy === null) {
    return refuse(
      `${server.address} is open for writes as well: close it first, \`holdfast fence\` on its host does that`,
    );
  }
  if (server.facts.serverId === writer.facts.serverId) {
    return refuse(`${server.address} and ${writer.address} have the same server_id ${server.facts.serverId}`);
  }
  const older = newerToOlder(writer.facts.version, server.facts.version);
  if (older !== null) return refuse(`${server.address} would receive ${older}`);
  if (lost !== null) {
    const why = "and replication does not bring them back: a server skips what carries its own server_id";
    return refuse(`${server.address} has lost transactions that it committed itself (${lost}), ${why}`, "lost");
  }
  if (extra.kind === "some") {
    return refuse(`${server.address} has transactions that ${writer.address} lacks: ${extra.what}`, "extra");
  }
  if (extra.kind === "unknown") {
    return refuse(`nobody can tell whether ${server.address} has what ${writer.address} lacks: ${extra.why}`, "extra");
  }
  if (purged === "") return null;
  return refuse(
    `${server.address} lacks transactions that ${writer.address} no longer has in its binary logs: ${purged}`,
    "purged",
  );
}

/** A source may not be newer than who receives from it: the manuals of both products promise the other direction only. */
export function newerToOlder(source: ServerVersion, receiver: ServerVersion): string | null {
  if (source.product !== receiver.product) return `from another product (${versionInWords(source)})`;
  const newer = source.major > receiver.major || (source.major === receiver.major && source.minor > receiver.minor);
  return newer
    ? `from a newer version than its own (${versionInWords(source)}, its own is ${versionInWords(receiver)})`
    : null;
}

/** The channel by which one receives from the other. */
export function channelFrom(
  receiver: MemberFacts,
  source: Returned,
  { pair }: Pick<RejoinFacts, "pair">,
): ChannelFacts | null {
  const { channels } = receiver;
  const exact =
    channels.find(({ sourceId }) => sourceId === source.facts.serverId) ??
    channels.find((one) => one.source === source.address);
  return exact ?? (pair && channels.length === 1 ? (channels[0] ?? null) : null);
}

function follow(facts: RejoinFacts): RejoinDecision | null {
  const { writer, server } = facts;
  const channel = channelFrom(server.facts, writer, facts);
  if (channel === null) {
    return refuse(
      `${server.address} has no channel from ${writer.address}: make one, its account and password are not known here`,
    );
  }
  const broken = brokenBy(channel);
  if (broken !== null)
    return refuse(`${server.address}: ${broken}`, channel.ioError?.number === FATAL_DUMP ? "purged" : "broken");
  if (channel.io === "stopped" || channel.sql === "stopped") {
    return { kind: "step", step: { kind: "follow", channel: channel.channel } };
  }
  return channel.io === "connecting"
    ? { kind: "wait", what: `${server.address} receives from ${writer.address}` }
    : null;
}

/** ER_MASTER_FATAL_ERROR_READING_BINLOG: the source has not, or no longer, what is asked for. */
const FATAL_DUMP = 1236;

/** An error that starting the thread again would only repeat; a source that was merely out of reach is none. */
function brokenBy(channel: ChannelFacts): string | null {
  const { sql, sqlError, io, ioError } = channel;
  if (sql === "stopped" && sqlError !== null) {
    return `replication has stopped with error ${sqlError.number}: ${sqlError.text}; \`holdfast skip\` shows the transaction`;
  }
  if (io === "stopped" && ioError?.number === FATAL_DUMP && !hasGivenUp(channel)) {
    return `replication cannot go on from where it is (error ${ioError.number}: ${ioError.text})`;
  }
  return null;
}

/** Before the writer receives from it: asked too early, it does not have the position yet that the writer asks for, and that ends for good. */
function caughtUp({ writer, server }: RejoinFacts): RejoinDecision | null {
  const peer = { address: writer.address, state: { kind: "up", facts: writer.facts } } as const;
  const known = hasEverything({ own: server.facts, peers: [peer] }, peer, writer.facts);
  return known ? null : { kind: "wait", what: `${server.address} has executed what ${writer.address} had` };
}

function resume(facts: RejoinFacts): RejoinDecision {
  const { writer, server } = facts;
  const channel = channelFrom(writer.facts, server, facts);
  if (channel === null || facts.ring === false) return { kind: "whole", ring: false };
  if (newerToOlder(server.facts.version, writer.facts.version) !== null) return { kind: "whole", ring: false };
  const broken = brokenBy(channel);
  if (broken !== null) {
    return isRenewable(channel, writer.facts.version)
      ? { kind: "step", step: { kind: "renew", channel: channel.channel } }
      : refuse(`${writer.address}: ${broken}`, "broken");
  }
  if (channel.io === "connecting") return { kind: "wait", what: `${writer.address} receives from ${server.address}` };
  if (channel.io === "stopped" || channel.sql === "stopped") {
    return { kind: "step", step: { kind: "resume", channel: channel.channel } };
  }
  return { kind: "whole", ring: true };
}

/** MySQL's GTIDs ask for what is missing, whatever the files are: there such an error means something else. */
function isRenewable({ sql, sqlError, gtid }: ChannelFacts, version: ServerVersion): boolean {
  if (sql === "stopped" && sqlError !== null) return false;
  return !gtid || (version.product === "mariadb" && atLeast(version, 10, 10, 0));
}

export function rejoinStepInWords(
  step: RejoinStep,
  { writer, server }: Pick<RejoinFacts, "writer" | "server">,
): string {
  return step.kind === "follow"
    ? `start replication on ${server.address}: it receives from ${writer.address}`
    : `start replication on ${writer.address}: it receives from ${server.address} again${step.kind === "renew" ? ", from where that ends now" : ""}`;
}

export interface RejoinPlan {
  readonly steps: readonly string[];
  /** "ready", or why it is refused. */
  readonly end: string;
  readonly cause: RefusalCause | null;
}

const MOST_STEPS = 10;

/** What would be done now, if every step did what it says and every wait ended. */
export function planRejoin(now: RejoinFacts): RejoinPlan {
  const steps: string[] = [];
  let facts = now;
  while (steps.length < MOST_STEPS) {
    const decision = decideRejoin(facts);
    if (decision.kind === "whole") return { steps, end: "ready", cause: null };
    if (decision.kind === "refuse") return { steps, end: decision.reason, cause: decision.cause };
    steps.push(decision.kind === "step" ? rejoinStepInWords(decision.step, facts) : `wait until ${decision.what}`);
    facts = decision.kind === "step" ? afterStep(facts, decision.step) : asIfCaughtUp(facts);
  }
  return { steps, end: "the plan has no end", cause: "other" };
}

function afterStep(facts: RejoinFacts, step: RejoinStep): RejoinFacts {
  const side = step.kind === "follow" ? "server" : "writer";
  const { [side]: member } = facts;
  const channels = member.facts.channels.map((one) =>
    one.channel === step.channel
      ? { ...one, io: "running" as const, sql: "running" as const, ioError: null, sqlError: null }
      : one,
  );
  return { ...facts, [side]: { ...member, facts: { ...member.facts, channels } } };
}

function asIfCaughtUp(facts: RejoinFacts): RejoinFacts {
  const { writer, server } = facts;
  const connected = (one: ChannelFacts): ChannelFacts => (one.io === "connecting" ? { ...one, io: "running" } : one);
  const channels = server.facts.channels.map((one) => ({ ...connected(one), executed: writer.facts.end }));
  return {
    ...facts,
    writer: { ...writer, facts: { ...writer.facts, channels: writer.facts.channels.map(connected) } },
    server: { ...server, facts: { ...server.facts, channels, gtids: writer.facts.gtids } },
  };
}

export interface Choice {
  readonly title: string;
  /** What it does. */
  readonly does: string;
  /** What is lost by it. */
  readonly loses: string;
  readonly commands: readonly string[];
}

export interface ChoiceScene {
  readonly name: string;
  readonly writer: Returned;
  readonly server: Returned;
  readonly extra: Extra;
  /** The exported transactions; null when there are none. */
  readonly file: string | null;
}

/** What an operator can do where it is refused; nothing of it happens by itself. */
export function choicesOf(cause: RefusalCause, scene: ChoiceScene): readonly Choice[] {
  if (cause === "extra") return choicesOfExtra(scene);
  if (cause === "lost" || cause === "purged") return [reseed(scene, "")];
  return [];
}

function choicesOfExtra(scene: ChoiceScene): readonly Choice[] {
  const { writer, extra, file } = scene;
  const { gtids } = writer.facts;
  const choices = [reseed(scene, file === null ? "" : `; they stay in ${file}`)];
  if (file === null || extra.kind !== "some") return choices;
  const counted = gtids.product === "mysql" && gtids.on;
  return [counted ? enterWithGtids(scene, file) : enter(scene, file), ...accept(scene, counted), ...choices];
}

const clientOf = ({ writer }: ChoiceScene, file: string): string => {
  const [host, port] = splitAddress(writer.address);
  const program = writer.facts.version.product === "mariadb" ? "mariadb" : "mysql";
  return `${program} -h ${host} -P ${port} -u root -p < ${file}`;
};

function splitAddress(address: string): readonly [string, string] {
  const at = address.lastIndexOf(":");
  return at < 0 ? [address, "3306"] : [address.slice(0, at).replaceAll(/[[\]]/g, ""), address.slice(at + 1)];
}

const LOOK =
  "Read the file first: what the writer has done to the same rows since then is overwritten, because a row is found by its primary key alone";

function enterWithGtids(scene: ChoiceScene, file: string): Choice {
  const { name, writer, server } = scene;
  return {
    title: "keep them: enter them on the writer as they are",
    does: `${writer.address} executes them under their own GTIDs, so ${server.address} has nothing extra any more and is attached as it is. ${LOOK}`,
    loses:
      "nothing, if no row of them was changed on the writer since; an error (duplicate key, missing row) stops it, and the rest is not entered",
    commands: [clientOf(scene, file), `holdfast rejoin ${name} ${server.address}`],
  };
}

function enter(scene: ChoiceScene, file: string): Choice {
  const { writer, server } = scene;
  return {
    title: "keep them: enter them on the writer, then make the server anew",
    does: `${writer.address} executes them as new transactions; ${server.address} has them under other numbers and in another order, so it is made anew from the writer. ${LOOK}`,
    loses:
      "nothing, if no row of them was changed on the writer since; an error (duplicate key, missing row) stops it, and the rest is not entered",
    commands: [clientOf(scene, file)],
  };
}

/** Where a server can be told that it need not have them. MariaDB's positions have no room for that. */
function accept(scene: ChoiceScene, counted: boolean): readonly Choice[] {
  const { name, writer, server, extra } = scene;
  const position = server.facts.channels.length > 0 && server.facts.version.product === "mysql" && !counted;
  if (extra.kind !== "some" || !(counted || position)) return [];
  const does = counted
    ? `${writer.address} commits an empty transaction for each of them and so counts as having them; ${server.address} is attached as it is`
    : `${writer.address} receives from the end of the binary log of ${server.address} and passes over them; ${server.address} is attached as it is`;
  return [
    {
      title: "the data are equal already: count them as done",
      does,
      loses: `what they changed is on ${server.address} alone from then on, unless the writer has the same by other means: only when you have compared the tables that are named`,
      commands: [`holdfast rejoin ${name} ${server.address} --accept-extra '${extra.what}'`],
    },
  ];
}

function reseed({ name, writer, server }: ChoiceScene, kept: string): Choice {
  return {
    title: "make the server anew from the writer",
    does: `the data of ${writer.address} are copied, the old data directory of ${server.address} is kept beside them; on its own host`,
    loses: `on ${server.address} whatever ${writer.address} does not have${kept}`,
    commands: [`holdfast rejoin ${name} --reseed --dry-run`, `holdfast rejoin ${name} --reseed`],
  };
}
