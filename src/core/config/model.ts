/**
 * What a configuration file means, with every default filled in: the output of compile.ts. The keeper gets the
 * `vrrp` part of each instance; scripts and hooks stay with control.
 */

import type { ApiConfig } from "../api/config.ts";
import type { HookKind } from "../events/vocabulary.ts";
import type { GatewayEvidence } from "../evidence/gateways.ts";
import type { ProcessPattern, Quorum } from "../health/tracked-process.ts";
import type { Micros } from "../lib/units.ts";
import type { KeeperSettings } from "../link/keeper-settings.ts";
import type { LvsConfig } from "../lvs/config.ts";
import type { MysqlConfig } from "../mysql/config.ts";
import type { PeerLinkConfig } from "../peer-link/config.ts";
import type { QuorumConfig, WitnessConfig } from "../quorum/config.ts";
import type { RedisConfig } from "../redis/config.ts";
import type { HostConfig } from "../routing/host.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { Fix } from "./fix.ts";
import type { InstanceDefaults } from "./instance-defaults.ts";
import type { Command, SourceSpan } from "./written.ts";

export type { Command, SourceSpan };

export interface VrrpScriptConfig {
  readonly name: string;
  readonly command: Command;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly weight: number;
  readonly reverse: boolean;
  readonly rise: number;
  readonly fall: number;
  readonly initFail: boolean;
  /** Run once per tracking instance, with that instance's environment (`per_instance`, an extension). */
  readonly perInstance: boolean;
  readonly span: SourceSpan;
}

export interface TrackFileConfig {
  readonly name: string;
  readonly path: string;
  readonly weight: number;
  readonly reverse: boolean;
  /** What the file is created with, null when it is not. */
  readonly init: { readonly value: number; readonly overwrite: boolean } | null;
  readonly span: SourceSpan;
}

export interface TrackProcessConfig {
  readonly name: string;
  readonly pattern: ProcessPattern;
  readonly quorum: Quorum;
  readonly weight: number;
  readonly reverse: boolean;
  readonly span: SourceSpan;
}

/** A `redis` block. */
export interface RedisBlockConfig extends RedisConfig {
  /** As of MysqlBlockConfig. */
  readonly flawed: boolean;
  readonly span: SourceSpan;
}

/** A `mysql` block. */
export interface MysqlBlockConfig extends MysqlConfig {
  /** A line of it could not be used: what is missing nobody knows, so no instance manages it. */
  readonly flawed: boolean;
  readonly span: SourceSpan;
}

export interface InstanceConfig {
  readonly vrrp: VrrpInstanceConfig;
  readonly hooks: Readonly<Partial<Record<HookKind, Command>>>;
  /** Limit of an ordinary hook; unless given, half of the claim gate's, so that one that hangs does not starve it. */
  readonly hookTimeout: Micros;
  readonly notices: InstanceNotices;
  /** track_gateway: who has to answer before the instance claims. */
  readonly gateways: GatewayEvidence | null;
  /** claim_probe: how long others are asked for the addresses before a claim; absent: they are not. */
  readonly claimProbe?: Micros | null;
  /** manage_mysql: the block whose server is prepared before the address is taken. */
  readonly managesMysql: string | null;
  /** manage_redis, likewise. */
  readonly managesRedis: string | null;
  readonly written: InstanceWritten;
  readonly span: SourceSpan;
}

/** What the file says of an instance itself where `vrrp` holds what became of it; the dumps show it. */
export interface InstanceWritten {
  /** vrrp_strict, strict_mode. */
  readonly strict: boolean;
  /** use_vmac, use_ipvlan: the first of its virtual interfaces is the instance's own. */
  readonly ownInterface: boolean;
  /** use_vmac_addr */
  readonly addressInterfaces: boolean;
  /** unicast_fault_no_peer */
  readonly faultWithoutPeer: boolean;
  /** Without what its sync group tracks. */
  readonly trackers: TrackerLists;
}

export type TrackerLists = Pick<
  VrrpInstanceConfig,
  "trackScripts" | "trackInterfaces" | "trackFiles" | "trackProcesses" | "trackMysql" | "trackRedis"
>;

/** Where the dumps of USR1, USR2 and the JSON signal go, and in which form. */
export interface DumpSettings {
  /** data_use_instance: instance and network namespace become part of the names of the data dumps. */
  readonly useInstance: boolean;
  /** state_dump_file, stats_dump_file, json_dump_file; null: keepalived's name in TMPDIR or /tmp. */
  readonly stateFile: string | null;
  readonly statsFile: string | null;
  readonly jsonFile: string | null;
  readonly jsonVersion: 1 | 2;
}

/** vrrp_sync_group; what it tracks has become part of its members, and is kept here for the dumps. */
export interface SyncGroupConfig {
  readonly name: string;
  readonly members: readonly string[];
  readonly hooks: Readonly<Partial<Record<HookKind, Command>>>;
  readonly hookTimeout: Micros;
  /** smtp_alert. */
  readonly mail: boolean;
  /** notify_priority_changes */
  readonly priorityChanges: boolean;
  /** sync_group_tracking_weight */
  readonly trackingWeight: boolean;
  readonly tracked: TrackerLists;
  readonly span: SourceSpan;
}

