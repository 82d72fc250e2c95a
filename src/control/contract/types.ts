/** The contract's types, for those who read or render answers: importing them loads nothing at run time. */
import type { z } from "zod";
import type * as lvs from "./lvs-schemas.ts";
import type * as peerSchemas from "./peer-schemas.ts";
import type * as quorumSchemas from "./quorum-schemas.ts";
import type * as repairs from "./repair-schemas.ts";
import type * as schemas from "./schemas.ts";

export const API_VERSION = 1;
/** Where the daemon listens unless told otherwise; with a pid file elsewhere, beside that. */
export const DEFAULT_SOCKET = "/run/holdfast.sock";
export const DEFAULT_STATE_DIR = "/var/lib/holdfast";
export const DEFAULT_PID_FILE = "/run/keepalived.pid";
/** keepalived's name for the pid file of its VRRP process. */
export const DEFAULT_VRRP_PID_FILE = "/run/keepalived_vrrp.pid";
export const SOCKET_NAME = "holdfast.sock";

export type LogLevelReply = z.infer<typeof schemas.LogLevelReply>;
export type DumpReply = z.infer<typeof schemas.DumpReply>;
export type PositionsReply = z.infer<typeof schemas.PositionsReply>;
export type DoctorReply = z.infer<typeof schemas.DoctorReply>;
export type SwitchoverReply = z.infer<typeof schemas.SwitchoverReply>;
export type LvsCheckerView = z.infer<typeof lvs.LvsCheckerView>;
export type LvsServerView = z.infer<typeof lvs.LvsServerView>;
export type LvsServiceView = z.infer<typeof lvs.LvsServiceView>;
export type LvsStatusReply = z.infer<typeof lvs.LvsStatusReply>;
export type DrainReply = z.infer<typeof lvs.DrainReply>;
export type SkipReply = z.infer<typeof repairs.SkipReply>;
export type FenceReply = z.infer<typeof repairs.FenceReply>;
export type RejoinReply = z.infer<typeof repairs.RejoinReply>;
export type InitWriterReply = z.infer<typeof repairs.InitWriterReply>;
export type TakeoverReply = z.infer<typeof schemas.TakeoverReply>;
export type QuorumView = z.infer<typeof quorumSchemas.QuorumView>;
export type PeerView = z.infer<typeof peerSchemas.PeerView>;
export type VipReply = z.infer<typeof peerSchemas.VipReply>;
export type ReleaseStaleReply = z.infer<typeof peerSchemas.ReleaseStaleReply>;
export type StatusReply = z.infer<typeof schemas.StatusReply>;
export type InstanceView = z.infer<typeof schemas.InstanceView>;
export type DatabaseView = z.infer<typeof schemas.DatabaseView>;
export type MysqlView = z.infer<typeof schemas.MysqlView>;
export type RedisView = z.infer<typeof schemas.RedisView>;
export type CheckView = z.infer<typeof schemas.CheckView>;
export type HookView = z.infer<typeof schemas.HookView>;
export type KeeperView = z.infer<typeof schemas.KeeperView>;
export type ExplainLine = z.infer<typeof schemas.ExplainLine>;
export type Explanation = z.infer<typeof schemas.Explanation>;
export type ServiceExplanation = z.infer<typeof schemas.ServiceExplanation>;
export type ExplainReply = z.infer<typeof schemas.ExplainReply>;
export type EventEntry = z.infer<typeof schemas.EventEntry>;
export type HistoryReply = z.infer<typeof schemas.HistoryReply>;
export type ReloadReply = z.infer<typeof schemas.ReloadReply>;
export type RestartReply = z.infer<typeof schemas.RestartReply>;
export type HealthReply = z.infer<typeof schemas.HealthReply>;
export type PeerReport = z.infer<typeof schemas.PeerReport>;
export type PeersReply = z.infer<typeof schemas.PeersReply>;
export type SessionReply = z.infer<typeof schemas.SessionReply>;
export type ErrorReply = z.infer<typeof schemas.ErrorReply>;
export type HistoryQuery = z.infer<typeof schemas.HistoryQuery>;
