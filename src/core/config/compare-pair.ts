/**
 * The files of both hosts of a pair, beside each other: what makes them not hear each other, or disagree about who holds what. Findings
 * are placed in the second file. No message repeats a password.
 */
import { ipBytes } from "../lib/ip.ts";
import { endpointsOf, type QuorumConfig } from "../quorum/config.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { DiagnosticCode } from "./codes.ts";
import { createDiagnostics } from "./diagnostics.ts";
import type { Diagnostic, HoldfastConfig, InstanceConfig, SourceSpan } from "./model.ts";

interface Pair {
  readonly here: VrrpInstanceConfig;
  readonly there: VrrpInstanceConfig;
  readonly tell: (code: DiagnosticCode, message: string, remedy: string) => void;
}

export function comparePair(first: HoldfastConfig, second: HoldfastConfig): readonly Diagnostic[] {
  const diagnostics = createDiagnostics();
  const missing = (one: InstanceConfig, where: string, span: SourceSpan | null): void => {
    const { name, virtualRouterId } = one.vrrp;
    const message = `vrrp_instance ${name} (virtual_router_id ${virtualRouterId}) is in the ${where} file only: nobody takes its addresses over`;
    diagnostics.report("pair-missing", span, message, "give both hosts the same instances");
  };
  for (const one of first.instances) {
    const other = counterpart(one, second.instances);
    if (other === null) {
      missing(one, "first", one.span);
      continue;
    }
    const tell: Pair["tell"] = (code, message, remedy) =>
      diagnostics.report(code, other.span, `${one.vrrp.name}: ${message}`, remedy);
    const pair = { here: one.vrrp, there: other.vrrp, tell };
    for (const compare of [packets, proof, addresses, election]) compare(pair);
    if ((one.managesMysql === null) !== (other.managesMysql === null)) {
      tell("pair-managed", "one host manages its database and the other does not", "write manage_mysql on both");
    }
  }
  compareQuorum(first.quorum, second.quorum, (message, remedy) =>
    diagnostics.report("pair-quorum", null, message, remedy),
  );
  for (const other of second.instances)
    if (counterpart(other, first.instances) === null) missing(other, "second", other.span);
  return diagnostics.list;
}

function compareQuorum(
  here: QuorumConfig | null,
  there: QuorumConfig | null,
  tell: (message: string, remedy: string) => void,
): void {
  if (here === null && there === null) return;
  if (here === null || there === null) {
    tell("one host asks a quorum_store and the other does not: that one claims without it", "write it on both");
    return;
  }
  const [mine, theirs] = [here, there].map((one) => `${one.kind} ${[...endpointsOf(one)].sort().join(" ")}`);
  if (mine !== theirs) tell(`quorum_store is ${mine} and ${theirs}: two stores can disagree`, "give both the same");
  if (here.prefix !== there.prefix)
    tell(`prefix of quorum_store is ${here.prefix} and ${there.prefix}: two records`, "give both the same");
  if (here.ttl !== there.ttl) {
    const message = `ttl of quorum_store is ${here.ttl / 1e6} and ${there.ttl / 1e6}`;
    tell(`${message}: where the record is lost, the shorter one is waited for`, "give both the same");
  }
}

/** By number and family, which is what the wire knows; else by name, so that a wrong number is told as such. */
function counterpart({ vrrp }: InstanceConfig, others: readonly InstanceConfig[]): InstanceConfig | null {
  const byNumber = others.filter(
    (one) => one.vrrp.virtualRouterId === vrrp.virtualRouterId && one.vrrp.family === vrrp.family,
  );
  return (
    byNumber.find((one) => one.vrrp.name === vrrp.name) ??
    byNumber[0] ??
    others.find((one) => one.vrrp.name === vrrp.name) ??
    null
  );
}

