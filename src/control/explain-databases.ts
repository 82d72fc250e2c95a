/** What is noted of an instance's databases and is no fault: a server in quarantine, a standby not proved to follow, writes that are closed. */
import type { DatabaseView, ExplainLine } from "./contract/types.ts";
import type { ExplainInput } from "./explain-input.ts";

/** A server that is a fault of the instance has its own lines already. */
export function databaseRemarks(input: ExplainInput): ExplainLine[] {
  const { mysql, redis } = input.status;
  return [...remarksOf("mysql", mysql, input), ...remarksOf("redis", redis, input)];
}

function remarksOf(
  product: "mysql" | "redis",
  views: readonly DatabaseView[],
  { view, config }: ExplainInput,
): ExplainLine[] {
  const instance = config?.instances.find(({ vrrp }) => vrrp.name === view.name);
  const managed = product === "mysql" ? instance?.managesMysql : instance?.managesRedis;
  const failing = view.faults.flatMap((fault) => (fault.kind === product ? [fault.key] : []));
  return views
    .filter(({ name, trackedBy }) => name === managed || trackedBy.some((one) => one.instance === view.name))
    .filter(({ name }) => !failing.includes(name))
    .flatMap(({ name, remarks }) => remarks.map((text) => ({ depth: 1, text: `${product} ${name}: ${text}` })));
}
