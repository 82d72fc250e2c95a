/** The signature beside Node's own, which signs with secret keys of 32 bytes only. */
import { createPrivateKey, sign } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { signWithPassword } from "./ed25519.ts";

/** PKCS 8 wrapping of an Ed25519 secret key (RFC 8410). */
const PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

const nodeSigns = (secret: Uint8Array, message: Uint8Array): Buffer =>
  sign(null, message, createPrivateKey({ key: Buffer.concat([PREFIX, secret]), format: "der", type: "pkcs8" }));

test("with a password of 32 bytes the login is the Ed25519 signature that Node makes", () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(bytes, bytes, (secret, nonce) => {
      expect(signWithPassword(secret, nonce)).toEqual(nodeSigns(secret, nonce));
    }),
    { numRuns: 20 },
  );
});

test("RFC 8032 section 7.1, test 2", () => {
  const secret = Buffer.from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "hex");
  expect(signWithPassword(secret, Buffer.from("72", "hex")).toString("hex")).toBe(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );
});
