import { expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import type { HoldfastConfig } from "../config/model.ts";
import { emptyCounters, type VrrpInstanceStatus } from "../vrrp/status.ts";
import { renderParentData, renderVrrpData } from "./data.ts";
import { dumpFiles } from "./files.ts";
import type { DumpInput } from "./input.ts";
import { renderJson } from "./json.ts";
import { renderStats } from "./stats.ts";

const TEXT = `
global_defs {
  router_id db1
  GLOBAL
}
vrrp_script chk {
  script "/usr/bin/mysqladmin -psecret status"
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority 100
  authentication {
    auth_type PASS
    auth_pass s3cr3t
  }
  virtual_ipaddress {
    10.9.0.100/24
  }
  track_script {
    chk
  }
  notify_master "/usr/bin/notify --password=hidden up"
}
`;

function configOf(global = ""): HoldfastConfig {
  const text = TEXT.replace("GLOBAL", global);
  return loadConfig(memorySource({ "/k.conf": text }, { hasInterface: () => true }), "/k.conf").config;
}

function inputOf(config: HoldfastConfig, status: Partial<VrrpInstanceStatus> = {}): DumpInput {
  const [instance] = config.instances;
  return {
    config,
    instances: [
      {
        name: instance?.vrrp.name ?? "",
        interface: "eth0",
        virtualRouterId: 51,
        version: 2,
        state: "MASTER",
        phase: "MASTER",
        cause: { code: "ready" },
        since: 10_000_000,
        basePriority: 100,
        priority: 100,
        faults: [],
        syncGroup: null,
        wantsMaster: false,
        addresses: [],
        holding: true,
        leaseUntil: null,
        master: null,
        source: null,
        ahSequence: null,
        timers: { deadline: 12_000_000, masterDown: 3_609_375, masterAdvertInterval: 1_000_000 },
        counters: {
          ...emptyCounters(),
          advertsSent: 3,
          drops: { ttl: 4, truncated: 1, length: 2, "auth-fail": 5, "auth-type": 6, interval: 7, "address-list": 8 },
        },
        ...status,
      },
    ],
    checks: [{ key: "chk", standing: { kind: "ok" }, running: false }],
    trackers: { files: {}, processes: {} },
    interfaces: [],
    accounts: { users: new Map([["daemon", { uid: 1, gid: 2 }]]), groups: new Map([["adm", 4]]) },
    hostName: "db1.example",
    umask: 0o177,
    // 1795646475.903040 is Wed Nov 25 22:41:15.903040 2026 in UTC.
    now: { at: 11_000_000, wall: 1_795_646_476_903_040, utcOffsetMinutes: 0 },
  };
}

test("moments, timers and addresses are written as keepalived writes them", () => {
  const lines = renderVrrpData(inputOf(configOf())).split("\n");
  expect(lines).toContain("   Last transition = 1795646475.903040 (Wed Nov 25 22:41:15.903040 2026)");
  expect(lines).toContain("   Read timeout = 1795646477.903040 (Wed Nov 25 22:41:17.903040 2026)");
  expect(lines).toContain("   Master down timer = 3609375 usecs");
  expect(lines).toContain("     10.9.0.100/24 dev eth0 scope global set");
  expect(lines).toContain("   Advert interval = 1 sec");
});

test("what waits for nothing has no read timeout, and a BACKUP names its master", () => {
  const fault = renderVrrpData(
    inputOf(configOf(), { state: "FAULT", timers: { deadline: null, masterDown: 1, masterAdvertInterval: 1 } }),
  );
  expect(fault).toContain("   Read timeout = DISABLED\n");
  const master = { source: "10.9.0.2" as never, priority: 150, heardAt: 0 };
  const backup = renderVrrpData(inputOf(configOf(), { state: "BACKUP", holding: false, master }));
  expect(backup).toContain("   Master router = 10.9.0.2\n   Master priority = 150\n");
  expect(backup).toContain("     10.9.0.100/24 dev eth0 scope global\n");
});

test("no secret is in any dump", () => {
  const input = inputOf(configOf("json_version 2"));
  const dumps = [renderParentData(input), renderVrrpData(input), renderJson(input), renderStats(input)].join("\n");
  for (const secret of ["s3cr3t", "-psecret", "hidden"]) expect(dumps).not.toContain(secret);
  expect(dumps).toContain("SIMPLE_PASSWORD");
});

test("json_version 2 wraps the list of version 1", () => {
  const one = JSON.parse(renderJson(inputOf(configOf())));
  const two = JSON.parse(renderJson(inputOf(configOf("json_version 2"))));
  expect(Array.isArray(one)).toBe(true);
  expect(two).toEqual({ vrrp: one });
  expect(one[0].data).toMatchObject({
    iname: "VI_1",
    state: 2,
    vipset: true,
    last_transition: 1_795_646_475.90304,
    adver_int: 1,
  });
});

test("drops are counted under keepalived's names", () => {
  const [entry] = JSON.parse(renderJson(inputOf(configOf())));
  expect(entry.stats).toEqual({
    advert_rcvd: 0,
    advert_sent: 3,
    become_master: 0,
    release_master: 0,
    packet_len_err: 3,
    advert_interval_err: 7,
    ip_ttl_err: 4,
    invalid_type_rcvd: 0,
    addr_list_err: 8,
    invalid_authtype: 0,
    authtype_mismatch: 6,
    auth_failure: 5,
    pri_zero_rcvd: 0,
    pri_zero_sent: 0,
  });
  expect(renderStats(inputOf(configOf()))).toContain("  Packet Errors:\n    Length: 3\n    TTL: 4\n");
});

test("an instance that the keeper does not know yet is in no dump", () => {
  const input = { ...inputOf(configOf()), instances: [] };
  expect(renderJson(input)).toBe("[]");
  expect(renderStats(input)).toBe("");
  expect(renderVrrpData(input)).not.toContain("VRRP Instance =");
});

test("the files are keepalived's unless the configuration names others", () => {
  const place = (global: string) => ({
    settings: configOf(global).global.dumps,
    folder: "/tmp",
    instance: "foo",
    namespace: "ns",
  });
  expect(dumpFiles(place(""))).toEqual({
    parent: "/tmp/keepalived_parent.data",
    data: "/tmp/keepalived.data",
    stats: "/tmp/keepalived.stats",
    json: "/tmp/keepalived.json",
  });
  expect(dumpFiles(place("data_use_instance"))).toMatchObject({
    parent: "/tmp/keepalived_parent.ns.foo.data",
    data: "/tmp/keepalived.ns.foo.data",
    stats: "/tmp/keepalived.stats",
  });
  const named = "state_dump_file /run/x.d/state.txt\n stats_dump_file /run/stats\n json_dump_file /run/k.json";
  expect(dumpFiles(place(named))).toEqual({
    parent: "/run/x.d/state_parent.txt",
    data: "/run/x.d/state.txt",
    stats: "/run/stats",
    json: "/run/k.json",
  });
  expect(dumpFiles(place("state_dump_file /run/x.d/state")).parent).toBe("/run/x.d/state_parent");
});
