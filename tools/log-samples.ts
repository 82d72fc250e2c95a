/**
 * At least one event of each kind, cause, fault and reason, for the test that compares the log's lines with docs/log.md. The records
 * are exhaustive: a new kind does not compile before it has a sample here. A new branch within a kind needs one by hand.
 */
import type { HoldfastEventBody } from "../src/core/events/vocabulary.ts";
import type { IpAddress } from "../src/core/lib/ip.ts";
import type { RedisTrouble } from "../src/core/redis/trouble.ts";
import type { Cause, Fault } from "../src/core/vrrp/causes.ts";
import type { VrrpReport } from "../src/core/vrrp/reports.ts";
import type { VrrpPhaseName, VrrpStateName } from "../src/core/vrrp/state.ts";
import { DROP_REASONS } from "../src/core/vrrp/status.ts";
import { LVS_SAMPLES } from "./log-samples-lvs.ts";
import { QUORUM_SAMPLES, SPLIT_BRAIN_SAMPLES } from "./log-samples-quorum.ts";

type Samples<Union, Key extends keyof Union> = {
  readonly [One in Union[Key] & string]: readonly Extract<Union, { readonly [K in Key]: One }>[];
};
type Kinds = Samples<HoldfastEventBody, "kind">;

const ip = (text: string): IpAddress => text as IpAddress;
const PEER = ip("192.0.2.2");
const VIP = ip("192.0.2.100");
const VIP6 = ip("fe80::51");
const REQUEST = { kind: "api-request", from: PEER, request: "POST /v1/reload {}", detail: "200" } as const;
const STATES: readonly VrrpStateName[] = ["INIT", "BACKUP", "MASTER", "FAULT", "STOP"];

const all = <T>(samples: Readonly<Record<string, readonly T[]>>): readonly T[] => Object.values(samples).flat();

const REDIS_TROUBLES: readonly RedisTrouble[] = [
  { kind: "loading", percent: "12.50", etaSeconds: "3" },
  { kind: "loading", percent: "", etaSeconds: "" },
  { kind: "memory-full", used: 104_857_600, limit: 104_857_600 },
  { kind: "misconf", save: "rdb" },
  { kind: "misconf", save: "aof" },
  { kind: "replica", source: "192.0.2.2:6379" },
  { kind: "unsynced", source: "192.0.2.2:6379", syncing: true },
  { kind: "unsynced", source: "192.0.2.2:6379", syncing: false },
  { kind: "circle", members: ["192.0.2.1:6379", "192.0.2.2:6379"] },
  { kind: "too-few-replicas", good: 0 },
  { kind: "behind", source: "192.0.2.2:6379", seconds: 40, limit: 30 },
  { kind: "acl", command: "INFO", detail: "" },
  { kind: "acl", command: null, detail: "NOPERM" },
];

const PLAIN_FAULTS: Samples<Exclude<Fault, { kind: "sibling" }>, "kind"> = {
  script: [{ kind: "script", key: "chk" }],
  "script-unusable": [{ kind: "script-unusable", key: "chk", reason: "it is not executable" }],
  file: [{ kind: "file", key: "manual", value: -254 }],
  process: [0, 1, 3].map((count) => ({ kind: "process", key: "haproxy", count })),
  mysql: [
    { kind: "mysql", key: "db", trouble: null },
    { kind: "mysql", key: "db", trouble: { kind: "starting" } },
  ],
  redis: [
    { kind: "redis", key: "cache", trouble: null },
    ...REDIS_TROUBLES.map((trouble) => ({ kind: "redis", key: "cache", trouble }) as const),
  ],
  interface: (["missing", "down", "up"] as const).map((problem) => ({ kind: "interface", interface: "eth0", problem })),
  "no-peer": [{ kind: "no-peer" }],
  "no-source-address": [
    { kind: "no-source-address", interface: "eth0" },
    { kind: "no-source-address", interface: "eth0", family: 6 },
    { kind: "no-source-address", interface: "eth0", wanted: "192.0.2.9" },
  ],
  socket: [{ kind: "socket", interface: "eth0", reason: "bind: EPERM" }],
  "virtual-interface": [{ kind: "virtual-interface", interface: "vrrp.51", reason: "EEXIST" }],
  "address-refused": [{ kind: "address-refused", address: VIP, reason: "EEXIST" }],
  "static-object": [{ kind: "static-object", object: "route 192.0.2.0/24", reason: "ENETUNREACH" }],
  "control-silent": [{ kind: "control-silent" }],
  "claim-refused": [{ kind: "claim-refused", reason: "notify_claim exit code 1" }],
};

