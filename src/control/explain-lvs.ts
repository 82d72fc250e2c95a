/**
 * Why a real server gets connections or none, service by service: the checks, the pool, what an operator drained, what the kernel refused.
 * Pure: takes the view and recent events, returns words. Never says more than is known.
 */
import { eventInWords } from "../core/events/explain.ts";
import { lengthInWords } from "../core/events/outcome.ts";
import { isCalled } from "../core/lvs/server-names.ts";
import { checkerInWords, type Moment } from "./contract/lvs-words.ts";
import type {
  EventEntry,
  ExplainLine,
  LvsServerView,
  LvsServiceView,
  LvsStatusReply,
  ServiceExplanation,
} from "./contract/types.ts";

export interface LvsExplainInput {
  readonly view: LvsStatusReply;
  /** Oldest first. */
  readonly events: readonly EventEntry[];
  readonly clockText: (time: number) => string;
}

/** A server or a service as an operator writes it; null: every service in which something is amiss. */
export function explainServices(input: LvsExplainInput, typed: string | null): readonly ServiceExplanation[] {
  return input.view.services.flatMap((service) => {
    const servers = serversMeant(service, typed);
    return servers === null ? [] : [explainService(input, service, servers)];
  });
}

function serversMeant(service: LvsServiceView, typed: string | null): readonly LvsServerView[] | null {
  if (typed === null) {
    const amiss = service.servers.filter((server) => !serves(server));
    return service.virtualServer !== null && (amiss.length > 0 || !isWhole(service)) ? amiss : null;
  }
  if (isCalled(service.virtualServer ?? "", typed) || service.service === typed) return service.servers;
  const meant = service.servers.filter((one) => one.server === typed || isCalled(one.realServer ?? "", typed));
  return meant.length === 0 ? null : meant;
}

/** A sorry server that is not needed is nobody's concern. */
const serves = ({ state, realServer }: LvsServerView): boolean => state === "up" || realServer === null;

const isWhole = ({ present, quorum, onlyOnMaster }: LvsServiceView): boolean =>
  (present || onlyOnMaster !== null) && quorum?.up !== false;

function explainService(
  input: LvsExplainInput,
  service: LvsServiceView,
  servers: readonly LvsServerView[],
): ServiceExplanation {
  return {
    service: service.service,
    state: stateOf(input.view, service),
    headline: headline(input.view, service),
    because: servers.flatMap((server) => serverLines(input, service, server)),
    outlook: [...new Set(servers.flatMap((server) => remedy(input.view, service, server)))],
    notes: notes(input.view, service),
  };
}

function stateOf({ kernel }: LvsStatusReply, service: LvsServiceView): ServiceExplanation["state"] {
  if (kernel === "absent") return "missing";
  if (!service.present) return service.onlyOnMaster === null ? "missing" : "elsewhere";
  return service.quorum?.up === false ? "without-quorum" : "served";
}

function headline(view: LvsStatusReply, service: LvsServiceView): string {
  const { service: name, onlyOnMaster, quorum, servers } = service;
  switch (stateOf(view, service)) {
    case "missing":
      return view.kernel === "absent"
        ? `${name} is not served: this kernel has no IPVS (${view.detail}).`
        : `${name} is not in the kernel's table.`;
    case "elsewhere":
      return `${name} is not served here, because ${onlyOnMaster} is not MASTER on this host.`;
    case "without-quorum": {
      const stands = quorum?.sorry === true ? "; the sorry server stands in" : "; nobody stands in";
      return `${name} has no quorum: its live servers weigh ${quorum?.weight}, and ${quorum?.needed} is needed${stands}.`;
    }
    default:
      return `${name} is served by ${servers.filter(({ state }) => state === "up").length} of ${servers.length} servers.`;
  }
}

function serverLines(input: LvsExplainInput, service: LvsServiceView, server: LvsServerView): ExplainLine[] {
  const moment: Moment = { now: input.view.now, clockText: input.clockText };
  const lines: ExplainLine[] = [{ depth: 1, text: `${server.server} ${standing(service, server, moment)}` }];
  for (const checker of server.pool?.checkers ?? []) {
    lines.push({ depth: 2, text: checkerInWords(checker, moment) });
    const { intervalSeconds } = checker;
    if (!checker.up && intervalSeconds !== null)
      lines.push({ depth: 3, text: `it runs every ${lengthInWords(intervalSeconds * 1_000)}` });
  }
  return [...lines, ...earlier(input, service, server)];
}

function standing(service: LvsServiceView, { state, pool, weight }: LvsServerView, moment: Moment): string {
  const since =
    pool === null ? "" : ` since ${moment.clockText(pool.since)} (${lengthInWords(moment.now - pool.since)})`;
  if (state === "drained") return "gets no new connections, because an operator drains it";
  if (pool === null) return state === "up" ? "is in the table, and the file names it as no real server" : "weighs 0";
  if (!pool.alive)
    return state === "idle"
      ? `is down${since} and stays in the table with weight 0 (inhibit_on_failure)`
      : `is out of the pool${since}`;
  if (service.quorum?.sorry === true) return "is alive, but the sorry server has its place";
  if (state === "up")
    return pool.rising
      ? `gets connections by weight ${weight} of ${pool.weight}: its slow start is on${since}`
      : `gets connections${since}, by weight ${weight}`;
  if (state === "idle") return "is alive but weighs 0: its file, its checkers or its tracked files leave it no weight";
  return `is alive${since}, but not in the kernel's table`;
}

const EARLIER = 3;

/** What brought it in and out before. */
function earlier(
  { events, clockText }: LvsExplainInput,
  service: LvsServiceView,
  server: LvsServerView,
): ExplainLine[] {
  const { virtualServer } = service;
  const { realServer } = server;
  if (realServer === null) return [];
  const told = events.filter(
    ({ body }) =>
      (body.kind === "real-server" || body.kind === "real-server-weight") &&
      body.service === virtualServer &&
      body.server === realServer,
  );
  // The latest is what the lines above tell.
  return told
    .slice(-EARLIER - 1, -1)
    .reverse()
    .map(({ body, time }) => ({ depth: 2, text: `before that, at ${clockText(time)}: ${eventInWords(body)}` }));
}

function remedy(view: LvsStatusReply, service: LvsServiceView, { state, pool, server }: LvsServerView): string[] {
  if (state === "drained") return [`\`holdfast undrain ${server}\` gives it connections again`];
  if (pool === null || state === "up") return [];
  if (!pool.alive) {
    const failed = pool.checkers.filter(({ up }) => !up).map(({ checker }) => checker);
    const wanted =
      failed.length === 0 ? "its checkers have" : `${failed.join(" and ")} ${failed.length > 1 ? "have" : "has"}`;
    return [`${wanted} to succeed for ${server} to come back${service.checking ? "" : ", and nothing is checked now"}`];
  }
  if (view.kernel !== "ready" || !service.present || service.quorum?.sorry !== true) return [];
  return [`more weight has to come alive: ${service.quorum.weight} of ${service.quorum.needed} is there`];
}

function notes(view: LvsStatusReply, service: LvsServiceView): string[] {
  const refused = view.refused.filter((one) => one.service === service.service);
  const lines = refused.map(({ order, errno, remedy: todo }) => `The kernel refused to ${order}: ${errno}; ${todo}.`);
  if (!service.checking) lines.push("Its servers are not checked while its address is not on this host (ha_suspend).");
  if (view.kernel === "absent")
    lines.push("`modprobe ip_vs` loads what is missing; nothing else has to be started again.");
  return lines;
}
