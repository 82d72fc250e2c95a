/** What fetching the tail of a dead writer's log needs: the daemon on its host, and a source that the own server can receive from. */
import type { Result } from "../core/lib/result.ts";
import type { Crc32, Tail } from "../core/mysql/tail.ts";
import type { Product } from "../core/mysql/version.ts";

export interface TailQuestion {
  /** Name of the block, the same on both hosts. */
  readonly group: string;
  /** server_id of the dead server. */
  readonly serverId: string;
  readonly file: string;
  readonly offset: number;
  /** Bytes, at most LOG_PIECE_BYTES. */
  readonly length: number;
}

export interface TailPiece {
  /** Fewer bytes than asked for at the end of the file. */
  readonly data: Uint8Array;
  /** Of the file, bytes. */
  readonly size: number;
  /** The file that follows; null: this is the last one. */
  readonly next: string | null;
}

/** The daemons of the peers. */
export interface TailKeepers {
  /** The error says in words why there is nothing; never throws. */
  ask(question: TailQuestion, timeoutMillis: number): Promise<Result<TailPiece, string>>;
}

export interface SourceOffer {
  readonly tail: Tail;
  readonly product: Product;
  readonly gtid: boolean;
  /** Only the server that works in this directory may connect. */
  readonly dataDirectory: string;
}

export interface OpenSource {
  readonly host: string;
  readonly port: number;
  /** The own server has connected. */
  readonly connected: () => boolean;
  /** Why the tail will not be received whole; null: nothing stands against it. */
  readonly problem: () => string | null;
  /** Serves nobody any more, and keeps the port: a channel that still names it must find no stranger there. */
  readonly refuse: () => void;
}

export interface SourcePort {
  /** Hands out the tail on the loopback interface, once. */
  open(offer: SourceOffer): Promise<Result<OpenSource, string>>;
  /** Gives the port back, if it is one that was opened here: call when no channel names it. */
  close(port: number): void;
}

export interface TailTools {
  readonly keepers: TailKeepers;
  readonly sources: SourcePort;
  readonly crc32: Crc32;
}