const FAULTS: readonly Fault[] = [
  ...all<Fault>(PLAIN_FAULTS),
  ...[0, 2].map(
    (more): Fault => ({ kind: "sibling", group: "G", instance: "B", faults: [{ kind: "script", key: "chk" }], more }),
  ),
];

const CAUSES: Samples<Cause, "code"> = {
  start: [{ code: "start" }],
  ready: [{ code: "ready" }],
  "owner-start": [{ code: "owner-start" }],
  "master-down": [
    { code: "master-down", lastMaster: PEER },
    { code: "master-down", lastMaster: null },
  ],
  "master-resigned": [
    { code: "master-resigned", lastMaster: PEER },
    { code: "master-resigned", lastMaster: null },
  ],
  preempting: [{ code: "preempting", master: PEER, masterPriority: 50 }],
  "higher-priority-advert": [{ code: "higher-priority-advert", from: PEER, priority: 150 }],
  "equal-priority-higher-address": [{ code: "equal-priority-higher-address", from: PEER, priority: 100 }],
  fault: FAULTS.map((fault) => ({ code: "fault", faults: [fault] })),
  "permit-over": [{ code: "permit-over" }],
  recovered: [{ code: "recovered" }],
  "lease-lost": [{ code: "lease-lost" }],
  "fence-closed": [{ code: "fence-closed" }],
  stalled: [{ code: "stalled", missedMicros: 5_000_000 }],
  "address-removed": [{ code: "address-removed", address: VIP }],
  "object-removed": (["route", "rule"] as const).map((what) => ({
    code: "object-removed",
    what,
    text: "192.0.2.0/24",
  })),
  "claim-refused": [{ code: "claim-refused", reason: "notify_claim exit code 1" }],
  "claim-timeout": [{ code: "claim-timeout" }],
  "sibling-left": [{ code: "sibling-left", group: "G", instance: "B" }],
  reconfigured: [{ code: "reconfigured" }],
  stop: [{ code: "stop" }],
  "handed-over": [{ code: "handed-over" }],
};

const PHASES: readonly (readonly [VrrpPhaseName, VrrpPhaseName])[] = [
  ["BACKUP", "PREPARING"],
  ["BACKUP", "CLAIMING"],
  ["PREPARING", "CLAIMING"],
  ["CLAIMING", "BACKUP"],
  ["MASTER", "RELEASING"],
];

const changes = all<Cause>(CAUSES).flatMap((cause) =>
  STATES.flatMap((from) => STATES.map((to) => ({ kind: "state", from, to, cause, priority: 100 }) as const)),
);

const REPORTS: Samples<VrrpReport, "kind"> = {
  state: changes.flatMap((change) => [change, { ...change, resigned: true as const }]),
  phase: PHASES.flatMap(([from, to]) =>
    all<Cause>(CAUSES).map((cause) => ({ kind: "phase", from, to, cause, resigned: true }) as const),
  ),
  priority: [{ kind: "priority", from: 100, to: 80 }],
  "lower-priority-advert": (["BACKUP", "MASTER"] as const).map((state) => ({
    kind: "lower-priority-advert",
    source: PEER,
    priority: 50,
    ours: 100,
    state,
  })),
  "two-owners": [{ kind: "two-owners", source: PEER }],
  faults: [{ kind: "faults", faults: [] }, ...FAULTS.map((fault) => ({ kind: "faults", faults: [fault] }) as const)],
  announced: [{ kind: "announced", addresses: [VIP, VIP6] }],
};

