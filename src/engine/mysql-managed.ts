/** What the manager knows of one instance and its server. */

import type { HoldfastConfig, InstanceConfig } from "../core/config/model.ts";
import { addressInWords } from "../core/database/config.ts";
import type { Instant } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { hasGivenUp, type MysqlFacts, type ReplicaFacts } from "../core/mysql/facts.ts";
import type { MemberGtids } from "../core/mysql/member.ts";
import type { Opening } from "../core/mysql/opening.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { Notes } from "../ports/notes.ts";
import { FirstWriter } from "./first-writer.ts";
import type { PeerAbsence } from "./mysql-absence.ts";
import type { IsolationWatch } from "./mysql-isolation.ts";
import { LeftOutNote } from "./mysql-left-out.ts";
import type { MysqlTending } from "./mysql-tending.ts";

/** A claim that runs or waits for its turn. */
export interface Run {
  readonly gate: number;
  cancelled: boolean;
}

export interface Managed {
  readonly instance: string;
  config: MysqlConfig;
  /** The addresses that move with the instance. */
  virtualHosts: readonly string[];
  /** Of the last takeover of this daemon. */
  opening: Opening | null;
  /** What the server had when this daemon opened it last. */
  openedWith: MemberGtids | null;
  /** Why a planned move would not last; null when it would. */
  staysHere: string | null;
  state: VrrpStateName;
  /** This daemon has opened it and not closed it since. */
  open: boolean;
  /** A planned move has closed it, and nothing has opened it since. */
  closed: boolean;
  /** It may be opened without asking a peer: it was proved to follow a writer whose daemon looks at it, and nothing has broken that since. */
  known: boolean;
  /** It was proved to follow a peer since it was open last, and since its server started. */
  followed: boolean;
  /** Its receiver was seen running since server and daemon began. */
  receiving: boolean;
  /** It was stopped by somebody else: it stays so. */
  stoppedByHand: boolean;
  /** A standby is being looked after just now. */
  following: boolean;
  /** A rival was heard, and it is being found out which of the two is behind. */
  verifying: boolean;
  /** Whether nobody else can have been opened since this was the writer. */
  absence: PeerAbsence | null;
  /** A takeover of this daemon has stopped its receiver: a channel that stands is no sign of anything then. */
  left: boolean;
  /** Claims that run or wait for their turn. */
  readonly runs: Set<Run>;
  openedAt: Instant | null;
  tending: MysqlTending | null;
  /** From the opening until it is closed and not cut off. */
  isolation: IsolationWatch | null;
  consentUntil: Instant | null;
  /** Closing, opening: one after the other. */
  queue: Promise<void>;
  /** Found open and being closed. */
  closing: boolean;
  /** A receiver that had given up is being started. */
  resuming: boolean;
  /** Its address is about to go. */
  releasing: boolean;
  /** A planned move is under way. */
  moving: boolean;
  /** `holdfast init-writer`. */
  readonly first: FirstWriter;
  readonly leftOut: LeftOutNote;
  /** Since when it has been found closed with its address; null: it is not. */
  strayedAt: Instant | null;
  /** That is being settled. */
  straying: boolean;
  /** What the account may not do, one clause a server, as asked last. */
  lacking: readonly string[];
  privilegesAt: Instant | null;
  /** Where its binary log is, as noted. */
  home: string | null;
  /** Nothing is left of a tail that was being fetched when the daemon ended or a claim was refused. */
  tailSettled: boolean;
  /** Why something is, as told last. */
  tailTrouble: string | null;
}

/** What the file says of a managed server. */
export type ManagedSettings = Pick<Managed, "config" | "staysHere" | "virtualHosts">;

export function newManaged(instance: string, settings: ManagedSettings, records: Notes): Managed {
  return {
    instance,
    ...settings,
    state: "INIT",
    opening: null,
    openedWith: null,
    open: false,
    closed: false,
    known: false,
    followed: false,
    first: new FirstWriter(records, `first-writer-${settings.config.name}`),
    leftOut: new LeftOutNote(records, settings.config.name),
    receiving: false,
    stoppedByHand: false,
    following: false,
    verifying: false,
    absence: null,
    left: false,
    runs: new Set(),
    openedAt: null,
    tending: null,
    isolation: null,
    consentUntil: null,
    queue: Promise.resolve(),
    closing: false,
    resuming: false,
    releasing: false,
    moving: false,
    strayedAt: null,
    straying: false,
    lacking: [],
    privilegesAt: null,
    home: null,
    tailSettled: false,
    tailTrouble: null,
  };
}

/** By instance. */
export function managedOf({ mysql, instances }: HoldfastConfig): ReadonlyMap<string, ManagedSettings> {
  const servers = new Map(mysql.map(({ span: _place, flawed: _flawed, ...server }) => [server.name, server]));
  const wanted = new Map<string, ManagedSettings>();
  for (const { vrrp, managesMysql } of instances) {
    const config = managesMysql === null ? undefined : servers.get(managesMysql);
    if (config === undefined) continue;
    const virtualHosts = [...vrrp.advertised, ...vrrp.excluded].map(({ address }) => address);
    wanted.set(vrrp.name, { config, staysHere: reasonToStay(vrrp), virtualHosts });
  }
  return wanted;
}

function reasonToStay({ name, preempt, priority }: InstanceConfig["vrrp"]): string | null {
  if (priority === 255) return `${name} has priority 255 and would take the address back at once`;
  return preempt ? `${name} may take the address back by its priority: write \`nopreempt\` on all hosts` : null;
}

/** The channels from its peers. */
export function channelsOf({ config }: Managed, { replicas }: MysqlFacts): readonly ReplicaFacts[] {
  const peers = config.group.peers.map(addressInWords);
  return replicas.filter(({ source }) => peers.includes(source) || replicas.length === 1);
}

/** What a look tells of whom it follows; the channel that has given up, if there is one. */
export function noteChannels(managed: Managed, facts: MysqlFacts): ReplicaFacts | undefined {
  const channels = channelsOf(managed, facts);
  if (channels.some(({ io }) => io === "running")) {
    managed.receiving = true;
    managed.left = false;
    managed.stoppedByHand = false;
  } else if (!managed.left && !channels.some(({ io }) => io === "connecting")) {
    managed.stoppedByHand ||= managed.receiving;
    managed.receiving = false;
    managed.known = false;
  }
  return channels.find(hasGivenUp);
}

/** A server that starts again has thrown away what it had received (MariaDB with GTIDs), or may have, and starts its threads itself. */
export function noteUnreachable(managed: Managed): void {
  managed.known = false;
  managed.followed = false;
  managed.receiving = false;
  managed.stoppedByHand = false;
}
