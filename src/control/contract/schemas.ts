/**
 * The HTTP API over the Unix socket, version 1: what the daemon answers and what the commands read.
 * Owns names, units and meaning of every field; knows nothing of sockets or of rendering.
 * Only the server and tests load this file at run time: commands take the types (types.ts), so that they start fast.
 * Times are wall-clock milliseconds since the epoch (`...At`) or lengths in milliseconds (`...Millis`).
 */
import { z } from "zod";
import { ROLES } from "../../core/api/tokens.ts";
import type { Diagnostic } from "../../core/config/model.ts";
import type { Trouble } from "../../core/database/trouble.ts";
import { DUMP_KINDS } from "../../core/dumps/kinds.ts";
import { LOG_LEVELS } from "../../core/events/log-line.ts";
import type { CheckOutcome, HoldfastEventBody, HookKind, Origin } from "../../core/events/vocabulary.ts";
import type { Cause, Fault } from "../../core/vrrp/causes.ts";
import type { VrrpPhaseName, VrrpStateName } from "../../core/vrrp/state.ts";
import type { VrrpCounters } from "../../core/vrrp/status.ts";
import { PeerView } from "./peer-schemas.ts";
import { QuorumView } from "./quorum-schemas.ts";
import { SplitBrainView } from "./split-brain-schemas.ts";

export { ExplainLine, ExplainQuery, ExplainReply, Explanation, ServiceExplanation } from "./explain-schemas.ts";

/** A value whose shape core owns: passed on as it is, recognised by its discriminant. */
function coreValue<T>(discriminant: string) {
  return z.custom<T>((value) => {
    if (typeof value !== "object" || value === null) return false;
    return typeof (value as Record<string, unknown>)[discriminant] === "string";
  }, `expected an object with "${discriminant}"`);
}

const outcome = coreValue<CheckOutcome>("kind");
const timestamp = z.number();
const length = z.number();

export const HookView = z.object({
  hook: z.string() as unknown as z.ZodType<HookKind>,
  command: z.string(),
  running: z.boolean(),
  startedAt: timestamp,
  endedAt: timestamp.nullable(),
  outcome: outcome.nullable(),
  lastError: z.string().nullable(),
  durationMillis: length.nullable(),
});

export const CheckView = z.object({
  /** Name of the script, or `NAME@INSTANCE` for one run per instance. */
  key: z.string(),
  standing: z.enum(["unknown", "ok", "failed", "unusable"]),
  /** When the standing was entered; null while unknown. */
  since: timestamp.nullable(),
  outcome: outcome.nullable(),
  /** Last line of standard error. */
  lastError: z.string().nullable(),
  durationMillis: length.nullable(),
  intervalMillis: length.nullable(),
  timeoutMillis: length.nullable(),
  lastRunAt: timestamp.nullable(),
  nextRunAt: timestamp.nullable(),
  command: z.string().nullable(),
  /** Who tracks it, and with which weight (0: FAULT while it fails). */
  trackedBy: z.array(z.object({ instance: z.string(), weight: z.number() })),
});

export const DatabaseView = z.object({
  /** Of the block. */
  name: z.string(),
  /** Path of the socket, or HOST:PORT. */
  server: z.string(),
  /** Product and version; null while it cannot be asked. */
  version: z.string().nullable(),
  /** unfit: good enough for a MASTER, not for becoming one. */
  standing: z.enum(["unknown", "ok", "unfit", "failed"]),
  /** What makes it so, in words; null when nothing does. */
  trouble: z.string().nullable(),
  /** The same, as a value. */
  cause: coreValue<Trouble>("kind").nullable(),
  /** What else the last look found, whether it counts or not, in words. */
  remarks: z.array(z.string()),
  /** When the standing was entered; null while unknown. */
  since: timestamp.nullable(),
  lookedAt: timestamp.nullable(),
  intervalMillis: length,
  /** Who tracks it, and with which weight (0: FAULT while it fails). */
  trackedBy: z.array(z.object({ instance: z.string(), weight: z.number() })),
});

export const MysqlView = DatabaseView.extend({
  replicas: z.array(
    z.object({
      channel: z.string(),
      source: z.string(),
      io: z.enum(["running", "connecting", "stopped"]),
      sql: z.enum(["running", "stopped"]),
      lagSeconds: z.number().nullable(),
    }),
  ),
});

