/** What manage_mysql promises and what it cannot: said in words, for each managed instance. */
import { addressInWords, type Policy } from "../mysql/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { HoldfastConfig } from "./model.ts";

/** What can be lost when. docs/mysql.md has the table. */
const POLICIES: Readonly<Record<Policy, string>> = {
  availability:
    "a peer that does not answer is taken for dead: it may be alive behind a cut and go on taking writes, which are then in quarantine",
  balanced:
    "a peer that does not answer is taken for dead while the gateway answers: what it had committed and not sent is missing until it is back",
  consistency:
    "no takeover from a peer that is silent, nor from one that is down and whose commits did not wait for an acknowledgement",
};

export function lintManaged({ instances, mysql }: HoldfastConfig, diagnostics: DiagnosticSink): void {
  const managers = new Map<string, string>();
  for (const { vrrp, managesMysql, span } of instances) {
    const server = mysql.find(({ name }) => name === managesMysql);
    if (server === undefined) continue;
    const { name, group } = server;
    const other = managers.get(name);
    if (other !== undefined) {
      const message = `${other} and ${vrrp.name} both manage mysql ${name}: whoever gives its address up closes the server of the other`;
      diagnostics.report(
        "managed-twice",
        span,
        message,
        "give each instance a server of its own, or use a vrrp_sync_group and manage it once",
      );
    }
    managers.set(name, vrrp.name);
    if (group.peers.length === 0) {
      const message = `mysql ${name} has no peer: a takeover by ${vrrp.name} asks and closes nobody`;
      diagnostics.report(
        "managed-alone",
        server.span,
        message,
        "write peer HOST [PORT] for each other server of the group",
      );
    }
    const writers = [server.address, ...group.peers].map(addressInWords);
    for (const replica of group.replicas.map(addressInWords).filter((one) => writers.includes(one))) {
      diagnostics.report(
        "replica-is-peer",
        server.span,
        `mysql ${name}: ${replica} is \`replica\` and also a server that may take writes`,
        "name it once: peer, if it may become the writer",
      );
    }
    const peers = group.peers.map(addressInWords).join(", ");
    diagnostics.report(
      "managed-policy",
      server.span,
      `mysql ${name}${peers === "" ? "" : ` (peers ${peers})`}: policy ${group.policy}: ${POLICIES[group.policy]}`,
      null,
    );
  }
}
