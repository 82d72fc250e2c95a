/** Tracked database servers for `status` and `explain`, whatever their product: the engine's account with the words of core. */
import type { HoldfastConfig } from "../core/config/model.ts";
import { sameTrouble, troubleInWords } from "../core/database/trouble.ts";
import { lengthInWords } from "../core/events/explain.ts";
import type { DatabaseStatus } from "../engine/database-engine.ts";
import type { DatabaseView, ExplainLine } from "./contract/types.ts";
import type { ExplainInput } from "./explain-input.ts";

export type DatabaseProduct = "mysql" | "redis";

export interface ViewContext {
  readonly config: HoldfastConfig | null;
  readonly wallTime: (monotonic: number) => number;
}

export function databaseView(
  product: DatabaseProduct,
  status: DatabaseStatus,
  version: string | null,
  { config, wallTime }: ViewContext,
): DatabaseView {
  const { name, server, standing, trouble, since, lookedAt, intervalMillis } = status;
  return {
    name,
    server,
    version,
    standing,
    trouble: trouble === null ? null : troubleInWords(trouble),
    cause: trouble,
    remarks: [
      ...(status.group ?? []),
      ...(status.remark == null ? [] : [status.remark]),
      ...status.findings
        .filter((finding) => !sameTrouble(finding.trouble, trouble))
        .map((finding) => troubleInWords(finding.trouble)),
    ],
    since: since === null ? null : wallTime(since),
    lookedAt: lookedAt === null ? null : wallTime(lookedAt),
    intervalMillis,
    trackedBy: trackersOf(product, name, config),
  };
}

function trackersOf(product: DatabaseProduct, name: string, config: HoldfastConfig | null): DatabaseView["trackedBy"] {
  return (config?.instances ?? []).flatMap(({ vrrp }) => {
    const list = product === "mysql" ? vrrp.trackMysql : vrrp.trackRedis;
    const tracked = list.find(({ key }) => key === name);
    return tracked === undefined ? [] : [{ instance: vrrp.name, weight: tracked.weight }];
  });
}

/** Why a server fails, since when, and what was known of it. */
export function databaseLines(
  product: DatabaseProduct,
  view: DatabaseView,
  { status, clockText }: ExplainInput,
  details: readonly string[],
): ExplainLine[] {
  const since =
    view.since === null ? "" : ` since ${clockText(view.since)} (${lengthInWords(status.now - view.since)})`;
  const version = view.version === null ? "" : `, ${view.version}`;
  const looked = view.lookedAt === null ? "" : `, last ${lengthInWords(status.now - view.lookedAt)} ago`;
  return [
    { depth: 1, text: `${product} ${view.name} fails${since}: ${view.trouble}` },
    { depth: 2, text: `it is looked at every ${lengthInWords(view.intervalMillis)}${looked}` },
    { depth: 2, text: `the server is ${view.server}${version}` },
    ...details.map((text) => ({ depth: 2, text })),
    ...view.remarks.map((text) => ({ depth: 2, text: `besides: ${text}` })),
  ];
}
