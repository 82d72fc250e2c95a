/** Virtual servers as the API shows them: the kernel's table beside what the checks of each real server last found. Reads, decides nothing. */

import { eventInWords } from "../core/events/explain.ts";
import { checkerKeyword, findingInWords } from "../core/events/explain-lvs.ts";
import { serviceText } from "../core/lvs/ipvs/words.ts";
import type { CheckerStatus, PoolServerStatus, PoolStatus } from "../engine/checkers/pool-status.ts";
import type { LvsStatus, ServerStatus, ServiceStatus } from "../engine/lvs/lvs-status.ts";
import type { ControlActions } from "./actions.ts";
import type { EventEntry, LvsCheckerView, LvsServerView, LvsServiceView, LvsStatusReply } from "./contract/types.ts";
import type { ReadModel } from "./read-model.ts";

const NOTHING: LvsStatus = {
  kernel: "unused",
  version: "",
  detail: "",
  foreign: 0,
  refused: [],
  sync: [],
  services: [],
};

export const lvsNow = (actions: ControlActions): LvsStatus => actions.lvs?.() ?? NOTHING;

export function lvsView(
  actions: ControlActions,
  readModel: Pick<ReadModel, "recent" | "wallTime" | "now">,
): LvsStatusReply {
  const status = lvsNow(actions);
  const pools = new Map((actions.pools?.() ?? []).map((pool) => [pool.service, pool]));
  const causes = latestCauses(readModel.recent());
  return {
    api: 1,
    now: readModel.now(),
    ...status,
    refused: status.refused.map((one) => ({ ...one, service: serviceText(one.service) })),
    sync: status.sync.map(({ state, interface: device, id }) => ({ state, interface: device, id })),
    services: status.services.map((service) => {
      const pool = pools.get(service.virtualServer ?? "") ?? null;
      return serviceView(service, { pool, causes, wallTime: (at) => readModel.wallTime(at) });
    }),
  };
}

interface Known {
  readonly pool: PoolStatus | null;
  readonly causes: ReadonlyMap<string, EventEntry>;
  readonly wallTime: (monotonic: number) => number;
}

function serviceView(service: ServiceStatus, known: Known): LvsServiceView {
  const { pool } = known;
  return {
    ...service,
    quorum:
      pool === null
        ? null
        : { up: pool.quorumUp, needed: pool.quorum, weight: pool.liveWeight, sorry: pool.sorryAlive },
    checking: pool?.checking ?? true,
    servers: service.servers.map((server) => serverView(service, server, known)),
  };
}

function serverView(service: ServiceStatus, server: ServerStatus, { pool, causes, wallTime }: Known): LvsServerView {
  const standing = pool?.servers.find((one) => one.server === server.realServer) ?? null;
  const cause = causes.get(causeKey(service.virtualServer, server.realServer));
  return {
    ...server,
    cause: cause === undefined ? null : eventInWords(cause.body),
    pool: standing === null ? null : standingView(standing, wallTime),
  };
}

const standingView = (
  { alive, since, weight, rising, checkers }: PoolServerStatus,
  wallTime: Known["wallTime"],
): LvsServerView["pool"] => ({
  alive,
  since: wallTime(since),
  weight,
  rising,
  checkers: checkers.map((one) => checkerView(one, wallTime)),
});

function checkerView(status: CheckerStatus, wallTime: Known["wallTime"]): LvsCheckerView {
  const { checker, up, since, lastRunAt, finding, output, retries, retry, intervalSeconds } = status;
  return {
    checker: checkerKeyword(checker),
    up,
    since: since === null ? null : wallTime(since),
    lastRunAt: lastRunAt === null ? null : wallTime(lastRunAt),
    ok: finding === null ? null : finding.kind === "ok",
    finding: finding === null ? null : findingInWords(finding),
    output,
    retries,
    retry,
    intervalSeconds,
  };
}

const causeKey = (service: string | null, server: string | null): string => `${service} ${server}`;

/** Whatever brought each server into its pool or out of it last. */
function latestCauses(events: readonly EventEntry[]): ReadonlyMap<string, EventEntry> {
  const latest = new Map<string, EventEntry>();
  for (const entry of events) {
    const { body } = entry;
    if (body.kind === "checker" || body.kind === "real-server") latest.set(causeKey(body.service, body.server), entry);
  }
  return latest;
}
