/**
 * Fetches what a dead writer had committed and not sent: asks the daemon on its host for the rest of its binary log, checks all of it, and lets the own
 * server receive it over the channel that it has, from a source on the loopback interface. So data and coordinates move in one step, as in any
 * other replication. The channel is pointed back in any case; where it belongs is on the disk before it is pointed elsewhere.
 */

import { isLocal } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { after, elapsed, type Instant, type Micros, micros, millis, toMillis } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import { type Coordinates, coordinatesInWords, reaches } from "../core/mysql/coordinates.ts";
import { SERVER_RUNS } from "../core/mysql/home.ts";
import type { ChannelFacts, MemberFacts } from "../core/mysql/member.ts";
import { type ChannelPlace, placeOrder, replicaOrder } from "../core/mysql/orders.ts";
import { cutTail, LOG_HEAD_BYTES, type LogPart, type Tail, whyNotNext } from "../core/mysql/tail.ts";
import { noteOfChannel, parseTailNote, type TailNote, tailNote, tailNoteText } from "../core/mysql/tail-note.ts";
import { LOG_PIECE_BYTES } from "../core/peer-link/questions.ts";
import type { Notes } from "../ports/notes.ts";
import type { OpenSource, TailPiece, TailTools } from "../ports/tail.ts";
import type { Timers } from "../ports/timers.ts";
import { failureInWords } from "./mysql-group.ts";
import type { MysqlMember } from "./mysql-member.ts";

export interface TailHost {
  readonly tails: TailTools;
  readonly timers: Timers;
  /** On the disk. */
  readonly records: Notes;
}

export interface TailOrder {
  readonly channel: ChannelFacts;
  readonly own: MemberFacts;
  /** The claim's. */
  readonly deadline: Instant;
  readonly cancelled: () => boolean;
  /** Whether nobody listens at the peer, asked again. */
  readonly isDown: () => Promise<boolean>;
}

export interface TailOutcome {
  readonly words: string;
  /** Up to where the dead writer's log is executed now; null: the channel was not touched. */
  readonly end: Coordinates | null;
}

/** More than this is no tail: such a server was not fit to take over. Bytes, held in memory. */
export const TAIL_BYTES_MAX = 16 * 1_024 * 1_024;
const FILES_MAX = 100;
const ASK = millis(1_500);
const ORDER = millis(3_000);
const PAUSE = millis(10);
/** Until a server that starts or ends is asked for again. */
const AGAIN = millis(200);
/** A receiver that has not connected by then will not: it was turned away, and tries again in seconds at best. */
const CONNECTS = millis(1_500);
/** Of the time that is left to the claim; the rest is for pointing back and opening. */
const SHARE = 0.7;

/** That transaction had not been committed: the server itself rolls it back. */
const HALF = "; half a transaction at its end is left out";

const UNWANTED = "it is not wanted any more";

interface Limits {
  readonly until: Instant;
  readonly cancelled: () => boolean;
}

const notDone = (why: string): string => `NOT DONE: ${why}`;

export class TailFetch {
  readonly #host: TailHost;
  readonly #config: MysqlConfig;
  readonly #own: MysqlMember;

  constructor(host: TailHost, config: MysqlConfig, own: MysqlMember) {
    this.#host = host;
    this.#config = config;
    this.#own = own;
  }

