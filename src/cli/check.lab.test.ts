import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const corpus = fileURLToPath(new URL("../../conformance/config-test", import.meta.url));
const able = process.getuid?.() === 0 && spawnSync("keepalived", ["--version"]).status === 0;

test.skipIf(!able)("needs root: the installed keepalived still gives the recorded verdicts", () => {
  const now = execFileSync(`${corpus}/ask-keepalived.sh`, [`${corpus}/cases`], { encoding: "utf8" });
  expect(now.trim().split("\n").sort()).toEqual(
    readFileSync(`${corpus}/verdicts.txt`, "utf8").trim().split("\n").sort(),
  );
});
