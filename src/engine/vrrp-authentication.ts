/**
 * The keys of one virtual router at work: seals each advert that leaves (authentication header, HMAC trailer), judges those that come,
 * and remembers sequence numbers in both directions. How bytes are sealed is core/vrrp's; the digests are the platform's.
 *
 * It outlives a reload as long as the keys may: numbers that were used are used.
 */
import {
  type AhCounter,
  ahCounterOfMaster,
  ahDigestRight,
  FRESH_AH_COUNTER,
  heardAhSequence,
  nextAhCounter,
  resyncAhCounter,
  sealAh,
} from "../core/vrrp/ah.ts";
import type { AuthHmac, VrrpInstanceConfig } from "../core/vrrp/config.ts";
import {
  acceptSequence,
  nextSequence,
  SENDERS_MAX,
  type SenderMarks,
  type Sequence,
  sign,
  type TrailerProblem,
  verify,
} from "../core/vrrp/hmac-trailer.ts";
import { advertLayout, type Drop, type Packet, VRRP_PROTOCOL } from "../core/vrrp/packet.ts";
import type { DropReason } from "../core/vrrp/status.ts";
import type { KeyedChecks } from "../core/vrrp/validate.ts";
import type { KeyPorts } from "../ports/digest.ts";

export interface Authentication extends KeyedChecks {
  /** Null when adverts are not sealed. `source` are the bytes of our source address. */
  sealFor(source: Uint8Array): ((packets: readonly Uint8Array[]) => void) | null;
  /** Sequence numbers that were used up begin again. */
  becameMaster(): void;
  /** A MASTER has heard a lower priority: its answer must have a number that router believes. */
  heardLower(packet: Packet): void;
  /** The last sequence number of the authentication header, sent or heard; null without one. */
  readonly ahSequence: number | null;
  /** Takes new keys over at a reload. */
  reconfigure(config: VrrpInstanceConfig): void;
}

/** `ahSequence`: the number to go on from, for whoever speaks in another's place. */
export function createAuthentication(
  config: VrrpInstanceConfig,
  ports: KeyPorts,
  ahSequence: number = FRESH_AH_COUNTER.sequence,
): Authentication {
  return new Keys(config, ports, ahSequence);
}

/** Whether adverts of this instance are sealed or proved at all. */
export const hasKeys = ({ authentication, authHmac }: VrrpInstanceConfig): boolean =>
  authentication.kind === "ah" || authHmac !== null;

class Keys implements Authentication {
  readonly #ports: KeyPorts;
  #config: VrrpInstanceConfig;
  #ahKey: Uint8Array;
  #hmacKeys: ReadonlyMap<number, Uint8Array>;
  #ah: AhCounter;
  #sent: Sequence = { high: 0, low: 0 };
  readonly #marks: SenderMarks = new Map();

  constructor(config: VrrpInstanceConfig, ports: KeyPorts, ahSequence: number) {
    this.#ports = ports;
    this.#config = config;
    this.#ah = { ...FRESH_AH_COUNTER, sequence: ahSequence };
    this.#ahKey = ahKeyOf(config);
    this.#hmacKeys = hmacKeysOf(config);
  }

  get ahSequence(): number | null {
    return this.#config.authentication.kind === "ah" ? this.#ah.sequence : null;
  }

  reconfigure(config: VrrpInstanceConfig): void {
    this.#config = config;
    this.#ahKey = ahKeyOf(config);
    this.#hmacKeys = hmacKeysOf(config);
  }

  becameMaster(): void {
    this.#ah = ahCounterOfMaster(this.#ah);
  }

  heardLower({ ah }: Packet): void {
    if (ah !== null) this.#ah = resyncAhCounter(this.#ah, ah.sequence);
  }

  sealFor(source: Uint8Array): ((packets: readonly Uint8Array[]) => void) | null {
    const { authentication, authHmac } = this.#config;
    if (authentication.kind === "ah") return (packets) => this.#sealAh(packets);
    if (authHmac === null || authHmac.mode === "receive-only") return null;
    const { start, end } = advertLayout(this.#config);
    return (packets) => this.#sign(authHmac, packets, { source, start, end });
  }

  /** All destinations of one advert have the same number. */
  #sealAh(packets: readonly Uint8Array[]): void {
    this.#ah = nextAhCounter(this.#ah);
    for (const packet of packets) sealAh(packet, this.#ah.sequence, this.#scope, this.#ahDigest);
  }

  get #scope(): { readonly unicast: boolean } {
    return this.#config.transport.kind === "unicast" ? UNICAST : MULTICAST;
  }

  readonly #ahDigest = (message: Uint8Array): Uint8Array => this.#ports.digests.hmac("md5", this.#ahKey, message);

