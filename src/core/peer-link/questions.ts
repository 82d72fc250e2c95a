/**
 * What daemons ask each other over the peer link. One entry of PeerQuestions for each kind: the question's own fields and the answer. A new kind
 * is one entry here, one schema in control/peer-link/schemas.ts and one handler in main/peer-link.ts; the compiler finds what is missing. A
 * daemon that does not know a kind answers `unknown-question`, so that a newer one may ask an older one.
 *
 * An answer is at most ANSWER_BYTES_MAX long as JSON: what is longer is asked for in pieces.
 */
import type { IpAddress } from "../lib/ip.ts";
import type { VrrpPhaseName, VrrpStateName } from "../vrrp/state.ts";

/** As JSON in UTF-8. */
export const QUESTION_BYTES_MAX = 64 * 1_024;
export const ANSWER_BYTES_MAX = 4 * 1_024 * 1_024;

/** Of a binary log in one answer, before base64. */
export const LOG_PIECE_BYTES = 1_024 * 1_024;

/** No host has counted so many takeovers: a peer that says more is broken, and its next epoch would not be a number any more. */
export const EPOCH_MAX = 2 ** 48;

/** Where a virtual router stands on the host that answers. */
export interface PeerInstance {
  readonly name: string;
  readonly interface: string;
  readonly virtualRouterId: number;
  readonly family: 4 | 6;
  readonly state: VrrpStateName;
  readonly phase: VrrpPhaseName;
  readonly priority: number;
  /** How long it has been in that state, milliseconds: the clocks of two hosts are not comparable. */
  readonly forMillis: number;
  readonly addresses: readonly IpAddress[];
  /** The addresses are on the interface and announced. */
  readonly holding: boolean;
}

/** The last record of a managed group in the journal of the host that answers. */
export interface WriterRecord {
  /** Name of the block, as in `mysql NAME`. */
  readonly group: string;
  /** Counts the takeovers of the group; whoever opens a server for writes takes the next number. 1 to EPOCH_MAX. */
  readonly epoch: number;
  /**
   * `writer`: it opened its server in that epoch. `released`: it closed it again. `standby`: it has seen that another host is the writer of
   * that epoch. `initial`: an operator has named this host with `holdfast init-writer`.
   */
  readonly role: "writer" | "released" | "standby" | "initial";
  /** Wall clock of that host, milliseconds since the epoch: for people. */
  readonly time: number;
  readonly detail: string;
}

/** Who says by ARP (IPv4) or neighbour discovery (IPv6) that an address is his, asked on the link of the host that answers. */
export interface WhoAnswers {
  /** The address is on an interface of the host itself: it does not answer its own question. */
  readonly own: boolean;
  /** Where it was asked; null when no interface is on the network of that address. */
  readonly interface: string | null;
  /** Hardware addresses, "02:42:ac:11:00:02", in the order of their answers. */
  readonly macs: readonly string[];
  /** Why it could not be asked. */
  readonly problem: string | null;
}

export interface PeerQuestions {
  /** State of all instances and the epochs of all managed groups; asked in every interval. */
  readonly state: {
    readonly ask: Record<never, never>;
    readonly answer: { readonly instances: readonly PeerInstance[]; readonly writers: readonly WriterRecord[] };
  };
  readonly "who-answers": { readonly ask: { readonly address: IpAddress }; readonly answer: WhoAnswers };
  /** A doctor sends test adverts (core/doctor/test-advert.ts) and asks whether they arrive: that host listens for a moment. */
  readonly "advert-test": {
    readonly ask: { readonly virtualRouterId: number; readonly family: 4 | 6; readonly nonce: IpAddress };
    readonly answer: {
      readonly interface: string | null;
      /** At the interface, in front of the packet filter. */
      readonly arrived: boolean;
      /** A program was given one; null: not known. */
      readonly delivered: boolean | null;
      readonly problem: string | null;
      /** That host's instance has auth_type AH: it takes no advert without the header. */
      readonly ah: boolean;
      /** Wall clock of that host at the end, milliseconds since the epoch. */
      readonly wallMillis: number;
    };
  };
  /** Status and latest events as that host's API tells them, for people who look at this one's. */
  readonly report: { readonly ask: Record<never, never>; readonly answer: { readonly json: string } };
  readonly "writer-record": {
    readonly ask: { readonly group: string };
    readonly answer: { readonly record: WriterRecord | null };
  };
  /** Bytes of a binary log file of a database server that is dead. `data` is base64; `next` is the file that follows. */
  readonly "dead-log": {
    readonly ask: {
      readonly group: string;
      readonly serverId: string;
      readonly file: string;
      readonly offset: number;
      readonly length: number;
    };
    readonly answer: { readonly data: string; readonly size: number; readonly next: string | null };
  };
}

export type PeerQuestionKind = keyof PeerQuestions;
export type PeerAsk<K extends PeerQuestionKind> = PeerQuestions[K]["ask"];
export type PeerAnswer<K extends PeerQuestionKind> = PeerQuestions[K]["answer"];

export type PeerFailureCode =
  /** There is no connection now. */
  | "not-connected"
  /** No answer in time. */
  | "timeout"
  /** The peer is older and does not know the question. */
  | "unknown-question"
  /** The peer has too much to do for us, or was asked too often. */
  | "busy"
  /** The peer could not find out, or said something that is no answer. */
  | "failed";

export interface PeerFailure {
  readonly code: PeerFailureCode;
  readonly detail: string;
}
