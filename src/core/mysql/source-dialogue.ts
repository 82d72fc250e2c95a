/**
 * A source of replication that has nothing but the tail of a dead writer's log: answers what the receivers of MariaDB (10.5 and later) and MySQL (8 and later)
 * ask before they begin, hands out the tail, and then says nothing more. The receiver's password is not known here, so none is asked for: who may
 * connect is the caller's business. Knows no socket. What a receiver asks: MariaDB's sql/slave.cc (get_master_version_and_clock), MySQL's
 * sql/rpl_replica.cc.
 */
import { EVENT, HEADER_LENGTH, readHeader } from "../mha/binlog.ts";
import {
  concat,
  errorPacket,
  greeting,
  type Heard,
  latin1,
  okPacket,
  packetsOf,
  rowPackets,
  textOf,
  u32,
} from "./source-packets.ts";
import type { Crc32, Tail, TailPart } from "./tail.ts";
import type { Product } from "./version.ts";

export interface DialogueOptions {
  readonly tail: Tail;
  readonly product: Product;
  /** By GTIDs on MySQL, which asks whether its source has them. */
  readonly gtid: boolean;
  /** 20 random bytes, none of them 0. */
  readonly scramble: Uint8Array;
  readonly unixSeconds: number;
  readonly crc32: Crc32;
  /** Whether the tail may be handed out now: true once for all conversations of a source. A receiver that asks again may not have said what it has. */
  readonly take: () => boolean;
}

/** What follows from a payload: bytes to send, and whether the tail is among them. */
export interface Answer {
  readonly send: Iterable<Uint8Array>;
  readonly handsOut: boolean;
  /** In words, when the conversation ends. */
  readonly ends: string | null;
}

const COMMAND = { quit: 1, query: 3, ping: 14, dump: 18, register: 21, dumpGtid: 30 } as const;
const UNKNOWN_VARIABLE = 1193;
const UNKNOWN_COMMAND = 1047;
/** ER_MASTER_FATAL_ERROR_READING_BINLOG: a receiver stops at it, and does not try again. */
const FATAL_READING = 1236;
const UUID_OF_NOBODY = "00000000-0000-0000-0000-000000000001";

export class SourceDialogue {
  readonly #options: DialogueOptions;
  #greeted = false;
  /** Of the packet after the last event. */
  #next = 0;

  constructor(options: DialogueOptions) {
    this.#options = options;
  }

  /** Sent first, without being asked. */
  get greeting(): readonly Uint8Array[] {
    const { tail, product, scramble } = this.#options;
    // MariaDB before 11 hides its version behind this prefix, and its receivers expect that.
    const version = product === "mariadb" ? `5.5.5-${tail.version}` : tail.version;
    const method = product === "mariadb" ? "mysql_native_password" : "caching_sha2_password";
    return packetsOf(greeting(version, method, scramble), 0);
  }