export const RedisView = DatabaseView.extend({
  /** As last seen; null while it cannot be asked. */
  replication: z
    .object({
      role: z.enum(["master", "replica"]),
      /** HOST:PORT; a master that nobody can reach (port 1) closes a server on purpose. */
      source: z.string().nullable(),
      linkUp: z.boolean().nullable(),
      /** master_replid and master_repl_offset. */
      id: z.string(),
      offset: z.number(),
      keys: z.number(),
      replicas: z.array(
        z.object({ address: z.string(), online: z.boolean(), offset: z.number(), lagSeconds: z.number() }),
      ),
    })
    .nullable(),
});

export const InstanceView = z.object({
  name: z.string(),
  interface: z.string(),
  virtualRouterId: z.number(),
  version: z.union([z.literal(2), z.literal(3)]),
  state: z.enum(["INIT", "BACKUP", "MASTER", "FAULT", "STOP"]) satisfies z.ZodType<VrrpStateName>,
  phase: z.enum([
    "INIT",
    "BACKUP",
    "MASTER",
    "FAULT",
    "STOP",
    "PREPARING",
    "CLAIMING",
    "RELEASING",
  ]) satisfies z.ZodType<VrrpPhaseName>,
  cause: coreValue<Cause>("code"),
  since: timestamp,
  forMillis: length,
  basePriority: z.number(),
  priority: z.number(),
  faults: z.array(coreValue<Fault>("kind")),
  /** Name of its sync group. */
  syncGroup: z.string().nullable(),
  /** BACKUP that would be MASTER if the other members of its sync group wanted it too. */
  wantsMaster: z.boolean(),
  addresses: z.array(z.string()),
  /** The addresses are on the interface and announced: clients can reach us. */
  holding: z.boolean(),
  leaseRemainingMillis: length.nullable(),
  /** Until nftables closes the addresses, unless an advert moves that on; null without `fence strict`. */
  fenceRemainingMillis: length.nullable(),
  /** Master_Down_Interval: as BACKUP by the interval that the master advertises (version 3), else by our own. */
  masterDownMillis: length,
  master: z.object({ source: z.string(), priority: z.number(), heardMillisAgo: length }).nullable(),
  source: z.string().nullable(),
  /** Why it does not serve, in a few words; null when nothing is wrong. */
  reason: z.string().nullable(),
  splitBrain: SplitBrainView.nullable(),
  counters: z.custom<VrrpCounters>((value) => typeof value === "object" && value !== null),
  hooks: z.array(HookView),
});

export const KeeperView = z.object({
  state: z.enum(["starting", "running", "frozen", "lost", "stopped"]),
  pid: z.number().nullable(),
  restarts: z.number(),
  since: timestamp.nullable(),
  /** What is wrong with it, in words. */
  detail: z.string().nullable(),
});

export const StatusReply = z.object({
  api: z.literal(1),
  now: timestamp,
  daemon: z.object({
    version: z.string(),
    pid: z.number(),
    startedAt: timestamp,
    configFile: z.string(),
    stateDir: z.string(),
    stopping: z.boolean(),
  }),
  keeper: KeeperView,
  /** True when the keeper did not answer: instances are as last seen. */
  stale: z.boolean(),
  instances: z.array(InstanceView),
  checks: z.array(CheckView),
  /** Database servers that are tracked. */
  mysql: z.array(MysqlView),
  redis: z.array(RedisView),
  /** The peers of `peer_link`. */
  peers: z.array(PeerView),
  /** Null without `quorum_store`. */
  quorum: QuorumView.nullable(),
  lastReload: z
    .object({ at: timestamp, outcome: z.enum(["applied", "unchanged", "refused"]), detail: z.string() })
    .nullable(),
  journal: z.object({ writable: z.boolean(), detail: z.string().nullable(), lastSequence: z.number() }),
  diagnostics: z.array(coreValue<Diagnostic>("code")),
});

/** One sentence of a chain; depth 1 explains depth 0, and so on. */
export const EventEntry = z.object({
  sequence: z.number(),
  at: z.number(),
  time: timestamp,
  origin: z.enum(["parent", "vrrp", "checks"]) satisfies z.ZodType<Origin>,
  body: coreValue<HoldfastEventBody>("kind"),
  /** The same as a sentence, when it was asked for. */
  words: z.string().optional(),
});

/** What a daemon reports of itself to its peers. */
export const PeerReport = z.object({ status: StatusReply, events: z.array(EventEntry) });

export const PeersReply = z.object({
  api: z.literal(1),
  peers: z.array(
    z.object({
      /** ADDRESS:PORT of the configuration. */
      peer: z.string(),
      report: PeerReport.nullable(),
      /** Why there is no report. */
      problem: z.string().nullable(),
    }),
  ),
});

