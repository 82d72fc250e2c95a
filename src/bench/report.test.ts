import { expect, test } from "vitest";
import { parseResults, renderMarkdown, summarise, toResult } from "./report.ts";

test("a summary has the median of an even and an odd number of values", () => {
  expect(summarise([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(summarise([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test("what --json prints becomes a row of the table", () => {
  const result = toResult(
    "vrrp",
    { name: "keepalived", version: "2.2.7" },
    { case: "stop-1s", unit: "ms late", holdfast: [1, 2, 3], peer: [2, 4, 8] },
  );
  const lines = `progress\n${JSON.stringify(result)}\n`;
  expect(renderMarkdown(parseResults(lines)).split("\n")[2]).toBe(
    "| stop-1s | ms late | 3 | 2 (1-3) | 4 (2-8) | 0.5 |",
  );
});
