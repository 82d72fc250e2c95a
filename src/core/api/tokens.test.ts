import { describe, expect, it } from "vitest";
import { allows, parseTokenFile, ROLES, tokenFileProblem, tokenLine } from "./tokens.ts";

const HASH = "a".repeat(64);

describe("the token file", () => {
  it("gives back what tokenLine has written", () => {
    const entries = ROLES.map((role) => ({ name: `${role}@db-1`, role, sha256: HASH }));
    const text = `# comment\n\n${entries.map(tokenLine).join("\n")}\n`;
    expect(parseTokenFile(text)).toEqual({ ok: true, value: entries });
  });

  it.each([
    ["alice read", "line 1"],
    [`alice root sha256:${HASH}`, "none of read, operate, admin"],
    [`al/ice read sha256:${HASH}`, "the name"],
    [`alice read sha256:${HASH.slice(1)}`, "64 digits"],
    [`alice read sha256:${HASH} more`, "64 digits"],
    [`a read sha256:${HASH}\na admin sha256:${HASH}`, "line 2: a is there twice"],
  ])("lets nobody in when a line is wrong: %s", (text, why) => {
    const parsed = parseTokenFile(text);
    expect(parsed.ok ? "" : parsed.error).toContain(why);
    expect(parsed.ok ? "" : parsed.error).not.toContain(HASH.slice(0, 20));
  });

  it("is not believed when others may open it", () => {
    expect(tokenFileProblem("/t", 0o100600)).toBeNull();
    for (const mode of [0o640, 0o604, 0o620, 0o666]) expect(tokenFileProblem("/t", mode)).toContain("chmod 600 /t");
  });

  it("each role may what those before it may", () => {
    expect(ROLES.map((has) => ROLES.map((needs) => allows(has, needs)))).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});