  hear({ sequence, payload }: Heard): Answer {
    if (!this.#greeted) {
      this.#greeted = true;
      return { send: this.#welcome(sequence + 1), handsOut: false, ends: null };
    }
    const [command] = payload;
    const next = sequence + 1;
    const say = (...payloads: readonly Uint8Array[]): Answer => ({
      send: payloads.flatMap((one, at) => packetsOf(one, next + at)),
      handsOut: false,
      ends: null,
    });
    switch (command) {
      case COMMAND.quit:
        return { send: [], handsOut: false, ends: "the receiver has left" };
      case COMMAND.ping:
      case COMMAND.register:
        return say(okPacket);
      case COMMAND.query:
        return say(...this.#answer(textOf(payload.subarray(1))));
      case COMMAND.dump:
      case COMMAND.dumpGtid:
        if (this.#options.take()) return { send: this.#events(next), handsOut: true, ends: null };
        return say(errorPacket(FATAL_READING, "HY000", "the tail was handed out before, and is not handed out twice"));
      default:
        return say(errorPacket(UNKNOWN_COMMAND, "08S01", "this source hands out a tail and nothing else"));
    }
  }

  *#events(first: number): Iterable<Uint8Array> {
    this.#next = first;
    for (const event of events(this.#options)) {
      const packets = packetsOf(concat([STATUS_OK, event]), this.#next);
      this.#next += packets.length / 2;
      yield* packets;
    }
  }

  /**
   * For a receiver that has been handed everything: without it, it would take silence of slave_net_timeout for a dead source. The form that
   * both products know has 32 bits for the position; behind those nothing is sent.
   */
  heartbeat(): readonly Uint8Array[] {
    const { end } = this.#options.tail;
    if (end.offset >= 2 ** 32) return [];
    const event = madeUp(this.#options, { type: HEARTBEAT, at: end.offset, flags: 0 }, latin1(end.file));
    return packetsOf(concat([STATUS_OK, event]), this.#next++);
  }

  /** caching_sha2_password says first that it need not see the password. */
  #welcome(sequence: number): readonly Uint8Array[] {
    if (this.#options.product === "mariadb") return packetsOf(okPacket, sequence);
    return [...packetsOf(Uint8Array.of(1, 3), sequence), ...packetsOf(okPacket, sequence + 1)];
  }

  #answer(query: string): readonly Uint8Array[] {
    const text = query.trim().replace(/;$/, "");
    if (/^SET\s/i.test(text)) return [okPacket];
    const shown = /^SHOW\s+(?:GLOBAL\s+)?VARIABLES\s+(?:LIKE|WHERE\s+Variable_name\s*=)\s*'(\w+)'$/i.exec(text)?.[1];
    if (shown !== undefined) return this.#shown(shown);
    const selected = /^SELECT\s+(?:@@(?:global\.)?|@)?(\w+)(?:\(\))?(?:\s+AS\s+\w+)?$/i.exec(text)?.[1];
    const value = selected === undefined ? null : this.#variable(selected);
    if (selected === undefined || value === null)
      return [errorPacket(UNKNOWN_VARIABLE, "HY000", `Unknown system variable '${selected ?? "?"}'`)];
    return rowPackets([selected], [value]);
  }

  /** No row for what is not there: a receiver of MariaDB that sees rpl_semi_sync_master_enabled, on or off, wants every event in another frame. */
  #shown(name: string): readonly Uint8Array[] {
    const value = this.#variable(name);
    const names = ["Variable_name", "Value"];
    return rowPackets(names, value === null ? null : [name, value]);
  }

  #variable(name: string): string | null {
    const { tail, product, gtid, unixSeconds } = this.#options;
    switch (name.toLowerCase()) {
      case "unix_timestamp":
        return String(unixSeconds);
      case "version":
        return tail.version;
      case "server_id":
        return String(tail.serverId);
      case "master_binlog_checksum":
      case "source_binlog_checksum":
      case "binlog_checksum":
        return tail.checksum ? "CRC32" : "NONE";
      case "gtid_domain_id":
        return "0";
      case "server_uuid":
        return product === "mysql" ? UUID_OF_NOBODY : null;
      case "gtid_mode":
        return product === "mysql" ? (gtid ? "ON" : "OFF") : null;
      default:
        return null;
    }
  }
}

/** Every event is one payload of its own, behind a byte that says that it is no error. */
const STATUS_OK = Uint8Array.of(0);

function* events(options: DialogueOptions): Iterable<Uint8Array> {
  for (const part of options.tail.parts) {
    yield rotateTo(part, options);
    if (part.from > 4) yield describing(part, options);
    for (let at = 0; at < part.bytes.length; ) {
      const header = readHeader(part.bytes.subarray(at));
      if (header === null) return;
      yield part.bytes.subarray(at, at + header.length);
      at += header.length;
    }
  }
}

const ARTIFICIAL = 0x20;
const HEARTBEAT = 27;
const FLAGS_AT = 17;
const POSITION_AT = 13;
const CREATED_AT = HEADER_LENGTH + 52;

/** Where what follows lies in the dead writer's log: made up, as every source does when a receiver comes. */
function rotateTo({ file, from }: TailPart, options: DialogueOptions): Uint8Array {
  const content = concat([u32(from % 2 ** 32), u32(Math.floor(from / 2 ** 32)), latin1(file)]);
  return madeUp(options, { type: EVENT.rotate, at: 0, flags: ARTIFICIAL }, content);
}

function madeUp(
  { tail, crc32 }: DialogueOptions,
  { type, at, flags }: { readonly type: number; readonly at: number; readonly flags: number },
  content: Uint8Array,
): Uint8Array {
  const length = HEADER_LENGTH + content.length + (tail.checksum ? 4 : 0);
  const header = concat([u32(0), Uint8Array.of(type), u32(tail.serverId), u32(length), u32(at)]);
  return summed(concat([header, Uint8Array.of(flags, 0), content]), tail.checksum ? crc32 : null);
}

/** The event that describes the file, for somebody who begins in its middle: at no place, and not as the start of a server. */
function describing({ format }: TailPart, { tail, crc32 }: DialogueOptions): Uint8Array {
  const event = format.slice(0, format.length - (tail.checksum ? 4 : 0));
  event.fill(0, POSITION_AT, POSITION_AT + 4);
  event.fill(0, CREATED_AT, CREATED_AT + 4);
  event[FLAGS_AT] = (event[FLAGS_AT] ?? 0) & ~1;
  return summed(event, tail.checksum ? crc32 : null);
}

const summed = (event: Uint8Array, crc32: Crc32 | null): Uint8Array =>
  crc32 === null ? event : concat([event, u32(crc32(event))]);
