/** `holdfast init-writer` of a managed MySQL server. */
import { NAMING_STEP, type NamingOutcome, standsAgainst } from "../core/database/first-writer.ts";
import { failureInWords, MysqlServers } from "./mysql-group.ts";
import type { Managed } from "./mysql-managed.ts";
import type { MysqlWork } from "./mysql-work.ts";

export async function nameWriter(work: MysqlWork, managed: Managed): Promise<NamingOutcome> {
  const servers = new MysqlServers(work.tools.sql, managed.config);
  const { own, peers } = await servers.ask({ end: false, ownLast: false });
  servers.close();
  const ownProblem = own.ok ? null : failureInWords(own.error);
  const against = standsAgainst({ open: managed.open, ownProblem }, peers);
  if (against !== null) return { named: false, detail: against };
  const written = await managed.first.name(new Date(work.tools.wallMillis()).toISOString());
  if (!written.ok) return { named: false, detail: written.error };
  work.tell(managed, { what: "takeover", step: NAMING_STEP, outcome: "done", detail: "" });
  const silent = peers.map(({ address }) => address).join(", ");
  return { named: true, detail: `${silent} cannot be asked; the next claim goes on without that` };
}