  /** An error only where the channel could not be pointed back: the server must not be opened then. */
  async run(order: TailOrder): Promise<Result<TailOutcome, string>> {
    const until = tailShare(this.#host.timers.now(), order.deadline);
    const tail = await this.#collectOnceDead(order, until);
    if (!tail.ok) return ok({ words: notDone(tail.error), end: null });
    const { isCut } = tail.value;
    if (tail.value.transactions === 0) return ok({ words: `it has sent everything${isCut ? HALF : ""}`, end: null });
    const begun = await this.#begin(order, tail.value);
    if (!begun.ok) return ok({ words: notDone(begun.error), end: null });
    const { source, note } = begun.value;
    try {
      const why = await this.#receive(order, { tail: tail.value, source, until });
      // A statement that is being executed ends before the applier stops: it has all the time there is.
      const left = toMillis(elapsed(this.#host.timers.now(), order.deadline));
      const back = await this.#pointBack(note, Math.max(toMillis(ORDER), left));
      if (!back.ok) return back;
      const end = back.value;
      const { transactions } = tail.value;
      const far = `${transactions} ${transactions === 1 ? "transaction" : "transactions"}, up to ${coordinatesInWords(tail.value.end)}`;
      const isWhole = why === null || reaches(end, tail.value.end) === true;
      const words = isWhole ? far : notDone(`${why} (of ${far}, executed up to ${coordinatesInWords(end)})`);
      return ok({ words: isCut ? `${words}${HALF}` : words, end });
    } finally {
      source.refuse();
    }
  }

  /** A channel is, or may be, pointed at this daemon: nothing must be started on it. */
  async isUnsettled(): Promise<boolean> {
    return parseTailNote(await this.#host.records.read(tailNote(this.#config.name))) !== null;
  }

  /** What an earlier run left pointed at a source that is gone. Null: everything is where it belongs; else why not. */
  async settle(): Promise<string | null> {
    const name = tailNote(this.#config.name);
    const note = parseTailNote(await this.#host.records.read(name));
    if (note === null) return null;
    const facts = await this.#own.facts({ end: false });
    if (!facts.ok) return failureInWords(facts.error);
    const channel = facts.value.channels.find((one) => one.channel === note.channel);
    if (channel?.source === note.source) {
      const back = await this.#pointBack(note, toMillis(ORDER));
      return back.ok ? null : back.error;
    }
    await this.#forget(note);
    return null;
  }

  /** No channel names the source any more. */
  async #forget({ source }: TailNote): Promise<void> {
    await this.#host.records.remove(tailNote(this.#config.name));
    this.#host.tails.sources.close(Number(source.slice(source.lastIndexOf(":") + 1)));
  }

  /** A server that starts or ends is dead for nobody: in a moment it is gone, or up, and then it is closed and followed as any other peer. */
  async #collectOnceDead(order: TailOrder, until: Instant): Promise<Result<Tail, string>> {
    for (;;) {
      const tail = await this.#collect(order, until);
      if (tail.ok || !tail.error.includes(SERVER_RUNS)) return tail;
      if (order.cancelled() || after(this.#host.timers.now(), AGAIN) >= until) return tail;
      await this.#pause(AGAIN);
      if (!(await order.isDown())) return err("it is not down any more");
    }
  }

  async #collect({ channel, own, cancelled }: TailOrder, until: Instant): Promise<Result<Tail, string>> {
    const { executed, sourceId } = channel;
    if (!isLocal(this.#config.address)) return err("the own server is not on this host");
    if (executed === null || sourceId === "" || sourceId === "0")
      return err("the server does not say how far it is in whose log");
    const parts = await this.#fetch(executed, sourceId, { until, cancelled });
    if (!parts.ok) return parts;
    const tail = this.#cut(parts.value, Number(own.serverId));
    if (!tail.ok) return err(`its log cannot be used: ${tail.error}`);
    if (String(tail.value.serverId) !== sourceId) return err("its log was written by another server");
    const hole = channel.gtid ? whyNotNext(tail.value, own.gtids) : null;
    return hole === null ? tail : err(`its log does not join on to what is here: ${hole}`);
  }

  /** What it is made of comes from elsewhere: whatever it does, the claim goes on. */
  #cut(parts: readonly LogPart[], ownServerId: number): Result<Tail, string> {
    try {
      return cutTail(parts, { crc32: this.#host.tails.crc32, ownServerId });
    } catch (error) {
      return err(String(error));
    }
  }

  async #fetch(from: Coordinates, serverId: string, limits: Limits): Promise<Result<readonly LogPart[], string>> {
    const parts: LogPart[] = [];
    let left = TAIL_BYTES_MAX;
    for (let next: string | null = from.file; next !== null; ) {
      const place = { serverId, file: next, offset: parts.length === 0 ? from.offset : 4 };
      const read = await this.#fetchFile(place, left, limits);
      if (!read.ok) return read;
      parts.push(read.value.part);
      left -= read.value.part.bytes.length;
      next = read.value.next;
      if (parts.length >= FILES_MAX) return err(`it goes on in more than ${FILES_MAX} files`);
    }
    return ok(parts);
  }

  async #fetchFile(
    { serverId, file, offset }: { readonly serverId: string; readonly file: string; readonly offset: number },
    left: number,
    limits: Limits,
  ): Promise<Result<{ readonly part: LogPart; readonly next: string | null }, string>> {
    const ask = (at: number, length: number) => this.#ask({ serverId, file, offset: at, length }, limits);
    const head = await ask(0, LOG_HEAD_BYTES);
    if (!head.ok) return head;
    const { size } = head.value;
    if (offset > size) return err(`${file} has ${size} bytes, and more of it was received: ${offset}`);
    if (size - offset > left) return err(`more than ${TAIL_BYTES_MAX / 1_048_576} MiB are missing`);
    const pieces: Uint8Array[] = [];
    let last = head.value;
    for (let at = offset; at < size; ) {
      const piece = await ask(at, Math.min(LOG_PIECE_BYTES, size - at));
      if (!piece.ok) return piece;
      const { data } = piece.value;
      if (data.length === 0 || data.length > size - at || piece.value.size !== size)
        return err(`${file} changes while it is read`);
      pieces.push(data);
      at += data.length;
      last = piece.value;
    }
    return ok({
      part: { file, head: head.value.data, from: offset, bytes: joined(pieces, size - offset) },
      next: last.next,
    });
  }

  async #ask(
    place: { readonly serverId: string; readonly file: string; readonly offset: number; readonly length: number },
    { until, cancelled }: Limits,
  ): Promise<Result<TailPiece, string>> {
    if (cancelled()) return err(UNWANTED);
    const left = toMillis(elapsed(this.#host.timers.now(), until));
    if (left <= 0) return err("takeover_deadline leaves no time for it");
    return await this.#host.tails.keepers.ask({ group: this.#config.name, ...place }, Math.min(toMillis(ASK), left));
  }

  async #begin(
    { channel, own }: TailOrder,
    tail: Tail,
  ): Promise<Result<{ readonly source: OpenSource; readonly note: TailNote }, string>> {
    const { dataDirectory } = this.#own;
    if (dataDirectory === null) return err("the own server does not say where its data is");
    const { product } = own.version;
    const opened = await this.#host.tails.sources.open({ tail, product, gtid: channel.gtid, dataDirectory });
    if (!opened.ok) return opened;
    const source = opened.value;
    const note = noteOfChannel(channel, source);
    const problem = await this.#host.records.write(tailNote(this.#config.name), tailNoteText(note));
    if (problem === null) return ok({ source, note });
    this.#host.tails.sources.close(source.port);
    return err(problem);
  }

  /** Null when all of it is executed; else why not. */
  async #receive(
    { channel: { channel, executed, gtid, usingGtid }, own: { version }, cancelled }: TailOrder,
    { tail, source, until }: { readonly tail: Tail; readonly source: OpenSource; readonly until: Instant },
  ): Promise<string | null> {
    const at = version.product === "mysql" && gtid ? null : executed;
    const place: ChannelPlace = { ...source, at, usingGtid: usingGtid ?? null, tls: false };
    for (const order of [
      placeOrder(version, channel, place),
      replicaOrder(version, "START", { channel, thread: null }),
    ]) {
      const done = await this.#own.order(order, toMillis(ORDER));
      if (!done.ok) return failureInWords(done.error);
    }
    const connects = after(this.#host.timers.now(), CONNECTS);
    for (;;) {
      const state = await this.#look(channel, tail.end);
      if (state !== "waits") return state;
      const why = cancelled() ? UNWANTED : this.#whyInVain(source, { connects, until });
      if (why !== null) return why;
      await this.#pause(PAUSE);
    }
  }

  #whyInVain(
    source: OpenSource,
    { connects, until }: { readonly connects: Instant; readonly until: Instant },
  ): string | null {
    const now = this.#host.timers.now();
    if (now >= until) return "it was not executed in time";
    if (source.connected() || now < connects) return source.problem();
    return "the own server did not connect to the source, or the host does not say that it was this server";
  }

  #pause(delay: Micros): Promise<void> {
    return new Promise((resolve) => {
      this.#host.timers.schedule(delay, resolve);
    });
  }

  /** Null: everything is executed; else why it will not be, or "waits". */
  async #look(channel: string, end: Coordinates): Promise<string | null> {
    const facts = await this.#own.facts({ end: false });
    if (!facts.ok) return failureInWords(facts.error);
    const now = facts.value.channels.find((one) => one.channel === channel);
    if (now === undefined) return "the channel is gone";
    if (now.executed !== null && reaches(now.executed, end) === true) return null;
    return errorOf(now) ?? "waits";
  }

  /** To where it belongs, with the coordinates of what is executed; both threads stand then. */
  async #pointBack(note: TailNote, stopMillis: number): Promise<Result<Coordinates, string>> {
    const { channel, place, source } = note;
    const failed = (why: string): Result<never, string> =>
      err(`the channel cannot be pointed back to ${place.host}:${place.port}: ${why}`);
    const facts = await this.#own.facts({ end: false });
    if (!facts.ok) return failed(failureInWords(facts.error));
    const { version, channels } = facts.value;
    const stop = await this.#own.order(replicaOrder(version, "STOP", { channel, thread: null }), stopMillis);
    if (!stop.ok) return failed(failureInWords(stop.error));
    const stood = await this.#own.facts({ end: false });
    if (!stood.ok) return failed(failureInWords(stood.error));
    const now = stood.value.channels.find((one) => one.channel === channel);
    const end = now?.executed ?? place.at;
    if (channels.some((one) => one.channel === channel && one.source === source)) {
      const byGtid = version.product === "mysql" && now?.gtid === true;
      const order = placeOrder(version, channel, { ...place, at: byGtid ? null : end });
      const done = await this.#own.order(order, toMillis(ORDER));
      if (!done.ok) return failed(failureInWords(done.error));
    }
    await this.#forget(note);
    return ok(end);
  }
}

/** Of the time that is left to a claim. */
const tailShare = (now: Instant, deadline: Instant): Instant =>
  after(now, micros(Math.max(0, Math.floor(elapsed(now, deadline) * SHARE))));

/** That it is not connected yet is none. */
function errorOf({ io, ioError, sqlError }: ChannelFacts): string | null {
  const error = sqlError ?? (io === "stopped" ? ioError : null);
  return error === null ? null : `error ${error.number}: ${error.text}`;
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