const EXIT_0 = { kind: "exit", code: 0 } as const;
const OUTCOMES = [
  { kind: "exit", code: 1 },
  { kind: "signal", signal: "SIGKILL" },
  { kind: "signal", signal: "SIGSTKFLT" },
  { kind: "timeout", afterMillis: 2_000 },
  { kind: "spawn-failed", reason: "EAGAIN" },
] as const;
const CHECK = { kind: "check", script: "chk", durationMillis: 5 } as const;
const STEP = {
  kind: "mysql-step",
  name: "db",
  instance: "VI",
  step: "close the old writer",
  detail: "10.0.0.2",
} as const;
const HOOK = { instance: "VI", hook: "notify_master", command: "/etc/notify.sh" } as const;
const FIELDS = {
  source: PEER,
  destination: ip("224.0.0.18"),
  ttl: 255,
  version: 2,
  virtualRouterId: 51,
  priority: 100,
  advertInterval: 1_000_000,
  addresses: [VIP],
  proof: "none",
} as const;

const SAMPLES: Kinds = {
  ...LVS_SAMPLES,
  vrrp: all<VrrpReport>(REPORTS).map((report) => ({ kind: "vrrp", instance: "VI", report })),
  "sync-group": STATES.flatMap((from) =>
    STATES.map(
      (to) => ({ kind: "sync-group", group: "G", from, to, cause: { code: "ready" }, instance: "A" }) as const,
    ),
  ),
  "peer-link": (["connected", "lost", "refused", "listening", "not-listening"] as const).map((action) => ({
    kind: "peer-link",
    peer: "192.0.2.2:8112",
    action,
    host: "db2",
    version: "0.3.0",
    detail: "why",
  })),
  "quorum-store": QUORUM_SAMPLES,
  "split-brain": SPLIT_BRAIN_SAMPLES,
  drop: [
    ...DROP_REASONS.flatMap((reason) => {
      const common = { kind: "drop", instance: "VI", reason, source: PEER, detail: "why" } as const;
      return [common, { ...common, numbers: { theirs: 5, ours: 255 } }];
    }),
    { kind: "drop", reason: "unknown-vrid", instance: null, source: PEER, detail: "VRID 9 on eth0" },
  ],
  addresses: (["added", "removed"] as const).map((action) => ({
    kind: "addresses",
    instance: "VI",
    action,
    addresses: [VIP, VIP6],
    excluded: [VIP6],
  })),
  "leftover-removed": [true, false].map((again) => ({
    kind: "leftover-removed",
    instance: "VI",
    address: VIP,
    interface: "eth0",
    again,
  })),
  routing: (["added", "removed", "restored", "swept"] as const).flatMap((action) => [
    {
      kind: "routing",
      instance: "VI",
      action,
      objects: [
        { kind: "route", text: "10.9.0.0/24" },
        { kind: "rule", text: "from 10.9.0.0/24" },
      ],
    },
    {
      kind: "routing",
      instance: null,
      action,
      objects: (["address", "route", "rule"] as const).map((kind) => ({ kind, text: "10.9.0.0/24" })),
    },
  ]),
  "routing-failed": ["VI", null].map((instance) => ({ kind: "routing-failed", instance, detail: "route: EEXIST" })),
  announcement: [{ kind: "announcement", instance: "VI", interface: "eth0", addresses: [VIP, VIP6], frames: 4 }],
  "address-conflict": [VIP, VIP6].map((address) => ({
    kind: "address-conflict",
    instance: "VI",
    interface: "eth0",
    address,
    mac: "02:00:00:00:00:01",
  })),
  link: (["up", "down", "gone", "new"] as const).map((state) => ({ kind: "link", interface: "eth0", state })),
  socket: (["opened", "closed", "failed"] as const).flatMap((action) =>
    ["", "bind: EPERM"].map((detail) => ({ kind: "socket", interface: "eth0", action, detail }) as const),
  ),
  "virtual-interface": (["made", "removed", "failed"] as const).map((action) => ({
    kind: "virtual-interface",
    instance: "VI",
    interface: "vrrp.51",
    action,
    detail: "EEXIST",
  })),
  firewall: (["restored", "failed", "swept", "fence-restored", "fence-failed"] as const).map(
    (action) => ({ kind: "firewall", action, detail: "EPERM" }) as const,
  ),
  check: [
    ...OUTCOMES.flatMap((outcome) => [
      { ...CHECK, standing: "failed", changed: true, outcome, lastError: "why" } as const,
      { ...CHECK, standing: "failed", changed: false, outcome, lastError: null } as const,
      { ...CHECK, standing: "unusable", changed: true, outcome, lastError: null } as const,
    ]),
    { ...CHECK, standing: "failed", changed: true, outcome: null, lastError: null },
    { ...CHECK, standing: "ok", changed: true, outcome: EXIT_0, lastError: null },
  ],
  "tracked-file": ["", "ENOENT"].map((detail) => ({
    kind: "tracked-file",
    file: "manual",
    path: "/run/manual",
    value: 7,
    detail,
  })),
  "tracked-process": [true, false].map((fulfilled) => ({
    kind: "tracked-process",
    process: "haproxy",
    count: 1,
    fulfilled,
  })),
  "process-watch": [{ kind: "process-watch", everyMillis: 1_000, detail: "EPERM" }],
  mysql: (["ok", "unfit", "failed"] as const).map((standing) => ({
    kind: "mysql",
    name: "db",
    server: "127.0.0.1:3306",
    standing,
    trouble: standing === "ok" ? null : { kind: "starting" },
  })),
  redis: (["ok", "unfit", "failed"] as const).map((standing) => ({
    kind: "redis",
    name: "cache",
    server: "127.0.0.1:6379",
    standing,
    trouble: standing === "ok" ? null : { kind: "replica", source: "192.0.2.2:6379" },
  })),
  "redis-step": (["begun", "done", "failed", "ready", "refused", "trouble"] as const).flatMap((outcome) =>
    (["takeover", "release", "guard", "tending"] as const).map((what) => ({
      ...STEP,
      kind: "redis-step",
      name: "cache",
      what,
      outcome,
    })),
  ),
  "mysql-step": (["begun", "done", "failed", "ready", "refused", "trouble"] as const).flatMap((outcome) =>
    (["takeover", "release", "guard", "tending", "rejoin", "skip", "fence"] as const).map((what) => ({
      ...STEP,
      what,
      outcome,
    })),
  ),
  "hook-started": [{ kind: "hook-started", ...HOOK }],
  "hook-ended": [EXIT_0, ...OUTCOMES].map((outcome) => ({
    kind: "hook-ended",
    ...HOOK,
    outcome,
    lastError: null,
    durationMillis: 5,
  })),
  fifo: (["failed", "lost", "caught-up"] as const).map((action) => ({
    kind: "fifo",
    path: "/run/fifo",
    action,
    lost: 3,
    detail: "ENXIO",
  })),
  "fifo-reader": (["started", "ended"] as const).flatMap((action) =>
    [null, 2].map((restartSeconds) => ({
      kind: "fifo-reader",
      path: "/run/fifo",
      command: "/etc/reader.sh",
      action,
      outcome: EXIT_0,
      lastError: null,
      restartSeconds,
    })),
  ),
  mail: (["sent", "failed", "dropped"] as const).map((action) => ({
    kind: "mail",
    server: "127.0.0.1:25",
    action,
    subject: "VI is MASTER",
    detail: "ECONNREFUSED",
  })),
  "daemon-script": (["startup_script", "shutdown_script"] as const).flatMap((script) =>
    [EXIT_0, ...OUTCOMES].map((outcome) => ({
      kind: "daemon-script",
      script,
      command: "/etc/prepare.sh",
      outcome,
      lastError: null,
    })),
  ),
  "keeper-settings": [
    {
      kind: "keeper-settings",
      settings: [
        { setting: "vrrp_rt_priority 50", problem: null },
        { setting: "vrrp_no_swap", problem: "EPERM" },
      ],
    },
  ],
  "priority-raised": [{ kind: "priority-raised", realtime: 3, lateMillis: 1_200 }],
  shortage: (["processes", "descriptors", "memory"] as const).flatMap((what) =>
    [true, false].map((over) => ({ kind: "shortage", what, action: "script chk cannot be run", over }) as const),
  ),
  "api-listener": (["listening", "closed", "failed"] as const).flatMap((action) =>
    [true, false].map(
      (tls) => ({ kind: "api-listener", action, address: "127.0.0.1:9180", tls, detail: "EADDRINUSE" }) as const,
    ),
  ),
  "api-request": (["asked", "answered", "refused"] as const).flatMap((action) =>
    [null, "alice"].flatMap((who) => [0, 3].map((more) => ({ ...REQUEST, action, who, more }) as const)),
  ),
  "stale-released": [
    { kind: "stale-released", address: "192.0.2.1", interfaces: ["eth0"], proof: "02:00:00:00:00:02 answers" },
  ],
  "advert-flood": [{ kind: "advert-flood", interface: "eth0", reason: "checksum", packets: 5_000, source: PEER }],
  "advert-storm": [{ kind: "advert-storm", instance: "VI", source: PEER, packets: 500, limit: 20 }],
  packet: (["received", "sent", "dropped"] as const).flatMap((action) => [
    { kind: "packet", instance: "VI", action, fields: FIELDS, reason: null, bytes: 40 } as const,
    { kind: "packet", instance: "VI", action, fields: null, reason: "truncated", bytes: 4 } as const,
  ]),
  timer: [1_000, null].map((due) => ({ kind: "timer", instance: "VI", phase: "BACKUP", because: "advert", due })),
  "daemon-started": [{ kind: "daemon-started", version: "0.1.0", file: "/etc/k.conf", pid: 1, instances: [] }],
  "startup-delay": [true, false].map((over) => ({ kind: "startup-delay", delayMillis: 2_500, over })),
  "keeper-started": [{ kind: "keeper-started", pid: 7, restart: 0 }],
  "keeper-adopted": [{ kind: "keeper-adopted", pid: 7 }],
  restarting: [{ kind: "restarting", version: "0.2.0" }],
  "keeper-lost": [{ kind: "keeper-lost", pid: 7, how: "signal SIGKILL" }],
  "keeper-frozen": [{ kind: "keeper-frozen", pid: 7, silentMillis: 900 }],
  "guard-released": [[], [VIP]].map((addresses) => ({ kind: "guard-released", instances: ["VI"], addresses })),
  "control-silent": [{ kind: "control-silent", silentMillis: 2_000 }],
  "control-back": [{ kind: "control-back" }],
  "reload-begun": [{ kind: "reload-begun" }],
  reload: [
    { kind: "reload", outcome: "applied", detail: "" },
    { kind: "reload", outcome: "unchanged", detail: "" },
    { kind: "reload", outcome: "refused", detail: "why" },
  ],
  "journal-unwritable": [{ kind: "journal-unwritable", detail: "ENOSPC" }],
  stopping: [{ kind: "stopping", signal: "SIGTERM" }],
  stopped: [{ kind: "stopped" }],
};

export const EVERY_EVENT: readonly HoldfastEventBody[] = all<HoldfastEventBody>(SAMPLES);
