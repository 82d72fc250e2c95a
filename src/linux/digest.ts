/**
 * Keyed digests from Node's own cryptography. Loaded when the first key needs it: a keeper without keys does not pay for it. Knows
 * neither packets nor keywords.
 */
import type { DigestPort } from "../ports/digest.ts";

type Crypto = typeof import("node:crypto");

export function createDigestPort(): DigestPort {
  let crypto: Crypto | null = null;
  return {
    hmac(algorithm, key, message) {
      crypto ??= process.getBuiltinModule("node:crypto");
      return crypto.createHmac(algorithm, key).update(message).digest();
    },
  };
}
