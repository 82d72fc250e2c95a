import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const INSTANCE = `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  LINE
  virtual_ipaddress {
    192.0.2.1
  }
}
`;

const source = (text: string) =>
  memorySource(
    { "/k.conf": text },
    { hasInterface: (name) => ["eth0", "bond0"].includes(name), interfaces: () => ["lo", "eth0", "bond0"] },
  );

function found(line: string, before = "") {
  const text = before + INSTANCE.replace("LINE", line);
  return loadConfig(source(text), "/k.conf").diagnostics.map(({ message, remedy }) => `${message}: ${remedy}`);
}

test.each([
  ["state MASTRE", "did you mean `MASTER`?"],
  ["stat MASTER", "did you mean `state`?"],
  ["dont_track_primry", "did you mean `dont_track_primary`?"],
  ["lower_prio_no_advert flase", "did you mean `false`?"],
  ["track_interface {\n bondo\n}", "did you mean `bond0`, which exists?"],
  ["track_script {\n chk_mysq\n}", "did you mean `chk_mysql`?"],
])("%j", (line, remedy) => {
  const check = 'vrrp_script chk_mysql {\n script "/usr/bin/true"\n}\n';
  expect(found(line, check)).toContainEqual(expect.stringContaining(remedy));
});

test.each([
  ["virtual_router_id 0", "1 to 255"],
  ["virtual_router_id 256", "1 to 255"],
  ["priority 0", "1 to 255"],
  ["advert_int 99999", "0.01 to 255"],
  ["version 4", "2 to 3"],
  ["down_timer_adverts 0", "1 to 100"],
])("%s names the valid range", (line, range) => {
  const [keyword] = line.split(" ");
  const message = new RegExp(`\`${keyword}.* outside the valid range .*${range} and ignored`);
  expect(found(line)).toContainEqual(expect.stringMatching(message));
});

test("what resembles nothing gets no guess", () => {
  for (const line of ["state SOMETHING", "frobnicate 1"]) {
    expect(found(line).some((text) => text.includes("did you mean"))).toBe(false);
  }
});

test.each(["\u00A0priority 5", "priority\u00A05", "prio\u200Brity 5"])(
  "%j: a character that only looks like a space is named",
  (line) => {
    expect(found(line)).toContainEqual(expect.stringMatching(/type the line anew: it holds U\+(00A0|200B)/));
  },
);
