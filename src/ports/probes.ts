/**
 * The sockets of checkers: source address, port, interface and mark as the file says, and no promise per connection, because there may be
 * thousands of checks a second. What is said over them is the engine's business.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import type { CheckerConnection } from "../core/lvs/checkers.ts";
import type { Finding } from "../core/lvs/findings.ts";

export interface Probe {
  /** Ends it without a word; harmless when it has ended. */
  cancel(): void;
}

/** A connected stream; after `onEnd` or close() nothing more is heard of it. */
export interface ProbeStream {
  write(bytes: Uint8Array): void;
  close(): void;
}

export interface StreamEvents {
  /** TLS, if it was asked for, is established. */
  readonly onOpen: (stream: ProbeStream) => void;
  readonly onData: (bytes: Uint8Array) => void;
  /** The other side has closed, in order or by a reset (`error`). */
  readonly onEnd: (error: string | null) => void;
  /** It did not come to be. */
  readonly onFailure: (finding: Finding) => void;
}

/** TLS of SSL_GET. */
export interface ProbeTls {
  /** Sent in the hello; null: none. */
  readonly serverName: string | null;
  /** Paths of PEM files. */
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly passphrase: string | null;
}

export interface DatagramEvents {
  readonly onData: (bytes: Uint8Array) => void;
  /** The host or its port said no (ICMP), or it could not be sent. */
  readonly onFailure: (finding: Finding) => void;
}

export interface ProbePort {
  /** A connection that is closed as soon as it is made; its own timeout is kept here. */
  connect(target: CheckerConnection, done: (finding: Finding) => void): Probe;
  stream(target: CheckerConnection, tls: ProbeTls | null, events: StreamEvents): Probe;
  /** Sends one datagram and tells each that comes back from there. */
  datagram(target: CheckerConnection, payload: Uint8Array, events: DatagramEvents): Probe;
  /** Sends one ICMP echo request; each echo reply from there is told by its identifier and sequence, the payload left out. */
  echo(target: CheckerConnection, request: EchoRequest, events: EchoEvents): Probe;
  /** Whether this host has the address now. */
  hasAddress(address: IpAddress): boolean;
  /** All addresses of this host. */
  addresses(): readonly IpAddress[];
}

export interface EchoRequest {
  /** 0 to 65,535 each. */
  readonly identifier: number;
  readonly sequence: number;
}

export interface EchoEvents {
  readonly onReply: (reply: EchoRequest) => void;
  readonly onFailure: (finding: Finding) => void;
}
