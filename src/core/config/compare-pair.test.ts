import { describe, expect, it } from "vitest";
import { budgetLines } from "./budget.ts";
import { comparePair } from "./compare-pair.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const BASE: Readonly<Record<string, string>> = {
  virtual_router_id: "82",
  priority: "100",
  advert_int: "5",
  auth: "authentication { auth_type PASS\n auth_pass 1111 }",
  address: "192.168.11.100",
  more: "nopreempt",
};

function file(changes: Readonly<Record<string, string>> = {}, name = "VI_82") {
  const { virtual_router_id, priority, advert_int, auth, address, more } = { ...BASE, ...changes };
  const text = `
vrrp_script chk { script "/bin/true"\n interval 60\n timeout 60 }
vrrp_instance ${name} {
  interface eth0
  virtual_router_id ${virtual_router_id}
  priority ${priority}
  advert_int ${advert_int}
  ${auth?.replace("{", "{\n").replace("}", "\n}")}
  ${more}
  track_script {\n chk\n }
  virtual_ipaddress {\n ${address}\n }
}`
    .replace("{ script", "{\n script")
    .replace("timeout 60 }", "timeout 60\n}");
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf", { lint: false }).config;
}

describe("the files of both hosts", () => {
  it.each([
    ["virtual_router_id", { virtual_router_id: "83" }, "pair-vrid"],
    ["advert_int", { advert_int: "1" }, "pair-interval"],
    ["version", { more: "nopreempt\nversion 3", auth: "" }, "pair-version"],
    ["auth_pass", { auth: "authentication { auth_type PASS\n auth_pass 2222 }" }, "pair-auth"],
    ["no authentication", { auth: "" }, "pair-auth"],
    ["addresses", { address: "192.168.11.101" }, "pair-addresses"],
    ["unicast", { more: "nopreempt\nunicast_peer {\n 192.168.11.81\n }" }, "pair-transport"],
    ["nopreempt", { more: "" }, "pair-preempt"],
  ])("differ in %s", (_, changes, code) => {
    const found = comparePair(file(), file({ priority: "90", ...changes }));
    expect(found.map((one) => one.code)).toContain(code);
    expect(JSON.stringify(found)).not.toMatch(/1111|2222/);
  });

  it("fit: different priorities are what they should differ in", () => {
    expect(comparePair(file(), file({ priority: "90" }))).toEqual([]);
    expect(comparePair(file(), file()).map(({ code }) => code)).toEqual(["pair-priority"]);
    expect(comparePair(file({ priority: "255" }), file({ priority: "255" })).map(({ code }) => code)).toEqual([
      "pair-owners",
    ]);
  });

  it("an instance of one host only is told in both directions", () => {
    const other = file({ virtual_router_id: "7" }, "VI_7");
    expect(comparePair(file(), other).map(({ code }) => code)).toEqual(["pair-missing", "pair-missing"]);
  });

  it("the budget is the RFC's: three adverts and the skew", () => {
    expect(budgetLines(file())).toEqual([
      "VI_82: a dead host is replaced after 15.61 s, one that stops in order after 0.61 s",
      "VI_82: a service that dies is given up 120 s later at most (check chk), and taken over 0.61 s after that",
    ]);
  });
});
