// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test writes its variables this way
/**
 * Fuzz target of the configuration language: mutations of the kept corpus. Whatever the text is, it gives a configuration whose numbers are
 * in range and diagnostics that show no secret, never an exception. load.property.test.ts searches from scratch instead.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { renderDiagnostic } from "./diagnostics.ts";
import { keywordNames, REGISTRY } from "./keywords/registry.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const CORPUS = fileURLToPath(new URL("../../../conformance/fuzz/configs", import.meta.url));
const kept = readdirSync(CORPUS)
  .filter((file) => file.endsWith(".conf"))
  .sort()
  .map((file) => ({ file, text: readFileSync(join(CORPUS, file), "utf8") }));
const SECRET = "Zq9Secret7Zq";

function judge(text: string): void {
  const { config, diagnostics, files } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  for (const { vrrp } of config.instances) {
    const { virtualRouterId, priority, advertInterval, authHmac, authentication } = vrrp;
    holds(virtualRouterId >= 1 && virtualRouterId <= 255, `virtual router id ${virtualRouterId}`);
    holds(priority >= 1 && priority <= 255, `priority ${priority}`);
    holds(advertInterval > 0 && advertInterval <= 255_000_000, `advert interval ${advertInterval}`);
    holds(authHmac === null || authentication.kind === "none", "both kinds of authentication");
    for (const { id, secret } of authHmac?.keys ?? []) {
      holds(id >= 1 && id <= 255 && secret.length >= 32 && secret.length <= 64, `key ${id}`);
      holds(
        secret.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255),
        `bytes of key ${id}`,
      );
    }
  }
  for (const one of diagnostics) {
    const rendered = renderDiagnostic(one, files);
    holds(!rendered.includes(SECRET), `a secret in ${rendered}`);
    holds(
      [...rendered].every((char) => char >= " " || char === "\n" || char === "\t"),
      "a control character",
    );
  }
}

function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

test.each(kept)("$file", ({ text }) => {
  judge(text);
});

function xorshift(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const WORDS = [
  ...Object.keys(REGISTRY).flatMap((block) => [...keywordNames(block)]),
  ..."{ } \" ' # ! \\ $A= ${A} ~SEQ(A,1,3) ~LST(A,1) @x 0 1 255 256 -1 65536 4294967296 0.01 hex: file:/k.conf on off 192.0.2.1 ff02::12 fe80::1%eth0 /33".split(
    " ",
  ),
];

function mutate(text: string, random: (below: number) => number): string {
  let lines = text.split("\n");
  for (let change = random(4); change >= 0; change--) {
    const at = random(Math.max(1, lines.length));
    const line = lines[at] ?? "";
    const put = WORDS[random(WORDS.length)] as string;
    const where = random(line.length + 1);
    switch (random(6)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(at, 0, lines[random(Math.max(1, lines.length))] ?? "");
        break;
      case 2:
        lines[at] = `${line} ${put}`;
        break;
      case 3:
        lines[at] = line.slice(0, where) + put + line.slice(where);
        break;
      case 4:
        lines[at] = line.slice(0, where) + line.slice(where + 1 + random(6));
        break;
      default:
        lines[at] = line.slice(0, where) + String.fromCharCode(random(256)) + line.slice(where);
    }
    if (lines.length > 200) lines = lines.slice(0, 200);
  }
  return lines.join("\n");
}

test(
  "mutated configurations never throw, keep their numbers in range and show no secret",
  () => {
    const random = xorshift(Number(process.env.HOLDFAST_FUZZ_SEED ?? "20261125"));
    // The secret stands where keywords announce it; a mutation may take the keyword away, and then nobody can know.
    // Loops of loops cost a thousand times as much as other texts: once each run is enough.
    const seeds = kept
      .filter(({ file, text }) => file !== "explosion.conf" && !text.includes(SECRET))
      .map(({ text }) => text);
    expect(seeds.length).toBeGreaterThan(5);
    const rounds = runs(2_000, 500_000);
    for (let round = 0; round < rounds; round++) judge(mutate(seeds[round % seeds.length] as string, random));
  },
  SEARCH_TIMEOUT,
);
