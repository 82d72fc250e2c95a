/** What manage_mysql and manage_redis promise and what it cannot: said in words, for each managed instance. */
import { addressInWords, type Policy } from "../database/config.ts";
import type { DiagnosticCode } from "./codes.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { HoldfastConfig, InstanceConfig, MysqlBlockConfig, RedisBlockConfig } from "./model.ts";

type Product = "mysql" | "redis";

/** What can be lost when. docs/mysql.md and docs/redis.md have the tables. */
const POLICIES: Readonly<Record<Product, Readonly<Record<Policy, string>>>> = {
  mysql: {
    availability:
      "a peer that does not answer is taken for dead: it may be alive behind a cut and go on taking writes, which are then in quarantine",
    balanced:
      "a peer that does not answer is taken for dead while the gateway answers: what it had committed and not sent is missing until it is back",
    consistency:
      "no takeover from a peer that is silent, nor from one that is down and whose commits did not wait for an acknowledgement",
  },
  redis: {
    availability:
      "a peer that does not answer is taken for dead, and a writer never waits for a replica: what it had not sent, or writes on behind a cut, is in a copy only",
    balanced:
      "a peer that does not answer is taken for dead while the gateway answers; a writer with a replica takes no writes for longer than min_replicas_max_lag without it, unless it stays alone",
    consistency: "no takeover from a peer that is silent, and no write without a replica that is in step",
  },
};

const virtualHosts = ({ advertised, excluded }: InstanceConfig["vrrp"]): readonly string[] =>
  [...advertised, ...excluded].map(({ address }) => address);

export function lintManaged({ instances, mysql, redis }: HoldfastConfig, diagnostics: DiagnosticSink): void {
  const of = (product: Product, name: string | null) =>
    (product === "mysql" ? mysql : redis).find((server) => server.name === name) ?? null;
  const managers = new Map<string, string>();
  for (const { vrrp, managesMysql, managesRedis, span } of instances) {
    for (const [product, managed] of [
      ["mysql", managesMysql],
      ["redis", managesRedis],
    ] as const) {
      const server = of(product, managed);
      if (server === null) continue;
      const name = `${product} ${server.name}`;
      const other = managers.get(name);
      if (other !== undefined) {
        const message = `${other} and ${vrrp.name} both manage ${name}: whoever gives its address up closes the server of the other`;
        const remedy = "give each instance a server of its own, or use a vrrp_sync_group and manage it once";
        diagnostics.report("managed-twice", span, message, remedy);
      }
      managers.set(name, vrrp.name);
      lintGroup(vrrp, { ...server, name }, { span, diagnostics });
      const { policy, peers } = server.group;
      const list = peers.map(addressInWords).join(", ");
      const promise = `${name}${list === "" ? "" : ` (peers ${list})`}: policy ${policy}: ${POLICIES[product][policy]}`;
      diagnostics.report("managed-policy", server.span, promise, null);
    }
  }
}

type ManagedBlock = Pick<MysqlBlockConfig | RedisBlockConfig, "name" | "address" | "group" | "span">;

/** Who is named, and whether that can be meant. */
function lintGroup(
  vrrp: InstanceConfig["vrrp"],
  server: ManagedBlock,
  { span, diagnostics }: Pick<InstanceConfig, "span"> & { readonly diagnostics: DiagnosticSink },
): void {
  const { name, group, address } = server;
  const about = (code: DiagnosticCode, what: string, remedy: string): void =>
    diagnostics.report(code, server.span, `${name}${what}`, remedy);
  if (group.peers.length === 0) {
    const what = ` has no peer: a takeover by ${vrrp.name} asks and closes nobody`;
    about("managed-alone", what, "write peer HOST [PORT] for each other server of the group");
  } else if (vrrp.preempt) {
    const message = `${vrrp.name} has no \`nopreempt\`: when its host comes back a writer that works is closed once more, and \`holdfast switchover\` is refused`;
    diagnostics.report("managed-preempts", span, message, "write nopreempt on all hosts");
  }
  const own = addressInWords(address);
  const moving = virtualHosts(vrrp);
  for (const peer of group.peers.filter((one) => addressInWords(one) === own || moving.includes(one.host))) {
    const what = `: peer ${addressInWords(peer)} is this host's own server, or the address that moves`;
    about("peer-is-own", what, "write the other host's own address");
  }
  const writers = [own, ...group.peers.map(addressInWords)];
  for (const replica of group.replicas.map(addressInWords).filter((one) => writers.includes(one))) {
    const what = `: ${replica} is \`replica\` and also a server that may take writes`;
    about("replica-is-peer", what, "name it once: peer, if it may become the writer");
  }
}
