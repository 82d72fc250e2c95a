import { expect, test } from "vitest";
import { applyFixes, BYTE_ORDER_MARK, diffOf, type Fix } from "./fix.ts";
import { whatMustNotChange } from "./fix-guard.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const PATH = "/k.conf";
const load = (text: string) => loadConfig(memorySource({ [PATH]: text }), PATH);
const instance = (lines: string): string =>
  `vrrp_instance VI {\n  interface eth0\n  virtual_router_id 1\n${lines}\n  virtual_ipaddress {\n    192.0.2.1\n  }\n}\n`;

function fixed(text: string): string {
  const fixes = load(text).diagnostics.flatMap(({ fix }) => (fix?.safe === true ? [fix] : []));
  const result = applyFixes(text, fixes);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

test.each([
  [
    "a misspelt harmless keyword",
    "global_defs {\n  routr_id db1 # me\n}\n",
    "global_defs {\n  router_id db1 # me\n}\n",
  ],
  ["a byte order mark", `${BYTE_ORDER_MARK}global_defs {\r\n}\r\n`, "global_defs {\r\n}\r\n"],
  ["words behind a value", instance("  priority 150  high   up # why"), instance("  priority 150 # why")],
  ["a value that is adjusted", instance("  version 2\n  advert_int 1.4"), instance("  version 2\n  advert_int 1")],
  ["an old name", instance("  vmac_garp_intvl 30"), instance("  garp_extra_if 30")],
  [
    "old words of a route",
    instance("  virtual_routes {\n    203.0.113.0/24 gw 192.0.2.254 dev eth0 rto_min 50ms\n  }"),
    instance("  virtual_routes {\n    203.0.113.0/24 via 192.0.2.254 dev eth0 rto_min 200ms\n  }"),
  ],
])("%s is corrected, and nothing is left of it", (_, text, corrected) => {
  expect(fixed(text)).toBe(corrected);
  expect(load(corrected).diagnostics.filter(({ fix }) => fix?.safe === true)).toEqual([]);
});

test.each([
  ["priority", instance("  priorty 150")],
  ["the state", instance("  state MASTR")],
  ["authentication", instance("  authentication {\n    auth_typ PASS\n    auth_pass secret12\n  }")],
  ["an address", instance("  virtual_ipadress {\n    192.0.2.2\n  }")],
  ["a password's line", instance("  authentication {\n    auth_type PASS\n    auth_pass secret12 more\n  }")],
  ["a keyword that was to count", instance("  priority 150 nopreempt")],
  ["a script", instance("  notify_mastr /bin/true")],
  ["what a definition wrote", `$WORD=routr_id\nglobal_defs {\n  $WORD db1\n}\n`],
])("%s is left alone", (_, text) => {
  expect(fixed(text)).toBe(text);
});

test("a person is offered the near keyword that is not made by itself", () => {
  const [one] = load(instance("  priorty 150")).diagnostics.filter(({ code }) => code === "unknown-keyword");
  expect(one?.fix).toMatchObject({ expected: "priorty", replacement: "priority", safe: false });
});

const fix = (column: number, expected: string): Fix => ({
  span: { file: PATH, line: 1, column, length: expected.length },
  expected,
  replacement: "x",
  safe: true,
});

test("corrections that meet, or whose place has changed, are refused; the same one twice is one", () => {
  expect(applyFixes("abcdef", [fix(1, "abc"), fix(3, "cd")])).toEqual({
    ok: false,
    error: "two corrections meet in line 1",
  });
  expect(applyFixes("abxdef", [fix(1, "abc")]).ok).toBe(false);
  expect(applyFixes("abcdef", [fix(4, "def"), fix(1, "abc"), fix(1, "abc")])).toEqual({ ok: true, value: "xx" });
});

test("a diff shows no secret", () => {
  expect(diffOf("/k", "auth_pass secret12\nb", "auth_pass secret13\nb").join("\n")).toBe(
    "--- /k\n+++ /k\n@@ -1 +1 @@\n-auth_pass ********\n+auth_pass ********",
  );
});

test("the guard sees another priority, password, address and tracker", () => {
  const base = instance("  priority 100").concat("");
  const seen = (lines: string): string | null => whatMustNotChange(load(base).config, load(instance(lines)).config);
  expect(seen("  priority 100\n  garp_master_delay 3")).toBeNull();
  expect(seen("  priority 101")).toBe("priority of VI");
  expect(seen("  priority 100\n  virtual_ipaddress {\n  192.0.2.7\n}")).toBe("advertised of VI");
  expect(seen("  priority 100\n  authentication {\n  auth_type PASS\n  auth_pass a\n}")).toBe("authentication of VI");
  expect(seen("  priority 100\n  track_interface {\n  eth1\n}")).toBe("trackInterfaces of VI");
});
