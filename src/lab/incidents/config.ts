/** The same pair, as Holdfast manages it and as keepalived runs it with the scripts that are handed round. */
import { join } from "node:path";
import type { DaemonKind } from "../daemon.ts";
import { PAIR_TOPOLOGY } from "../lab.ts";
import { LAB_DATA } from "../paths.ts";
import type { RedisServer } from "../redis.ts";
import { GLOBALS, instanceBlock } from "../vrrp-cluster.ts";

export interface PairMember {
  readonly server: RedisServer;
  readonly peer: RedisServer;
  readonly priority: number;
  /** Called at every change of state, beside whatever else there is. */
  readonly notify: string;
}

export function configOf(kind: DaemonKind, member: PairMember): string {
  return GLOBALS + (kind === "holdfast" ? managed(member) : scripted(member));
}

/** Adverts of a second and a password, as most pairs have them. */
const instance = ({ priority, notify }: PairMember, lines: readonly string[]): string =>
  instanceBlock({ priority, advertSeconds: 1, version: 2, nopreempt: true, lines: [...lines, `notify "${notify}"`] });

function managed(member: PairMember): string {
  const block = [
    "redis cache {",
    "    server 127.0.0.1 6379",
    `    peer ${member.peer.host.address} 6379`,
    `    credentials ${member.server.managerFile}`,
    "}",
    "",
  ];
  const lines = ["manage_redis cache", `track_gateway ${PAIR_TOPOLOGY.gateway}`];
  return block.join("\n") + instance(member, lines);
}

function scripted(member: PairMember): string {
  const script = (name: string): string => join(LAB_DATA, "redis", name);
  const check = `vrrp_script chk {\n    script "${script("check.sh")}"\n    interval 1\n    fall 1\n    rise 1\n}\n`;
  const lines = [
    "track_script {",
    "    chk",
    "}",
    `notify_master "${script("master.sh")}"`,
    `notify_backup "${script("backup.sh")} ${member.peer.host.address}"`,
  ];
  return check + instance(member, lines);
}
