import { expect, test } from "vitest";
import { translatePattern } from "./pcre.ts";

function matches(pattern: string, subject: string, ...options: readonly string[]): boolean {
  const translated = translatePattern(pattern, options);
  if (!translated.ok) throw new Error(translated.error);
  return new RegExp(translated.value.pattern, translated.value.flags).test(subject);
}

test.each([
  ["^hel+o$", "hello", true],
  ["^hello$", "hello\n", true],
  ["^hello$", "hello\n\n", false],
  ["\\Ahello\\z", "hello\n", false],
  ["a.b", "a\rb", true],
  ["a.b", "a\nb", false],
  ["[[:digit:]]{3}", "abc123", true],
  ["[]x]+y", "]y", true],
  ["[^]x]y", "]y", false],
  ["\\x41\\x{42}", "AB", true],
  ["\\Qa.b\\E", "axb", false],
  ["\\h+x", " \tx", true],
  ["(?<word>o)k", "ok", true],
  ["(?P<word>o)k", "ok", true],
  ["a(?#nothing)b", "ab", true],
  ["(?i)HELLO", "hello", true],
  ["a{b", "a{b", true],
  ["x{2,3}y", "xxy", true],
  ['a\\-b\\_c\\"', 'a-b_c"', true],
  ["(a)\\1", "aa", true],
])("%s on %j: %s", (pattern, subject, expected) => {
  expect(matches(pattern, subject)).toBe(expected);
});

test("options change what matches, or nothing", () => {
  expect(matches("HELLO", "hello", "caseless", "no_auto_possess")).toBe(true);
  expect(matches("^b$", "a\nb\nc", "multiline")).toBe(true);
  expect(matches("a.b", "a\nb", "dotall")).toBe(true);
  expect(matches("^a$", "a\n", "dollar_endonly")).toBe(false);
  expect(matches("a b # comment", "ab", "extended")).toBe(true);
  expect(matches("^.$", "ü", "utf")).toBe(true);
});

test.each([
  ["a++", [], "possessive"],
  ["a{2}+", [], "possessive"],
  ["(?>a)", [], "(?>a"],
  ["(*UTF8)a", [], "(*UTF8)"],
  ["a\\Kb", [], "\\K"],
  ["(a", [], "Unterminated group"],
  ["[a", [], "never closed"],
  ["a", ["ungreedy"], "ungreedy"],
])("%s is refused by name", (pattern, options, why) => {
  const translated = translatePattern(pattern, options);
  expect(translated.ok ? "" : translated.error).toContain(why);
});
