// The two READMEs say the same: a change of one that the other does not follow fails here.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const english = read("README.md");
const chinese = read("README.zh-CN.md");

const codeBlocks = (text: string): string[] => text.match(/^( *)```[^\n]*\n[\s\S]*?^\1```$/gm) ?? [];
const withoutCode = (text: string): string => codeBlocks(text).reduce((rest, block) => rest.replace(block, ""), text);

/** What stays itself in every language: kinds of lines, cells of a row, links, words in code. */
function skeleton(text: string): string[] {
  return withoutCode(text)
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith("#")) return [`heading ${line.indexOf(" ")}`];
      if (line.startsWith("|")) return [`row of ${line.split("|").length}`];
      const step = /^\d+\./.exec(line);
      return step === null ? [] : [`step ${step[0]}`];
    });
}

const links = (text: string): string[] => [...withoutCode(text).matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to ?? "");
const words = (text: string): string[] => [...withoutCode(text).matchAll(/`([^`\n]+)`/g)].map(([, word]) => word ?? "");

test("commands and output are the same in both", () => {
  expect(codeBlocks(english).length).toBeGreaterThan(3);
  expect(codeBlocks(chinese)).toEqual(codeBlocks(english));
});

test("sections, tables and steps are the same in both", () => {
  expect(skeleton(chinese)).toEqual(skeleton(english));
});

/** The page in the reader's language where there is one; anchors are of the English page. */
const inChinese = (to: string): string => {
  const page = to.replace(/\.md$/, ".zh-CN.md");
  return existsSync(new URL(`../${page}`, import.meta.url)) ? page : to;
};

test("links and the words in code are the same in both", () => {
  const [first, ...others] = links(english);
  expect(first).toBe("README.zh-CN.md");
  expect(links(chinese)).toEqual(["README.md", ...others.map(inChinese)]);
  expect(words(chinese).sort()).toEqual(words(english).sort());
});
