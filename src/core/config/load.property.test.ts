// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test writes its variables this way
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { createDiagnostics, renderDiagnostic } from "./diagnostics.ts";
import { registryRows } from "./keywords/registry.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";
import { mapped } from "./text.ts";
import { buildTree } from "./tree.ts";
import { commandWords, plainWords } from "./words.ts";

const SEEDS = [
  "vrrp_script c {\n script \"/bin/c -x 'a b'\"\n interval 2\n weight -5 reverse\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 5\n priority 100\n advert_int 1\n authentication {\n auth_type PASS\n auth_pass 1111\n }\n track_script {\n c weight 3\n }\n virtual_ipaddress {\n 192.0.2.1/24 dev eth1 label eth1:0 brd +\n }\n}\n",
  "$A= \\\n x ${B} \\\n y\n$B=1\n$A\n~SEQ(N,1,3) v${N}\n~LST({P,Q},{1,2},{3,4}) ${P} ${Q}\n@id a\n@^id b\ninclude /k*.conf\n",
];
const names = [...new Set(registryRows().map((row) => row.name))];
const word = fc.oneof(
  fc.constantFrom(
    ...names,
    "{",
    "}",
    '"',
    "'",
    "\\",
    "#",
    "!",
    "$A",
    "${A}",
    "$A=",
    "~SEQ(A,1,9)",
    "~LST(A,1,2)",
    "@x",
    "@^x",
    "include k.conf",
    "weight",
    "dev",
    "on",
    "::1",
    "constructor",
    "__proto__",
  ),
  fc.integer({ min: -300, max: 70_000 }).map(String),
  fc.ipV4(),
  fc.string({ maxLength: 8 }),
);
const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
const randomText = fc.array(line, { maxLength: 30 }).map((lines) => lines.join("\n"));
const mutated = fc
  .tuple(fc.constantFrom(...SEEDS), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 12 }), word), { maxLength: 6 }))
  .map(([seed, edits]) =>
    edits.reduce((text, [at, cut, put]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put + text.slice(from + cut);
    }, seed),
  );

function loadsAndRenders(text: string): void {
  const { config, diagnostics, files } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  for (const { vrrp } of config.instances) {
    const { virtualRouterId, priority, advertInterval, leaseSeconds } = vrrp;
    holds(virtualRouterId >= 1 && virtualRouterId <= 255, `virtual router id ${virtualRouterId}`);
    holds(priority >= 1 && priority <= 255, `priority ${priority}`);
    holds(advertInterval > 0 && advertInterval <= 255_000_000, `advert interval ${advertInterval}`);
    holds(leaseSeconds === null || leaseSeconds >= 1, `lease ${leaseSeconds}`);
  }
  for (const one of diagnostics) {
    const rendered = renderDiagnostic(one, files);
    // A configuration must not be able to drive the terminal that shows its faults.
    holds(
      [...rendered].every((char) => char >= " " || char === "\n" || char === "\t"),
      `control character in ${rendered}`,
    );
    if (one.span === null) continue;
    const source = files.get(one.span.file)?.[one.span.line - 1];
    holds(source !== undefined, `${one.code}: no line ${one.span.line}`);
    holds(
      one.span.column >= 1 && one.span.column <= (source?.length ?? 0) + 1,
      `${one.code}: column ${one.span.column}`,
    );
  }
}

/** A million calls of expect() would be most of the time. */
function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

test(
  "any text gives a configuration and diagnostics whose places exist, never an exception",
  () => {
    const anyText = fc.oneof(randomText, mutated, fc.string({ unit: "binary", maxLength: 200 }));
    fc.assert(fc.property(anyText, loadsAndRenders), { numRuns: runs(3_000, 60_000) });
  },
  SEARCH_TIMEOUT,
);

test(
  "short texts likewise, in large numbers",
  () => {
    const shortText = fc.array(line, { maxLength: 3 }).map((lines) => lines.join("\n"));
    fc.assert(fc.property(shortText, loadsAndRenders), { numRuns: runs(2_000, 1_000_000) });
  },
  SEARCH_TIMEOUT,
);

test("an include with a bracket that is never closed matches nothing", () => {
  const { diagnostics } = loadConfig(memorySource({ "/k.conf": "include [.conf" }), "/k.conf");
  expect(diagnostics.map(({ code }) => code)).toContain("include-missing");
});

test(
  "words never lose a character that is neither space, quote nor backslash",
  () => {
    const plain = (text: string): string => text.replace(/[ \t"'\\]/g, "");
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40 }).map((text) => text.replace(/\\/g, "")),
        (text) => {
          for (const split of [plainWords, commandWords]) {
            const { words, unterminated } = split(mapped(text));
            if (unterminated === null) expect(plain(words.map((one) => one.text).join(""))).toBe(plain(text));
          }
        },
      ),
      { numRuns: runs(2_000, 200_000) },
    );
  },
  SEARCH_TIMEOUT,
);

test("braces of any depth leave a tree", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("{", "}", "a {", "} b", "c"), { maxLength: 300 }), (lines) => {
      const tree = buildTree(
        lines.map((text, index) => ({ file: "/k.conf", line: index + 1, text: mapped(text) })),
        createDiagnostics(),
      );
      expect(Array.isArray(tree)).toBe(true);
    }),
  );
});
