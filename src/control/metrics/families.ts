/**
 * Every metric of the daemon, made from the same status that `holdfast status` shows and from counted events. docs/metrics.md is
 * generated from these families. States are one-hot (1 for the state it is in), as node_exporter does it for systemd units.
 */
import type { InstanceView, LvsStatusReply, MysqlView, StatusReply } from "../contract/types.ts";
import type { EventCounts } from "./event-counts.ts";
import { counter, type Family, flag, gauge, type Metric, type Sample } from "./exposition.ts";
import { lvsFamilies } from "./lvs-families.ts";
import { quorumFamilies } from "./quorum-families.ts";

/** What the process knows of itself. */
export interface ProcessFigures {
  /** Seconds of processor time, user and system together. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Delay of the event loop since the last question, seconds. */
  readonly loopLag: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface MetricsInput {
  readonly status: StatusReply;
  /** Null: nothing is known of IPVS. */
  readonly lvs: LvsStatusReply | null;
  readonly counts: EventCounts;
  readonly process: ProcessFigures;
}

const STATES = ["INIT", "BACKUP", "MASTER", "FAULT", "STOP"] as const;
const KEEPER_STATES = ["starting", "running", "frozen", "lost", "stopped"] as const;
const STANDINGS = ["unknown", "ok", "failed", "unusable"] as const;
const MYSQL_STANDINGS = ["unknown", "ok", "unfit", "failed"] as const;
const SECOND = 1_000;

const one = (value: number): readonly Sample[] => [{ value }];

/** One sample per possible state. */
const oneHot = (
  all: readonly string[],
  now: string,
  labels: Readonly<Record<string, string>> = {},
): readonly Sample[] => all.map((state) => ({ labels: { ...labels, state }, value: flag(state === now) }));

export function families(input: MetricsInput): readonly Family[] {
  return [
    ...daemonGauges(input),
    ...daemonCounters(input),
    ...vrrpGauges(input.status.instances),
    ...vrrpCounters(input),
    ...checkFamilies(input),
    ...mysqlFamilies(input),
    ...lvsFamilies(input.lvs, input.counts),
    ...quorumFamilies(input.status),
  ];
}

function daemonGauges({ status, process }: MetricsInput): readonly Family[] {
  const { daemon, keeper, journal, lastReload } = status;
  const errors = (severity: string): Sample => ({
    labels: { severity },
    value: status.diagnostics.filter((one) => one.severity === severity).length,
  });
  const metrics: readonly Metric[] = [
    ["info", "Version of the daemon; always 1.", [{ labels: { version: daemon.version }, value: 1 }]],
    ["start_time_seconds", "When the daemon started, seconds since the epoch.", one(daemon.startedAt / SECOND)],
    ["keeper_state", "State of the keeper process: 1 for the one it is in.", oneHot(KEEPER_STATES, keeper.state)],
    ["status_stale", "1 when the keeper did not answer: VRRP figures are as last seen.", one(flag(status.stale))],
    [
      "journal_writable",
      "1 when the journal can be written; managed groups are not taken over otherwise.",
      one(flag(journal.writable)),
    ],
    ["journal_sequence", "Number of the last event.", one(journal.lastSequence)],
    ["config_findings", "What is wrong with the configuration in force.", [errors("error"), errors("warning")]],
    [
      "config_reload_success",
      "1 when the last reload was not refused, or there was none.",
      one(flag(lastReload?.outcome !== "refused")),
    ],
    ["process_resident_bytes", "Resident memory of the control process, bytes.", one(process.residentBytes)],
    [
      "event_loop_lag_seconds",
      "Delay of the control process' event loop since the last question, 0 at the first; the advert clock is in another process.",
      (["p50", "p99", "max"] as const).map((percentile) => ({
        labels: { percentile },
        value: process.loopLag[percentile],
      })),
    ],
  ];
  return metrics.map(gauge);
}

function daemonCounters({ status, counts, process }: MetricsInput): readonly Family[] {
  const metrics: readonly Metric[] = [
    ["keeper_restarts_total", "How often the keeper was started again.", one(status.keeper.restarts)],
    ["keeper_lost_total", "How often the keeper ended by itself.", one(counts.keepersLost)],
    ["keeper_frozen_total", "How often the keeper fell silent and was ended.", one(counts.keepersFrozen)],
    ["reloads_total", "Reloads by outcome.", counts.reloads.samples()],
    ["api_requests_total", "Changes asked by HTTP, answered, and requests refused.", counts.apiRequests.samples()],
    ["process_cpu_seconds_total", "Processor time of the control process, seconds.", one(process.cpuSeconds)],
  ];
  return metrics.map(counter);
}

function vrrpGauges(instances: readonly InstanceView[]): readonly Family[] {
  const each = (value: (view: InstanceView) => number | null): readonly Sample[] =>
    instances.flatMap((view) => {
      const measured = value(view);
      return measured === null ? [] : [{ labels: { instance: view.name }, value: measured }];
    });
  const metrics: readonly Metric[] = [
    [
      "vrrp_info",
      "What an instance is; always 1.",
      instances.map((view) => ({
        labels: { instance: view.name, interface: view.interface, vrid: view.virtualRouterId, version: view.version },
        value: 1,
      })),
    ],
    [
      "vrrp_state",
      "State of an instance: 1 for the one it is in.",
      instances.flatMap((view) => oneHot(STATES, view.state, { instance: view.name })),
    ],
    ["vrrp_holding", "1 when its addresses are on the interface and announced.", each((view) => flag(view.holding))],
    [
      "vrrp_address",
      "Virtual addresses: 1 when held here.",
      instances.flatMap((view) =>
        view.addresses.map((address) => ({ labels: { instance: view.name, address }, value: flag(view.holding) })),
      ),
    ],
    [
      "vrrp_split_brain",
      "1 while another host is seen to be master, too; absent unless this one is.",
      each((view) => (view.state === "MASTER" ? flag(view.splitBrain !== null) : null)),
    ],
    ["vrrp_since_seconds", "When its state was entered, seconds since the epoch.", each((view) => view.since / SECOND)],
    ["vrrp_priority", "The priority that counts.", each((view) => view.priority)],
    ["vrrp_base_priority", "The priority of the configuration.", each((view) => view.basePriority)],
    [
      "vrrp_master_down_seconds",
      "Master_Down_Interval: silence after which a backup claims.",
      each((view) => view.masterDownMillis / SECOND),
    ],
    [
      "vrrp_master_heard_seconds",
      "How long ago the master was heard; absent when none is.",
      each((view) => (view.master === null ? null : view.master.heardMillisAgo / SECOND)),
    ],
    [
      "vrrp_lease_seconds",
      "What is left of the addresses' lifetime in the kernel; absent without a lease.",
      each((view) => (view.leaseRemainingMillis === null ? null : view.leaseRemainingMillis / SECOND)),
    ],
    [
      "vrrp_fence_seconds",
      "What is left until nftables closes the addresses unless an advert moves that on; absent without `fence strict`.",
      each((view) => (view.fenceRemainingMillis === null ? null : view.fenceRemainingMillis / SECOND)),
    ],
  ];
  return metrics.map(gauge);
}

function vrrpCounters({ status: { instances }, counts }: MetricsInput): readonly Family[] {
  const each = (name: Exclude<keyof InstanceView["counters"], "drops">): readonly Sample[] =>
    instances.map((view) => ({ labels: { instance: view.name }, value: view.counters[name] }));
  const dropped = instances.flatMap((view) =>
    Object.entries(view.counters.drops).map(([reason, value]) => ({ labels: { instance: view.name, reason }, value })),
  );
  const metrics: readonly Metric[] = [
    [
      "vrrp_transitions_total",
      "States entered since the daemon started, with the cause.",
      counts.transitions.samples(),
    ],
    ["vrrp_adverts_sent_total", "Adverts sent.", each("advertsSent")],
    ["vrrp_adverts_received_total", "Adverts received and believed.", each("advertsReceived")],
    ["vrrp_became_master_total", "How often it became MASTER, since the keeper started.", each("becameMaster")],
    [
      "vrrp_released_master_total",
      "How often it ceased to be MASTER, since the keeper started.",
      each("releasedMaster"),
    ],
    ["vrrp_priority_zero_sent_total", "Resignations sent.", each("priorityZeroSent")],
    ["vrrp_priority_zero_received_total", "Resignations heard.", each("priorityZeroReceived")],
    [
      "vrrp_gratuitous_arp_sent_total",
      "Gratuitous ARP and unsolicited neighbour advertisements sent.",
      each("garpSent"),
    ],
    ["vrrp_send_errors_total", "Adverts that could not be sent.", each("sendErrors")],
    ["vrrp_address_conflicts_total", "Frames of other hosts that used an address held here.", each("addressConflicts")],
    ["vrrp_packets_dropped_total", "Packets that were not believed, or are remarkable, by reason.", dropped],
  ];
  return metrics.map(counter);
}

function checkFamilies({ status: { checks }, counts }: MetricsInput): readonly Family[] {
  return [
    gauge([
      "check_state",
      "Standing of a check script: 1 for the one it has.",
      checks.flatMap((check) => oneHot(STANDINGS, check.standing, { script: check.key })),
    ]),
    gauge([
      "check_duration_seconds",
      "How long its last run took.",
      checks.flatMap(({ key, durationMillis }) =>
        durationMillis === null ? [] : [{ labels: { script: key }, value: durationMillis / SECOND }],
      ),
    ]),
    counter(["check_changes_total", "Changes of a check's standing.", counts.checkChanges.samples()]),
    counter(["hooks_total", "Notify scripts and gates that ended, by outcome.", counts.hooks.samples()]),
  ];
}

function mysqlFamilies({ status: { mysql, now }, counts }: MetricsInput): readonly Family[] {
  const channels = (value: (replica: MysqlView["replicas"][number]) => number | null): readonly Sample[] =>
    mysql.flatMap(({ name, replicas }) =>
      replicas.flatMap((replica) => {
        const measured = value(replica);
        const labels = { name, channel: replica.channel, source: replica.source };
        return measured === null ? [] : [{ labels, value: measured }];
      }),
    );
  return [
    gauge([
      "mysql_state",
      "Standing of a tracked database server: 1 for the one it has; unfit: a MASTER keeps it, a BACKUP does not claim with it.",
      mysql.flatMap(({ name, standing }) => oneHot(MYSQL_STANDINGS, standing, { name })),
    ]),
    gauge([
      "mysql_looked_seconds",
      "How long ago the server was looked at.",
      mysql.flatMap(({ name, lookedAt }) =>
        lookedAt === null ? [] : [{ labels: { name }, value: Math.max(0, now - lookedAt) / SECOND }],
      ),
    ]),
    gauge([
      "mysql_replication_lag_seconds",
      "Lag of a replication channel; absent while unknown.",
      channels(({ lagSeconds }) => lagSeconds),
    ]),
    gauge([
      "mysql_replication_io_running",
      "1 when the channel receives.",
      channels(({ io }) => flag(io === "running")),
    ]),
    gauge([
      "mysql_replication_sql_running",
      "1 when the channel executes.",
      channels(({ sql }) => flag(sql === "running")),
    ]),
    counter([
      "mysql_steps_total",
      "How takeovers, releases and switchovers of managed servers ended, and troubles.",
      counts.mysqlSteps.samples(),
    ]),
  ];
}
