import { expect, test } from "vitest";
import { completionsAt, hoverAt } from "./editor.ts";

/** The bar is the place. */
function at(text: string): { lines: readonly string[]; place: { line: number; column: number } } {
  const lines = text.split("\n");
  const line = lines.findIndex((one) => one.includes("|"));
  const column = (lines[line] ?? "").indexOf("|") + 1;
  return { lines: lines.map((one) => one.replace("|", "")), place: { line: line + 1, column } };
}

const hover = (text: string) => hoverAt(at(text).lines, at(text).place);
const labels = (text: string) => completionsAt(at(text).lines, at(text).place).map(({ label }) => label);

test("hover tells what a keyword takes where it stands", () => {
  const found = hover("vrrp_instance VI {\n  prio|rity 150 # note\n}");
  expect(found).toMatchObject({ column: 3, length: 8 });
  expect(found?.markdown).toContain("**priority** N, a whole number from");
  expect(found?.markdown).toContain("in `vrrp_instance`");
  expect(hover("vrrp_|instance VI {")?.markdown).toContain("outside of every block");
});

test("hover is silent on values, unknown words, comments and free lines", () => {
  for (const text of [
    "router_id |db",
    "glob|al",
    "# global_d|efs",
    "vrrp_instance V {\nvirtual_ipaddress {\n192.0|.2.1\n}",
  ])
    expect(hover(text)).toBeNull();
});

test("keywords are proposed by block, also behind a block that is closed, and on one line with its brace", () => {
  expect(labels("|")).toContain("vrrp_instance");
  expect(labels("vrrp_instance VI {\n  pri|\n}")).toContain("priority");
  expect(labels("vrrp_instance VI {\n  |\n}")).not.toContain("vrrp_instance");
  expect(labels("vrrp_instance VI {\n  authentication {\n    auth_type PASS\n  }\n  |")).toContain("priority");
  expect(labels("vrrp_instance VI {\n  authentication { auth_t|")).toContain("auth_type");
  expect(labels("}\n}\nglobal_defs {\n|")).toContain("router_id");
});

test("values are proposed where there are only so many", () => {
  expect(labels("vrrp_instance VI {\n  state |")).toEqual(["MASTER", "BACKUP"]);
  expect(labels("vrrp_instance VI {\n  state MASTER |")).toEqual([]);
  expect(labels("vrrp_instance VI {\n  state M|")).toEqual(["MASTER", "BACKUP"]);
  expect(labels("vrrp_instance VI {\n  priority 1|")).toEqual([]);
  expect(labels("vrrp_instance VI {\n  # sta|")).toEqual([]);
});
