/** What the nemesis needs of a pair of any database: handles for faults, and what is known from outside. */
import type { Daemon, DaemonKind } from "../daemon.ts";
import type { Lab, LabHost } from "../lab.ts";
import type { AddressObserver } from "../observer.ts";
import type { RunningProgram } from "../processes.ts";
import type { SeenWrite } from "./judgement.ts";
import type { Target } from "./plan.ts";
import type { PairStore } from "./store.ts";

export type DatabaseName = "redis" | "mariadb";

export interface SubjectMember {
  readonly name: Target;
  readonly host: LabHost;
  readonly daemon: Daemon | null;
}

export interface Subject {
  readonly database: DatabaseName;
  readonly kind: DaemonKind;
  readonly lab: Lab;
  readonly members: readonly [SubjectMember, SubjectMember];
  readonly observer: AddressObserver;
  /** Null: the pair has no `quorum_store`. */
  readonly store: PairStore | null;
  /** Every daemon that was started, dead ones too. */
  readonly programs: readonly { readonly host: Target; readonly program: RunningProgram }[];
  startDaemon(target: Target): void;
  killDatabase(target: Target): Promise<void>;
  startDatabase(target: Target): Promise<void>;
  /** In good order, as at a reboot. */
  stopDatabase(target: Target): Promise<void>;
  freezeDatabase(target: Target): void;
  thawDatabase(target: Target): Promise<void>;
  databaseRuns(target: Target): boolean;
  /** Everything that applications have tried so far. */
  writes(): readonly SeenWrite[];
  stopWriting(): Promise<void>;
  /** One takes writes, the other follows it and has everything. */
  whole(timeoutMs: number): Promise<void>;
  /** What the one that takes writes and carries the address is called, when there is exactly one of each. */
  writer(): Promise<Target | null>;
  keysOn(target: Target): Promise<ReadonlySet<string>>;
  /** In a calm: what the manual leaves to an operator. Returns what was done, in words. */
  operate(): Promise<string | null>;
  /** What was set aside before a server was filled anew. */
  keysSetAside(): Promise<ReadonlySet<string>>;
  end(): Promise<void>;
}
