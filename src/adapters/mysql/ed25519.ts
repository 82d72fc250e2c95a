/**
 * client_ed25519 of MariaDB: the login is an Ed25519 signature (RFC 8032) over the server's nonce, where the password itself takes the
 * place of the 32-byte secret key. Node signs only with keys of 32 bytes, so the arithmetic is here. Not constant in time: whoever can
 * measure this process can read its memory, too.
 */
import { createHash } from "node:crypto";

const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));

/** Extended coordinates: x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032 section 5.1.4). */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const BASE_Y = mod(4n * inverse(5n));
const BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202n;
const BASE: Point = { x: BASE_X, y: BASE_Y, z: 1n, t: mod(BASE_X * BASE_Y) };
const NEUTRAL: Point = { x: 0n, y: 1n, z: 1n, t: 0n };

function mod(value: bigint, by = P): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}

/** By Fermat: value^(P-2). */
function inverse(value: bigint): bigint {
  let result = 1n;
  let factor = mod(value);
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = mod(result * factor);
    factor = mod(factor * factor);
  }
  return result;
}

function add(p: Point, q: Point): Point {
  const a = mod((p.y - p.x) * (q.y - q.x));
  const b = mod((p.y + p.x) * (q.y + q.x));
  const c = mod(2n * p.t * q.t * D);
  const d = mod(2n * p.z * q.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function multiply(scalar: bigint): Point {
  let sum = NEUTRAL;
  let doubled = BASE;
  for (let left = scalar; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) sum = add(sum, doubled);
    doubled = add(doubled, doubled);
  }
  return sum;
}

function compress(point: Point): Buffer {
  const zInverse = inverse(point.z);
  const x = mod(point.x * zInverse);
  const y = mod(point.y * zInverse);
  return littleEndian(y | ((x & 1n) << 255n));
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

const numberOf = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

const sha512 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** 64 bytes. With a password of exactly 32 bytes it is the plain Ed25519 signature of that secret key. */
export function signWithPassword(password: Uint8Array, nonce: Uint8Array): Buffer {
  const expanded = sha512(password);
  const scalar = numberOf(clamp(expanded.subarray(0, 32)));
  const publicKey = compress(multiply(scalar));
  const r = mod(numberOf(sha512(expanded.subarray(32), nonce)), L);
  const commitment = compress(multiply(r));
  const challenge = mod(numberOf(sha512(commitment, publicKey, nonce)), L);
  return Buffer.concat([commitment, littleEndian(mod(r + challenge * scalar, L))]);
}

/** RFC 8032 section 5.1.5. */
function clamp(half: Buffer): Buffer {
  const bytes = Buffer.from(half);
  bytes[0] = (bytes[0] ?? 0) & 0xf8;
  bytes[31] = ((bytes[31] ?? 0) & 0x7f) | 0x40;
  return bytes;
}
