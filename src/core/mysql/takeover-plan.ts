/** A takeover in words and in advance: the steps of `--dry-run`, and what the facts are after each if all goes well. */
import { reaches } from "./coordinates.ts";
import type { ChannelFacts, MemberFacts, MemberGtids } from "./member.ts";
import { decideTakeover, type Step, type TakeoverFacts } from "./takeover.ts";

/** A clause for journal, log and `--dry-run`. */
export function stepInWords(one: Step): string {
  const channel = "channel" in one && one.channel !== "" ? ` of channel ${one.channel}` : "";
  switch (one.kind) {
    case "close-own":
      return "close the own server for writes";
    case "start-applier":
      return `start the SQL thread${channel}`;
    case "close-peer":
      return `close ${one.peer} for writes and end its sessions`;
    case "stop-receiver":
      return `stop the I/O thread${channel}`;
    case "stop-applier":
      return `leave the channel standing${channel}, its coordinates are kept`;
    case "fetch-tail":
      return `fetch what ${one.peer} has in its log behind ${one.behind}, from the daemon of its host`;
    case "record":
      return `record the own position ${one.position}`;
    case "acknowledgements":
      return one.wanted
        ? "commits wait for an acknowledgement (semi-sync on)"
        : "degraded: no acker, commits are on this server alone (semi-sync off)";
    case "start-events":
      return "switch the event scheduler on";
    case "open":
      return "open the own server for writes";
  }
}

export interface TakeoverPlan {
  readonly steps: readonly string[];
  /** "ready", or why it is refused. */
  readonly end: string;
}

/** More steps than any order of facts needs. */
const MOST_STEPS = 100;

/** What a claim would do now, if every step did what it says and every wait ended. */
export function planTakeover(now: TakeoverFacts): TakeoverPlan {
  const steps: string[] = [];
  let facts = now;
  while (steps.length < MOST_STEPS) {
    const decision = decideTakeover(facts);
    if (decision.kind === "ready") return { steps, end: "ready" };
    if (decision.kind === "refuse") return { steps, end: decision.reason };
    steps.push(decision.kind === "step" ? stepInWords(decision.step) : `wait until ${decision.what}`);
    facts = decision.kind === "step" ? expectedAfter(facts, decision.step) : waitedFor(facts);
  }
  return { steps, end: "the plan has no end" };
}

/** As if everything received were executed, and everything that a peer has received. */
export function waitedFor(facts: TakeoverFacts): TakeoverFacts {
  const { own } = facts;
  const peers = facts.peers.flatMap(({ state }) => (state.kind === "up" ? [state.facts] : []));
  const ends = peers.flatMap(({ end }) => (end === null ? [] : [end]));
  const channels = own.channels.map((channel) => {
    const reached = ends.find((end) => channel.io === "running" && reaches(end, channel.executed ?? end) === true);
    return { ...channel, drained: true, executed: reached ?? channel.received };
  });
  return { ...facts, own: { ...own, channels, gtids: withPeers(own.gtids, peers) } };
}

function withPeers(gtids: MemberGtids, peers: readonly MemberFacts[]): MemberGtids {
  const joined = (texts: readonly string[]): string => texts.filter((text) => text !== "").join(",");
  if (gtids.product === "mysql") {
    const theirs = peers.map((peer) => (peer.gtids.product === "mysql" ? peer.gtids.executed : ""));
    return { ...gtids, executed: joined([gtids.executed, ...theirs]) };
  }
  const theirs = peers.map((peer) => (peer.gtids.product === "mariadb" ? peer.gtids.position : ""));
  return { ...gtids, binlogState: joined([gtids.binlogState, ...theirs]) };
}

/** The facts after a step, if all goes well: what `--dry-run` goes on from, and a test's model of a server. */
export function expectedAfter(facts: TakeoverFacts, one: Step): TakeoverFacts {
  const { own, peers, progress } = facts;
  const withOwn = (changes: Partial<MemberFacts>): TakeoverFacts => ({ ...facts, own: { ...own, ...changes } });
  const withChannel = (name: string, changes: Partial<ChannelFacts>): TakeoverFacts =>
    withOwn({ channels: own.channels.map((each) => (each.channel === name ? { ...each, ...changes } : each)) });
  switch (one.kind) {
    case "close-own":
      return { ...withOwn({ closedBy: "read_only" }), progress: { ...progress, closed: true } };
    case "start-applier":
      return withChannel(one.channel, { sql: "running" });
    case "close-peer":
      return {
        ...facts,
        peers: peers.map((peer) =>
          peer.address === one.peer && peer.state.kind === "up"
            ? { ...peer, state: { kind: "up", facts: { ...peer.state.facts, closedBy: "read_only" } } }
            : peer,
        ),
      };
    case "stop-receiver":
      return withChannel(one.channel, { io: "stopped" });
    case "stop-applier":
      return withChannel(one.channel, { sql: "stopped" });
    case "fetch-tail":
      return { ...facts, progress: { ...progress, tails: new Map([...(progress.tails ?? []), [one.peer, null]]) } };
    case "record":
      return { ...facts, progress: { ...progress, recorded: one.position } };
    case "acknowledgements":
      return withOwn({ semiSync: own.semiSync === null ? null : { ...own.semiSync, enabled: one.wanted } });
    case "start-events":
      return withOwn({ scheduler: "on" });
    case "open":
      return { ...withOwn({ closedBy: null }), progress: { ...progress, opened: true } };
  }
}