function packets({ here, there, tell }: Pair): void {
  if (here.virtualRouterId !== there.virtualRouterId) {
    const message = `virtual_router_id is ${here.virtualRouterId} on one host and ${there.virtualRouterId} on the other: both will be MASTER`;
    tell("pair-vrid", message, "give both the same number");
  }
  if (here.version !== there.version) {
    tell(
      "pair-version",
      `vrrp_version is ${here.version} and ${there.version}: neither hears the other`,
      "give both the same",
    );
  } else if (here.advertInterval !== there.advertInterval) {
    const message = `advert_int is ${here.advertInterval / 1e6} and ${there.advertInterval / 1e6}`;
    const effect =
      here.version === 2 ? "version 2 drops such adverts: both will be MASTER" : "a backup goes by the master's";
    tell(here.version === 2 ? "pair-interval" : "pair-interval-v3", `${message}; ${effect}`, "give both the same");
  }
  const [mine, theirs] = [here.transport, there.transport];
  if (mine.kind !== theirs.kind) {
    tell(
      "pair-transport",
      `one host sends to ${mine.kind}, the other to ${theirs.kind}`,
      "write unicast_peer on both or on neither",
    );
  } else if (mine.kind === "multicast" && theirs.kind === "multicast" && mine.group !== theirs.group) {
    tell("pair-transport", `the multicast groups ${mine.group} and ${theirs.group} differ`, "give both the same");
  }
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function proof({ here, there, tell }: Pair): void {
  const [mine, theirs] = [here.authentication, there.authentication];
  if (mine.kind !== theirs.kind) {
    tell(
      "pair-auth",
      `authentication is ${mine.kind} and ${theirs.kind}: neither believes the other`,
      "give both the same",
    );
  } else if (!same(mine, theirs)) {
    tell("pair-auth", "auth_pass differs: neither believes the other", "give both the same");
  }
  const [signed, believed] = [here.authHmac, there.authHmac];
  if ((signed === null) !== (believed === null)) {
    tell("pair-auth", "one host has auth_hmac and the other has not", "give both the block; mode receive-only first");
  } else if (signed !== null && believed !== null) {
    const known = (a: typeof signed, b: typeof signed): boolean => {
      const active = a.keys.find(({ id }) => id === a.activeKey);
      return b.keys.some((key) => same(key, active));
    };
    if (!known(signed, believed) || !known(believed, signed)) {
      tell(
        "pair-auth",
        "the active_key of one host is none of the other's keys",
        "add that key to both before it is made active",
      );
    }
  }
}

function addresses({ here, there, tell }: Pair): void {
  const set = ({ advertised, excluded }: VrrpInstanceConfig): readonly string[] =>
    [...advertised, ...excluded].map(({ address }) => [...ipBytes(address)].join("."));
  const names = ({ advertised, excluded }: VrrpInstanceConfig): readonly string[] =>
    [...advertised, ...excluded].map((one) => one.address);
  const only = (one: VrrpInstanceConfig, other: VrrpInstanceConfig): readonly string[] => {
    const others = new Set(set(other));
    return names(one).filter((_, index) => !others.has(set(one)[index] ?? ""));
  };
  const differing = [...only(here, there), ...only(there, here)];
  if (differing.length === 0) return;
  tell(
    "pair-addresses",
    `only one host has ${differing.join(", ")}: it is gone after a takeover`,
    "give both the same virtual_ipaddress",
  );
}

function election({ here, there, tell }: Pair): void {
  if (here.priority === 255 && there.priority === 255) {
    tell("pair-owners", "both hosts have priority 255: both will be MASTER", "let one of them own the address at most");
  } else if (here.priority === there.priority) {
    const message = `both hosts have priority ${here.priority}: started together, the higher address serves`;
    tell("pair-priority", message, "give them different priorities if it matters which one begins");
  }
  if (here.preempt !== there.preempt) {
    tell("pair-preempt", "nopreempt is on one host only: the other takes the address back", "write nopreempt on both");
  }
}
