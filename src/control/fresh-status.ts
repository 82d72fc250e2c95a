/** The daemon's state as of now, for every question that is answered with it, and whether all is well. */
import type { ControlActions } from "./actions.ts";
import type { HealthReply, StatusReply } from "./contract/types.ts";
import type { ReadModel } from "./read-model.ts";

export interface StatusSource {
  readonly readModel: ReadModel;
  readonly actions: ControlActions;
  /** How long the keeper may take to answer before its last known state is shown. */
  readonly statusTimeoutMillis?: number;
}

/** A little more than the supervisor itself waits for the keeper. */
const STATUS_TIMEOUT_MILLIS = 1_200;

/** Asks the keeper, but not for long: a frozen keeper must not make status hang. */
export async function freshStatus({ readModel, actions, statusTimeoutMillis }: StatusSource): Promise<StatusReply> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), statusTimeoutMillis ?? STATUS_TIMEOUT_MILLIS);
  });
  const asked = actions.status().catch(() => null);
  const instances = await Promise.race([asked, limit]);
  clearTimeout(timer);
  if (instances === null) readModel.markStale();
  else readModel.setSnapshot(instances);
  if (actions.mysql !== undefined) readModel.setMysql(actions.mysql());
  if (actions.redis !== undefined) readModel.setRedis(actions.redis());
  if (actions.quorum !== undefined) readModel.setQuorum(actions.quorum());
  if (actions.peers !== undefined) readModel.setPeers(actions.peers());
  if (actions.checks !== undefined) readModel.setChecks(actions.checks());
  if (actions.keeper !== undefined) readModel.setKeeper(actions.keeper());
  return readModel.status();
}

export function healthOf(status: StatusReply): HealthReply {
  const problems: string[] = [];
  if (status.keeper.state !== "running") problems.push(`the keeper is ${status.keeper.state}`);
  if (status.stale) problems.push("the keeper does not answer");
  if (!status.journal.writable) problems.push(`the journal cannot be written: ${status.journal.detail ?? "unknown"}`);
  for (const view of status.instances) {
    if (view.splitBrain !== null) problems.push(`${view.name} has two masters: ${view.splitBrain.signs.join("; ")}`);
    if (view.state === "FAULT") problems.push(`${view.name} is in FAULT: ${view.reason ?? "unknown"}`);
  }
  return { api: 1, healthy: problems.length === 0, problems };
}
