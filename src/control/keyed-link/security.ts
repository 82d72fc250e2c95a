/**
 * TLS 1.3 with a pre-shared key (RFC 8446 section 2.2) and an ephemeral key exchange on top, so that a key that leaks later opens nothing that was
 * recorded. Both sides prove the key in the handshake: there are no certificates to expire. Each protocol's own key is derived from the configured one, so
 * the same file may serve auth_hmac, and who may speak one protocol cannot speak another by it.
 */
import { hkdfSync } from "node:crypto";
import type { ConnectionOptions, TlsOptions } from "node:tls";
import type { LinkKeys } from "../../core/peer-link/config.ts";

const KEY_BYTES = 32;

/** OpenSSL gives keys of this interface to SHA-256 suites only. */
const COMMON = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ciphers: "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
} as const;

const identityOf = (id: number): string => `holdfast-${id}`;

function derived(secret: readonly number[], purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", Uint8Array.from(secret), "", purpose, KEY_BYTES));
}

/** Takes every key of the block. `keys` is asked at each handshake, so a reload needs no new server. */
export function serverSecurity(purpose: string, keys: () => Pick<LinkKeys, "keys">): TlsOptions {
  return {
    ...COMMON,
    // A resumed session would outlive its key.
    sessionTimeout: 1,
    pskCallback(_socket, identity) {
      const key = keys().keys.find(({ id }) => identityOf(id) === identity);
      return key === undefined ? null : derived(key.secret, purpose);
    },
  };
}

/** Shows the active key. */
export function clientSecurity(purpose: string, { keys, activeKey }: LinkKeys): ConnectionOptions {
  return {
    ...COMMON,
    pskCallback() {
      const key = keys.find(({ id }) => id === activeKey);
      return key === undefined ? null : { identity: identityOf(activeKey), psk: derived(key.secret, purpose) };
    },
    // A server may leave the offered key aside and show a certificate instead (RFC 8446 section 4.2.11). It would prove nothing: no authority
    // is believed, and whoever gets past that is asked for its identity, which is not done where the key was taken.
    ca: [],
    checkServerIdentity: () => new Error("it showed a certificate instead of proving the key"),
  };
}
