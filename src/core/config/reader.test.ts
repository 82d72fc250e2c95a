// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test writes its variables this way
import { expect, test } from "vitest";
import { createDiagnostics } from "./diagnostics.ts";
import { memorySource } from "./memory-source.ts";
import { readConfig } from "./reader.ts";
import type { ConfigSource } from "./source.ts";
import { columnAt } from "./text.ts";

function read(
  files: string | Readonly<Record<string, string>>,
  overrides: Partial<ConfigSource> = {},
  configId?: string,
) {
  const diagnostics = createDiagnostics();
  const source = memorySource(typeof files === "string" ? { "/etc/k/k.conf": files } : files, overrides);
  const result = readConfig(source, "/etc/k/k.conf", diagnostics, configId === undefined ? {} : { configId });
  return { lines: result.lines.map((line) => line.text.text), result, codes: diagnostics.list.map((one) => one.code) };
}

test("comments begin with # or ! anywhere unless quoted or escaped", () => {
  expect(read('a b # c\n! d\ne "f # g ! h"\ni\\#j \\! k\n').lines).toEqual(["a b", 'e "f # g ! h"', "i#j ! k"]);
});

test("a conditional line is kept for its config id, and with ^ for all others", () => {
  const text = "@main a\n@backup b\n@^main c\n@^backup d\n";
  expect(read(text, {}, "main").lines).toEqual(["a", "d"]);
  expect(read(text, {}, "backup").lines).toEqual(["b", "c"]);
});

test("the config id is the host name up to its first dot", () => {
  expect(read("@node-a a\n@node-a.example b\n").lines).toEqual(["a"]);
});

test("definitions are expanded when used, recursively, and undefined names stay", () => {
  const text =
    "$BASE=10.2.${SUB}\n$SUB=0\n${BASE}.100/32\n$SUB=10\n${BASE}.100/32\nx $SUB y $NONE ${NONE} $SUBx\n$EMPTY=\nz${EMPTY}\n";
  expect(read(text).lines).toEqual(["10.2.0.100/32", "10.2.10.100/32", "x 10 y $NONE ${NONE} $SUBx", "z"]);
});

test("a definition may hold a condition, and a condition may guard a definition", () => {
  expect(read("$M=@main\n$M priority 240\n@main $P=1\n@other $P=2\npriority $P\n", {}, "main").lines).toEqual([
    "priority 240",
    "priority 1",
  ]);
});

test("definitions of several lines nest and may set definitions themselves", () => {
  const text =
    "$RS= \\\nreal ${VS}.${N} { \\\n weight 1 \\\n}\n$V= \\\nserver ${VS} { \\\n $N=1 \\\n $RS \\\n $N=2 \\\n $RS \\\n}\n$VS=7\n$V\n";
  expect(read(text).lines).toEqual(["server 7 {", "real 7.1 {", "weight 1", "}", "real 7.2 {", "weight 1", "}", "}"]);
});

test("predefined names", () => {
  const env: Partial<ConfigSource> = {
    env: (name) => (name === "SITE" ? "north" : null),
    random: (min, max) => max - min,
  };
  expect(
    read("a ${_PWD} ${_INSTANCE} ${_ENV SITE} ${_HASH} ${_BANG} ${_RANDOM} ${_RANDOM 3} ${_RANDOM 3 9}\n", env).lines,
  ).toEqual(["a /etc/k node-a north # ! 32767 32764 6"]);
});

test.each([
  ["~SEQ(N, 0, 3) a${N}", ["a0", "a1", "a2", "a3"]],
  ["~SEQ(N, 3) a${N}", ["a1", "a2", "a3"]],
  ["~SEQ(N, 5, -2, 1) a${N}", ["a5", "a3", "a1"]],
  ["~SEQ(N, 3, 1) a${N}", ["a3", "a2", "a1"]],
  ["~SEQ(N, -2) a${N}", ["a-1", "a-2"]],
  ["~SEQx(N, 0x9, 1, 0xb) a${N}", ["a9", "aa", "ab"]],
  ["~SEQ(A,1,2) ~SEQ(B,1,2) ${A}.${B}", ["1.1", "1.2", "2.1", "2.2"]],
  ["~LST(A,x,y) v $A", ["v x", "v y"]],
  ["~LST({A,B},{1,2},{3,4}) ${A}-${B}", ["1-2", "3-4"]],
])("loop %s", (line, expected) => {
  const { lines, codes } = read(`${line}\n`);
  expect(lines).toEqual(expected);
  expect(codes).toEqual([]);
});