export const HistoryReply = z.object({
  api: z.literal(1),
  events: z.array(EventEntry),
  /** Damage found in the journal, in words. */
  problems: z.array(z.string()),
});

export const ReloadRequest = z.object({ dryRun: z.boolean().default(false) });

export const ReloadReply = z.object({
  api: z.literal(1),
  outcome: z.enum(["applied", "unchanged", "refused", "would-apply"]),
  /** What changes, one line each. */
  changes: z.array(z.string()),
  diagnostics: z.array(coreValue<Diagnostic>("code")),
  detail: z.string(),
});

export const RestartRequest = z.object({ dryRun: z.boolean().default(false) });

export const RestartReply = z.object({
  api: z.literal(1),
  outcome: z.enum(["restarting", "would-restart", "refused"]),
  /** Why it was refused. */
  detail: z.string(),
  version: z.string().nullable(),
});

export const HealthReply = z.object({
  api: z.literal(1),
  healthy: z.boolean(),
  /** Why not, one line each. */
  problems: z.array(z.string()),
});

const positionLine = z.object({ name: z.string(), value: z.string() });

export const PositionsQuery = z.object({ name: z.string().min(1).max(256) });

/** Where one server stands, in its product's own words. */
export const ServerPositions = z.object({
  address: z.string(),
  own: z.boolean(),
  trouble: z.string().nullable(),
  version: z.string().nullable(),
  closedBy: z.string().nullable(),
  lines: z.array(positionLine),
  channels: z.array(
    z.object({
      channel: z.string(),
      source: z.string(),
      io: z.enum(["running", "connecting", "stopped"]),
      sql: z.enum(["running", "stopped"]),
      /** Seconds. */
      lag: z.number().nullable(),
      drained: z.boolean().nullable(),
      lines: z.array(positionLine),
    }),
  ),
});

export const PositionsReply = z.object({
  api: z.literal(1),
  name: z.string(),
  servers: z.array(ServerPositions),
});

export const DoctorReply = z.object({
  api: z.literal(1),
  name: z.string(),
  /** Those that answered. */
  servers: z.array(z.string()).readonly(),
  findings: z
    .array(
      z.object({
        id: z.string(),
        severity: z.enum(["error", "warning", "note"]),
        /** Null: it is about all of them together. */
        server: z.string().nullable(),
        what: z.string(),
        why: z.string(),
        fix: z.string(),
      }),
    )
    .readonly(),
});

export const SwitchoverRequest = z.object({ name: z.string().min(1).max(256), dryRun: z.boolean() });

export const SwitchoverReply = z.object({
  api: z.literal(1),
  name: z.string(),
  /** With dryRun: what would be done, in order. */
  steps: z.array(z.string()),
  /** "moved", with dryRun "ready"; otherwise why not. */
  end: z.string(),
  /** The new writer, as in the file. */
  to: z.string().nullable(),
  /** How long no server was open for writes, in milliseconds; null when the old writer was not closed. */
  closedMillis: z.number().nullable(),
});

export const LogLevelRequest = z.object({ level: z.enum(LOG_LEVELS) });

export const LogLevelReply = z.object({
  api: z.literal(1),
  level: z.enum(LOG_LEVELS),
  /** The level until this question. */
  before: z.enum(LOG_LEVELS),
});

export const DumpRequest = z.object({ kind: z.enum(DUMP_KINDS) });

export const DumpReply = z.object({
  api: z.literal(1),
  /** Paths that were written. */
  files: z.array(z.string()),
  /** What could not be done, one sentence each. */
  problems: z.array(z.string()),
});

export const SessionReply = z.object({
  api: z.literal(1),
  /** Name of this host. */
  host: z.string(),
  /** Name of the token; null: without one. */
  who: z.string().nullable(),
  role: z.enum(ROLES),
});

export const ErrorReply = z.object({
  api: z.literal(1),
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string().nullable() }),
});

/** `words=1`: events come with a sentence each. */
const withWords = z.literal("1").optional();
const whole = z.coerce.number().int().min(0);

export const HistoryQuery = z.object({
  instance: z.string().min(1).optional(),
  kind: z.string().min(1).optional(),
  /** Only what names this real server or virtual service. */
  server: z.string().min(1).max(128).optional(),
  /** Only events after this sequence number. */
  since: whole.optional(),
  /** Only events at or after this time. */
  after: whole.optional(),
  limit: whole.max(100_000).default(200),
  words: withWords,
});
export const EventsQuery = z.object({
  since: whole.optional(),
  instance: z.string().min(1).optional(),
  server: z.string().min(1).max(128).optional(),
  words: withWords,
});