/** What an instance tells besides its hooks. */
export interface InstanceNotices {
  /** smtp_alert. */
  readonly mail: boolean;
  readonly priorityChanges: boolean;
  /** notify_deleted is given: a reload that removes the instance tells DELETED instead of FAULT. */
  readonly deleted: boolean;
}

export interface FifoConfig {
  readonly keyword: "notify_fifo" | "vrrp_notify_fifo" | "lvs_notify_fifo";
  readonly path: string;
  readonly user: string | null;
  readonly group: string | null;
  readonly reader: Command | null;
}

export interface NotifyConfig {
  /** notify_fifo gets every line, vrrp_notify_fifo those of instances and groups, lvs_notify_fifo those of virtual and real servers. */
  readonly fifos: readonly FifoConfig[];
  readonly statesOnReload: boolean;
}

export interface MailConfig {
  readonly host: string;
  readonly port: number;
  readonly to: readonly string[];
  /** Null: keepalived@HOSTNAME. */
  readonly from: string | null;
  /** Null: the host's name. */
  readonly helo: string | null;
  readonly connectTimeout: Micros;
  readonly noFaults: boolean;
}

export interface TimedCommand {
  readonly command: Command;
  readonly timeout: Micros;
}

/** How scripts are run, all of them. */
export interface ScriptRules {
  readonly supplementaryGroups: boolean;
  readonly symlinkPaths: boolean;
  /** A tracked script that cannot be run: FAULT, or nothing, as in keepalived. */
  readonly unusable: "fault" | "ignore";
}

/** Where a daemon lives; fixed at its start. */
export interface PlaceConfig {
  readonly netNamespace: string | null;
  readonly instance: string | null;
  readonly usePidDir: boolean;
  /** File mode mask, 0 to 0o777. */
  readonly umask: number | null;
}

/** How a reload comes about and what goes with it. */
export interface ReloadSettings {
  readonly timeFile: string | null;
  readonly repeat: boolean;
  /** reload_file; "" is keepalived.reload beside the pid file. */
  readonly file: string | null;
  readonly saveDirectory: string | null;
  /** File behind reload_check_config. */
  readonly findingsFile: string | null;
}

/** script_user: whom scripts without a user of their own run as. */
export interface ScriptUser {
  readonly user: string;
  readonly group: string | null;
  readonly span: SourceSpan;
}

export interface GlobalConfig {
  readonly routerId: string | null;
  readonly scriptUser: ScriptUser | null;
  readonly enableScriptSecurity: boolean;
  /** Interfaces may be missing at start. */
  readonly dynamicInterfaces: boolean;
  readonly startupDelay: Micros;
  /** Since the boot of the host. */
  readonly delayAfterBoot: Micros;
  /** Null: the program's own name. Fixed at the start. */
  readonly processNames: { readonly control: string | null; readonly keeper: string | null };
  readonly dumps: DumpSettings;
  readonly reload: ReloadSettings;
  /** child_wait_time: what a stop may take; null is STOP_LIMIT. */
  readonly childWaitTime: Micros | null;
  readonly notify: NotifyConfig;
  /** Null: no server or no address is given, so nothing is sent. */
  readonly mail: MailConfig | null;
  readonly startupScript: TimedCommand | null;
  readonly shutdownScript: TimedCommand | null;
  readonly scriptRules: ScriptRules;
  readonly keeper: KeeperSettings;
  readonly place: PlaceConfig;
}

export interface HoldfastConfig {
  readonly global: GlobalConfig;
  /** What instances inherit from global_defs; the dumps show it. */
  readonly defaults: InstanceDefaults;
  readonly scripts: readonly VrrpScriptConfig[];
  readonly files: readonly TrackFileConfig[];
  readonly processes: readonly TrackProcessConfig[];
  readonly mysql: readonly MysqlBlockConfig[];
  readonly redis: readonly RedisBlockConfig[];
  /** Null without `peer_link`. */
  readonly peerLink: PeerLinkConfig | null;
  /** Null without `quorum_store`. */
  readonly quorum: QuorumConfig | null;
  /** Null without `witness`; only `holdfast witness` asks for it. */
  readonly witness: WitnessConfig | null;
  readonly instances: readonly InstanceConfig[];
  readonly groups: readonly SyncGroupConfig[];
  readonly lvs: LvsConfig;
  /** Static objects, link delays and netlink buffers. */
  readonly host: HostConfig;
  /** Null: the API is on its Unix socket alone. */
  readonly api: ApiConfig | null;
}

export type Severity = "error" | "warning" | "info";

export interface Diagnostic {
  /** Stable id such as "unknown-keyword"; docs/diagnostics.md lists them. */
  readonly code: string;
  readonly severity: Severity;
  readonly span: SourceSpan | null;
  /** What is wrong, one sentence. */
  readonly message: string;
  /** What to write or do instead. */
  readonly remedy: string | null;
  /** The correction of the file, where there is one. */
  readonly fix?: Fix;
}
