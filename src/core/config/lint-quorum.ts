/** Whether the times of `quorum_store` fit the instances that it guards, and the two inequalities in numbers, for `check`. */
import type { Micros } from "../lib/units.ts";
import { seconds } from "../lib/units.ts";
import type { QuorumConfig } from "../quorum/config.ts";
import { CLOCK_RATE_BOUND, SILENCE, shortestTtl, waitFor } from "../quorum/timing.ts";
import { minimumLeaseSeconds } from "../vrrp/lease.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { HoldfastConfig, InstanceConfig } from "./model.ts";

const text = (length: Micros): string => `${Number((length / 1e6).toFixed(2))} s`;

const guarded = ({ instances }: Pick<HoldfastConfig, "instances">): readonly InstanceConfig[] =>
  instances.filter(({ managesMysql, managesRedis }) => managesMysql !== null || managesRedis !== null);

/** The lifetime that an address must have at an advert to live until the next. */
const leaseOf = ({ vrrp }: InstanceConfig): Micros =>
  seconds(vrrp.leaseSeconds === null ? 0 : minimumLeaseSeconds(vrrp));

export function lintQuorum(config: HoldfastConfig, diagnostics: DiagnosticSink): void {
  const { quorum } = config;
  if (quorum === null) return;
  if (guarded(config).length === 0) {
    const message = "quorum_store guards nothing: no instance manages a database";
    diagnostics.report("quorum-unused", null, message, "write manage_mysql or manage_redis, or remove the block");
  }
  const place = quorum.kind === "witness" ? quorum.place.address : null;
  for (const instance of guarded(config)) {
    if (place !== null && isOfPair(place, instance, config)) {
      const message = `${instance.vrrp.name}: the witness ${place} is on a host of the pair or is its address: when that host is gone, so is the vote`;
      diagnostics.report("witness-on-pair", instance.span, message, "run `holdfast witness` on a third host");
    }
    const { name, leaseSeconds, fenceSpan } = instance.vrrp;
    const least = shortestTtl(quorum, leaseOf(instance));
    if (quorum.ttl < least) {
      const message = `${name}: ttl ${text(quorum.ttl)} of quorum_store is too short: one answer that is lost takes the address away`;
      diagnostics.report(
        "quorum-ttl",
        instance.span,
        message,
        `write ttl ${Number((least / 1e6).toFixed(2))} or more, or shorten renew and timeout`,
      );
    }
    if (leaseSeconds === null && fenceSpan === null) {
      const message = `${name}: with vip_lease off a frozen host keeps its address when another has the record of quorum_store`;
      diagnostics.report("quorum-without-lease", instance.span, message, "remove vip_lease off, or write fence strict");
    }
  }
}

/** The own loopback, a peer, or an address that moves between the two. */
function isOfPair(
  place: string,
  { vrrp, managesMysql, managesRedis }: InstanceConfig,
  config: HoldfastConfig,
): boolean {
  if (place === "::1" || place.startsWith("127.")) return true;
  if ([...vrrp.advertised, ...vrrp.excluded].some(({ address }) => address === place)) return true;
  const groups = [
    ...config.mysql.filter(({ name }) => name === managesMysql),
    ...config.redis.filter(({ name }) => name === managesRedis),
  ];
  const peers = groups.flatMap(({ group }) => group.peers.map(({ host }) => host));
  return peers.includes(place) || (config.peerLink?.peers.some(({ address }) => address === place) ?? false);
}

export function quorumLines(config: HoldfastConfig): readonly string[] {
  const { quorum } = config;
  return quorum === null ? [] : guarded(config).flatMap((instance) => inequalities(instance, quorum));
}

function inequalities(instance: InstanceConfig, quorum: QuorumConfig): readonly string[] {
  const { name } = instance.vrrp;
  const { ttl, renew, timeout } = quorum;
  const lease = leaseOf(instance);
  const least = shortestTtl(quorum, lease);
  const wait = waitFor({ ttl, silence: SILENCE });
  const rate = 1 + CLOCK_RATE_BOUND;
  return [
    `${name}: quorum_store: ttl ${text(ttl)} ${ttl >= least ? ">=" : "IS LESS THAN"} renew ${text(renew)} + 2 x timeout ${text(timeout)} + address lifetime ${text(lease)} = ${text(least)}: one lost answer changes nothing`,
    `${name}: quorum_store: the store may be without an answer for ${text(Math.max(0, ttl - lease - renew) as Micros)} at least, as while it is started anew, before a holder lets its address go (policy availability apart)`,
    `${name}: quorum_store: wait ${text(wait)} >= ${rate}^2 x (ttl ${text(ttl)} + silence ${text(SILENCE)}): a dead holder is replaced that long after its last renewal, and its address answers for ${text((ttl + SILENCE) as Micros)} at most`,
  ];
}