  readonly #trailerDigest = (keyId: number, message: Uint8Array): Uint8Array | null => {
    const key = this.#hmacKeys.get(keyId);
    return key === undefined ? null : this.#ports.digests.hmac("sha256", key, message);
  };

  /** One digest for all: it covers neither destination nor checksum. */
  #sign(
    hmac: AuthHmac,
    packets: readonly Uint8Array[],
    place: { readonly source: Uint8Array; readonly start: number; readonly end: number },
  ): void {
    const first = packets[0];
    if (first === undefined) return;
    this.#sent = nextSequence(this.#sent, this.#ports.wallClock.micros(), { window: hmac.timeWindow });
    const trailer = first.subarray(place.end);
    const message = first.subarray(place.start, place.end);
    const signed = { family: this.#config.family, source: place.source, message, trailer };
    sign(signed, hmac.activeKey, this.#sent, this.#trailerDigest);
    for (const packet of packets) if (packet !== first) packet.set(trailer, place.end);
  }

  authenticationHeader({ ah }: Packet): Drop | null {
    if (ah === null) return null;
    if (ah.nextHeader !== VRRP_PROTOCOL) {
      return { reason: "ip-header", detail: `the authentication header is for protocol ${ah.nextHeader}` };
    }
    if (!ahDigestRight(ah.packet, ah.at, this.#scope, this.#ahDigest)) {
      return { reason: "ah-digest", detail: "the digest is wrong: another auth_pass, or a packet changed on its way" };
    }
    if (!ah.spiIsSource) return { reason: "ah-digest", detail: "the SPI is not the sender's address" };
    const heard = heardAhSequence(this.#ah, ah.sequence);
    if (heard === null) {
      const detail = `sequence number ${ah.sequence} was used before, we are at ${this.#ah.sequence}: a replay, or a peer that started anew`;
      return { reason: "ah-replay", detail, numbers: { theirs: ah.sequence, ours: this.#ah.sequence } };
    }
    this.#ah = heard;
    return null;
  }

  trailer(packet: Packet): { readonly drop: Drop | null; readonly notice: Drop | null } {
    const { authHmac, transport, family } = this.#config;
    if (authHmac === null) return NO_VERDICT;
    if (packet.trailer === null) return unsigned(authHmac);
    const micros = this.#ports.wallClock.micros();
    const { message, bytes } = packet.trailer;
    const signed = { family, source: packet.sourceBytes, message, trailer: bytes };
    const replay = { window: authHmac.timeWindow };
    const verdict = verify(signed, micros, replay, this.#trailerDigest);
    if (!verdict.ok) return { drop: refusal(verdict.problem, verdict), notice: null };
    // Unicast sources are the peers; a group may have anybody who knows the key, and forgers do not get this far.
    const known = transport.kind === "unicast" && transport.checkSource;
    const limit = known ? null : SENDERS_MAX;
    if (!acceptSequence(this.#marks, packet.source, verdict.sequence, { ...replay, micros, limit })) {
      return { drop: { reason: "hmac-replay", detail: `${packet.source} has used this number before` }, notice: null };
    }
    return { drop: null, notice: skewNotice(verdict.skew, authHmac) };
  }
}

const UNICAST = { unicast: true };
const MULTICAST = { unicast: false };
const NO_VERDICT = { drop: null, notice: null };

function ahKeyOf({ authentication }: VrrpInstanceConfig): Uint8Array {
  return Uint8Array.from(authentication.kind === "ah" ? authentication.password : []);
}

function hmacKeysOf({ authHmac }: VrrpInstanceConfig): ReadonlyMap<number, Uint8Array> {
  return new Map((authHmac?.keys ?? []).map(({ id, secret }) => [id, Uint8Array.from(secret)]));
}

function unsigned({ mode }: AuthHmac): { readonly drop: Drop | null; readonly notice: Drop | null } {
  if (mode === "receive-only") return NO_VERDICT;
  const missing = "no HMAC trailer: the sender has no auth_hmac, or does not sign yet";
  if (mode === "enforce") return { drop: { reason: "hmac-missing", detail: missing }, notice: null };
  return { drop: null, notice: { reason: "hmac-unsigned", detail: `${missing}; believed in mode permissive` } };
}

const REFUSALS: Readonly<Record<TrailerProblem, DropReason>> = {
  malformed: "hmac-malformed",
  stale: "hmac-stale",
  "unknown-key": "hmac-unknown-key",
  "bad-hmac": "hmac-digest",
};

function refusal(problem: TrailerProblem, verdict: { readonly skew: number | null; readonly keyId: number }): Drop {
  return { reason: REFUSALS[problem], detail: refusalText(problem, verdict) };
}

function refusalText(
  problem: TrailerProblem,
  { skew, keyId }: { readonly skew: number | null; readonly keyId: number },
): string {
  switch (problem) {
    case "malformed":
      return "the HMAC trailer has a form that is not known here";
    case "stale":
      return `the sender's wall clock differs by ${Math.abs(skew ?? 0)} s, more than time_window: a replay, or a clock to set`;
    case "unknown-key":
      return `signed with key ${keyId}, which auth_hmac does not have here`;
    case "bad-hmac":
      return `the HMAC is wrong: key ${keyId} differs between the hosts, or somebody forges adverts`;
  }
}

/** Half the window: early enough to mend the clock before adverts are refused (keepalived). */
function skewNotice(skew: number | null, { timeWindow }: AuthHmac): Drop | null {
  if (skew === null || timeWindow === null || Math.abs(skew) <= timeWindow / 2) return null;
  const detail = `the sender's wall clock differs by ${Math.abs(skew)} s; beyond ${timeWindow} s its adverts are refused: look at NTP`;
  return { reason: "hmac-skew", detail };
}
