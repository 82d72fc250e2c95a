/** What the API asks of the daemon. Implemented by the control process, faked in tests. */
import type { Diagnostic } from "../core/config/model.ts";
import type { DumpKind } from "../core/dumps/kinds.ts";
import type { LogLevel } from "../core/events/log-line.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import type { DirectorFinding } from "../core/lvs/director-side.ts";
import type { ServerPositions } from "../core/mysql/positions.ts";
import type { PeerAnswer, PeerAsk } from "../core/peer-link/questions.ts";
import type { Sight } from "../core/peer-link/who-answers.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { CheckStatus } from "../engine/check-runner.ts";
import type { PoolStatus } from "../engine/checkers/pool-status.ts";
import type { KeeperState } from "../engine/keeper-supervisor.ts";
import type { LvsStatus, ServerChoice } from "../engine/lvs/lvs-status.ts";
import type { MysqlStatus } from "../engine/mysql-engine.ts";
import type { MysqlRepairs } from "../engine/mysql-repairs.ts";
import type { QuorumStatus } from "../engine/quorum/quorum-gate.ts";
import type { RedisStatus } from "../engine/redis-engine.ts";
import type { PeerState } from "../ports/peer-link.ts";
import type { DoctorReply, SwitchoverReply } from "./contract/types.ts";

export interface ReloadOutcome {
  readonly outcome: "applied" | "unchanged" | "refused" | "would-apply";
  readonly changes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly detail: string;
}

export interface RestartOutcome {
  readonly outcome: "restarting" | "would-restart" | "refused";
  readonly detail: string;
  /** Of the program that is installed now; null when it does not start. */
  readonly version: string | null;
}

export interface ReleaseStaleOutcome {
  readonly outcome: "removed" | "would-remove" | "refused";
  readonly interfaces: readonly string[];
  /** What proves that it is a left-over, or why it is refused. */
  readonly detail: string;
  readonly remedy: string | null;
}

export interface SwitchoverAnswer extends Pick<SwitchoverReply, "end" | "to" | "closedMillis"> {
  readonly steps: readonly string[];
}

export interface PeerReportAnswer {
  /** ADDRESS:PORT of the configuration. */
  readonly peer: string;
  readonly json: string | null;
  readonly problem: string | null;
}

/** What one peer heard; `clockOffset` is its wall clock against ours, milliseconds. */
export interface AdvertTestAnswer {
  readonly peer: string;
  /** Null: it could not be asked; `problem` says why. */
  readonly heard: Omit<PeerAnswer<"advert-test">, "wallMillis"> | null;
  readonly problem: string | null;
  readonly clockOffset: number | null;
}

export interface ControlActions {
  /** Asks the keeper; null, a rejection or silence when it does not answer. */
  status(): Promise<readonly VrrpInstanceStatus[] | null>;
  reload(dryRun: boolean): Promise<ReloadOutcome>;
  /** Begins anew as the version that is installed, without letting an address go. */
  restart?(dryRun: boolean): Promise<RestartOutcome>;
  /** The check engine's own account: events only tell of changes. */
  checks?(): readonly CheckStatus[];
  /** The same of the database servers. */
  mysql?(): readonly MysqlStatus[];
  redis?(): readonly RedisStatus[];
  /** The quorum store's; null without one. */
  quorum?(): QuorumStatus | null;
  /** The supervisor's own account of the keeper. */
  keeper?(): KeeperState;
  /** The peers' daemons. */
  peers?(): readonly PeerState[];
  /** Status and latest events of the peers' daemons, as they report them. */
  peerReports?(): Promise<readonly PeerReportAnswer[]>;
  /** Who answers for that address, asked here and of every peer. */
  whoAnswers?(address: IpAddress): Promise<readonly Sight[]>;
  /** Whether test adverts that this host sends meanwhile arrive at each peer. */
  advertTest?(test: PeerAsk<"advert-test">): Promise<readonly AdvertTestAnswer[]>;
  /** Removes that address from this host if it is shown to be a left-over. */
  releaseStale?(address: IpAddress, dryRun: boolean): Promise<ReleaseStaleOutcome>;
  /**
   * Plans a takeover of that server, or lets the next claim go on where only an operator can decide; `refused`: why that order was not given. Null when
   * nobody manages it.
   */
  takeover?(
    name: string,
    order: { readonly consent: boolean; readonly withoutStore: boolean },
  ): Promise<{ readonly steps: readonly string[]; readonly end: string; readonly refused: string | null } | null>;
  /** That server may be the first writer although no peer can be asked; null when nobody manages it. */
  initWriter?(name: string): Promise<{ readonly named: boolean; readonly detail: string } | null>;
  /** Moves that writer away from this host, or only says how; null when nobody manages it. */
  switchover?(name: string, dryRun: boolean): Promise<SwitchoverAnswer | null>;
  /** Where the servers of a managed block stand; null when nobody manages it. */
  positions?(name: string): Promise<readonly ServerPositions[]> | null;
  /** What is set on those servers that should not be; null when nobody manages it. */
  examine?(name: string): Promise<Pick<DoctorReply, "servers" | "findings">> | null;
  /** What only an operator orders. */
  readonly repairs?: MysqlRepairs;
  /** Virtual servers as the kernel has them. */
  lvs?(): LvsStatus;
  /** What the checks of their real servers found. */
  pools?(): readonly PoolStatus[];
  /** The usual mistakes around this host as a director. */
  examineLvs?(): Promise<readonly DirectorFinding[]>;
  /** How many services, or drains taken back, that concerns. */
  drain?(choice: ServerChoice, drain: boolean): number;
  logLevel?(): LogLevel;
  setLogLevel?(level: LogLevel): void;
  dump?(kind: DumpKind): Promise<{ readonly files: readonly string[]; readonly problems: readonly string[] }>;
}
