/**
 * Watches that nobody listens where the peers of a writer are, also across a restart of this daemon: core/mysql/absence.ts says what that
 * proves. A peer that listens keeps one idle session, whose end is heard at once.
 */

import { addressInWords } from "../core/database/config.ts";
import { millis, toMillis } from "../core/lib/units.ts";
import { type Absence, absenceText, afterLook, isUnbroken, type Moment, parseAbsence } from "../core/mysql/absence.ts";
import type { MysqlAddress, MysqlConfig } from "../core/mysql/config.ts";
import { isNobody } from "../core/mysql/failure.ts";
import type { SqlSession } from "../ports/sql.ts";
import type { Timer } from "../ports/timers.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

const EVERY = millis(500);
/** A host that lives says in a round trip that nobody listens. */
const REACH_MILLIS = 400;

export type AbsenceTools = Pick<TakeoverTools, "sql" | "timers" | "notes" | "wallMillis">;

export class PeerAbsence {
  readonly #tools: AbsenceTools;
  readonly #config: MysqlConfig;
  readonly #peers: readonly string[];
  readonly #note: string;
  readonly #isWriter: () => boolean;
  readonly #sessions = new Map<string, SqlSession>();
  #absence: Absence | null = null;
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #runs = false;
  #ended = false;

  constructor(tools: AbsenceTools, config: MysqlConfig, isWriter: () => boolean) {
    this.#tools = tools;
    this.#config = config;
    this.#isWriter = isWriter;
    this.#peers = config.group.peers.map(addressInWords);
    this.#note = `last-writer-${config.name}`;
    this.#looking = this.#recall();
  }

  /** What an earlier daemon has seen, if that is fresh. */
  async #recall(): Promise<void> {
    const noted = parseAbsence(await this.#tools.notes.read(this.#note));
    if (noted === null || this.#runs || this.#ended) return;
    this.#absence = noted;
    this.begin();
  }

  /** The own server is the writer, or was until now. */
  begin(): void {
    if (this.#runs || this.#ended || this.#peers.length === 0) return;
    this.#runs = true;
    this.#arm();
  }

  /** Why no peer can have been opened since this was the writer; null when that is not proved. */
  get proof(): Absence | null {
    return isUnbroken(this.#absence, this.#peers, this.#now()) ? this.#absence : null;
  }

  /** Resolves when what was seen is noted. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    this.#dropSessions();
    await this.#looking;
  }

  #now(): Moment {
    return { at: this.#tools.timers.now(), wallMillis: this.#tools.wallMillis() };
  }

  #arm(delay = millis(0)): void {
    this.#timer = this.#tools.timers.schedule(delay, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const listening = await Promise.all(this.#config.group.peers.map((peer) => this.#listens(peer)));
    const absent = listening.every((one) => one === false);
    const look = { peers: this.#peers, absent, writer: this.#isWriter(), now: this.#now() };
    const noted = this.#absence !== null;
    this.#absence = afterLook(this.#absence, look);
    const { notes } = this.#tools;
    if (this.#absence !== null) await notes.write(this.#note, absenceText(this.#absence));
    else if (noted) await notes.remove(this.#note);
    if (this.#ended) return;
    if (this.#absence === null && !look.writer) {
      this.#runs = false;
      this.#dropSessions();
    } else this.#arm(EVERY);
  }

  /** Null when nobody can say. */
  async #listens(peer: MysqlAddress): Promise<boolean | null> {
    const name = addressInWords(peer);
    if (this.#sessions.has(name)) return true;
    const { credentials, tls, connectTimeout } = this.#config;
    const target = {
      address: peer,
      credentials,
      user: null,
      tls,
      connectTimeoutMillis: toMillis(connectTimeout),
      reachTimeoutMillis: REACH_MILLIS,
    };
    const opened = await this.#tools.sql.open(target, () => this.#sessions.delete(name));
    if (!opened.ok) return isNobody(opened.error) ? false : null;
    if (this.#ended) opened.value.close();
    else this.#sessions.set(name, opened.value);
    return true;
  }

  #dropSessions(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }
}
