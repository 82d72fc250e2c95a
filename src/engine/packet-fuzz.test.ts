/**
 * Fuzz target of the receive path: mutated adverts of every kind through decoding, rules, keys and filter. `script/test fuzz --full` gives
 * it and its neighbour for configurations ten million inputs. What was interesting is kept in conformance/fuzz and replayed in every run.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../tools/test-runs.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { honest, judge, RECEIVERS } from "./fuzz-bench.suite.ts";

const CORPUS = fileURLToPath(new URL("../../conformance/fuzz/packets", import.meta.url));

interface Kept {
  readonly file: string;
  readonly receiver: string;
  readonly verdict: string;
  readonly bytes: Uint8Array;
}

/** `# why it is kept`, `RECEIVER VERDICT`, then the packet in hexadecimal digits. */
const kept: readonly Kept[] = readdirSync(CORPUS)
  .filter((file) => file.endsWith(".hex"))
  .sort()
  .map((file) => {
    const lines = readFileSync(join(CORPUS, file), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const [receiver = "", verdict = ""] = (lines[0] ?? "").split(" ");
    return { file, receiver, verdict, bytes: Uint8Array.from(Buffer.from(lines.slice(1).join(""), "hex")) };
  });

const configOf = (receiver: string): VrrpInstanceConfig => {
  const config = RECEIVERS[receiver];
  if (config === undefined) throw new Error(`no receiver is called ${receiver}`);
  return config;
};

test.each(kept)("$file: $verdict", ({ receiver, verdict, bytes }) => {
  expect(judge(configOf(receiver), bytes)).toBe(verdict);
});

test("the corpus has packets for every receiver", () => {
  expect(new Set(kept.map(({ receiver }) => receiver))).toEqual(new Set(Object.keys(RECEIVERS)));
});

test("no packet of the corpus confuses a receiver that it was not meant for", () => {
  for (const config of Object.values(RECEIVERS)) for (const { bytes } of kept) judge(config, bytes);
});

/** A seeded generator, so that a failure can be repeated. */
function xorshift(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Bytes that decide something: lengths, counts, types. */
const INTERESTING = [0, 1, 2, 4, 5, 8, 20, 24, 28, 46, 51, 112, 127, 128, 254, 255];

function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = original.slice();
  for (let change = random(4); change >= 0; change--) {
    const at = random(Math.max(1, bytes.length));
    switch (random(7)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes = Uint8Array.from([...bytes, ...bytes.subarray(at)]);
        break;
      case 2:
        bytes = Uint8Array.from([...bytes.subarray(0, at), random(256), ...bytes.subarray(at)]);
        break;
      case 3:
        if (at < bytes.length) bytes[at] = INTERESTING[random(INTERESTING.length)] as number;
        break;
      default:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    }
  }
  return bytes;
}

const ROUNDS = runs(60_000, 9_500_000);

test(
  "mutated adverts of every kind never throw, and none is believed whose proof was made for another one",
  () => {
    const random = xorshift(Number(process.env.HOLDFAST_FUZZ_SEED ?? "20261125"));
    const receivers = Object.entries(RECEIVERS).map(([name, config]) => ({ name, config, original: honest(config) }));
    const seeds = kept.map(({ bytes }) => bytes);
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { name, config, original } = receivers[round % receivers.length] as (typeof receivers)[number];
      const seed = round % 4 === 0 && seeds.length > 0 ? (seeds[random(seeds.length)] as Uint8Array) : original;
      const bytes = mutate(seed, random);
      const verdict = judge(config, bytes);
      if (verdict !== "accepted") refused++;
      else if (seed === original && isProved(name) && !sameProved(config, bytes, original)) {
        throw new Error(`${name} believes ${Buffer.from(bytes).toString("hex")}`);
      }
    }
    expect(refused).toBeGreaterThan(ROUNDS / 2);
  },
  SEARCH_TIMEOUT,
);

const isProved = (name: string): boolean => name.startsWith("ah") || name.startsWith("hmac");

/** Equal in what the proof covers: the message, and the numbers. Checksums and mutable header fields may differ. */
function sameProved(config: VrrpInstanceConfig, bytes: Uint8Array, original: Uint8Array): boolean {
  const start = config.family === 6 ? 0 : ((bytes[0] as number) & 0x0f) * 4;
  const from = config.family === 6 ? 0 : 20;
  const end = config.family === 6 ? bytes.length : ((bytes[2] as number) << 8) | (bytes[3] as number);
  const message = bytes.slice(start, end);
  const expected = original.slice(from);
  if (config.authHmac !== null) {
    for (const copy of [message, expected]) copy.fill(0, 6, 8);
  }
  return Buffer.from(message).equals(Buffer.from(expected));
}
