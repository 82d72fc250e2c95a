/**
 * Keyed digests, for adverts that are sealed. The core knows where their bytes go and how they are compared; the arithmetic is the
 * platform's. Synchronous: it runs once per advert.
 */
import type { WallClock } from "./clock.ts";

export interface DigestPort {
  /** HMAC (RFC 2104) of the message: 16 bytes for MD5, 32 for SHA-256. */
  hmac(algorithm: "md5" | "sha256", key: Uint8Array, message: Uint8Array): Uint8Array;
}

/** What sealing an advert takes beyond its key. */
export interface KeyPorts {
  readonly digests: DigestPort;
  readonly wallClock: WallClock;
}