test.each(["~SEQ(N 1 3) a", "~SEQ(N, 1, 0, 3) a", "~SEQ(N, 1, 3 a", "~LST(A) a", "~FOO(1) a", "~SEQ(N,1,999999999) a"])(
  "malformed loop %s is reported and dropped",
  (line) => {
    const { lines, codes } = read(`${line}\n`);
    expect(lines).toEqual([]);
    expect(codes).toEqual(["bad-loop"]);
  },
);

test("included files are found relative to the including file, in order, with braces and wildcards", () => {
  const files = {
    "/etc/k/k.conf": "a\ninclude sub/{two,one}.conf\ninclude sub/x*.conf\nb\n",
    "/etc/k/sub/one.conf": "one\n",
    "/etc/k/sub/two.conf": "two ${_PWD}\ninclude ../deep.conf\n",
    "/etc/k/sub/x1.conf": "x1\n",
    "/etc/k/deep.conf": "deep\n",
  };
  expect(read(files).lines).toEqual(["a", "two /etc/k/sub", "deep", "one", "x1", "b"]);
});

test.each([
  ["include", "/no.conf", ["include-missing"]],
  ["include", "/no/*.conf", ["include-missing"]],
  ["includer", "/no.conf", ["include-no-match"]],
  ["includer", "/no/*.conf", ["include-missing"]],
  ["includew", "/no/*.conf", ["include-no-match"]],
  ["includem", "/no.conf", ["include-no-match"]],
  ["includea", "/no.conf", ["include-no-match"]],
  ["includeb", "{/etc/k/k2.conf,/no.conf}", ["include-no-match"]],
])("%s %s", (keyword, pattern, codes) => {
  expect(read({ "/etc/k/k.conf": `${keyword} ${pattern}\n`, "/etc/k/k2.conf": "" }).codes).toEqual(codes);
});

test("a file that includes itself ends with an error", () => {
  expect(read("a\ninclude k.conf\nb\n")).toMatchObject({ lines: ["a", "b"], codes: ["include-loop"] });
});

test.each([
  ["$A=${A}x\n${A}\n", "expansion-limit"],
  ["$A=${B}${B}\n$B=${C}${C}\n$C=${A}${A}\n${A}\n", "expansion-limit"],
  [
    `${Array.from({ length: 40 }, (_, n) => `$V${n}=\${V${n + 1}}\${V${n + 1}}`).join("\n")}\n$V40=x\n\${V0}\n`,
    "expansion-limit",
  ],
  ["~SEQ(A,1,99999) ~SEQ(B,1,99999) ~SEQ(C,1,99999) x\n", "too-large"],
  ["~SEQ(A,1,99999) ~SEQ(B,1,99999) ~SEQ(C,1,99999)\n", "too-large"],
  ["$A= \\\n$A \\\n$A\n$A\n", "expansion-limit"],
  [`a ${"x".repeat(70_000)}\n`, "line-too-long"],
  ["a\0b\n", "nul-byte"],
])(
  "hostile text %# ends with an error instead of a full memory",
  (text, code) => {
    expect(read(text).codes).toContain(code);
  },
  60_000,
);

test("a column still points into the file after definitions and comments", () => {
  const { result } = read("$A=long value\n  key $A tail\n");
  const [line] = result.lines;
  const at = line?.text.text.indexOf("tail") ?? -1;
  expect(line && columnAt(line.text, at)).toBe(10);
});

test("a byte order mark at the beginning of a file is skipped with a warning; elsewhere it is a letter", () => {
  const marked = read({ "/etc/k/k.conf": "\uFEFFa b\ninclude x\n", "/etc/k/x": "\uFEFFc\n\uFEFFd\n" });
  expect(marked.lines).toEqual(["a b", "c", "\uFEFFd"]);
  expect(marked.codes).toEqual(["byte-order-mark", "byte-order-mark"]);
  expect(read("\uFEFF").codes).toEqual(["byte-order-mark"]);
});

test("only what isspace(3) knows is a space: a no-break space belongs to its word", () => {
  expect(read(" \t\v\fa\v\r\n\u00A0b\u00A0\n").lines).toEqual(["a", "\u00A0b\u00A0"]);
});
