import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";
import type { ConfigSource } from "./source.ts";

const INSTANCE = "nopreempt\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n";

function loaded(block: string, tracked = "orders", files: Readonly<Record<string, string>> = {}, mode = 0o600) {
  const text = `mysql orders {\n${block}\n}\nvrrp_instance V {\n${INSTANCE}track_mysql {\n${tracked}\n}\n}\n`;
  const script: ConfigSource["script"] = (path) => ({
    path,
    file: { kind: "file", mode, uid: 0, gid: 0 },
    writableByOthers: null,
  });
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text, ...files }, { script }), "/k.conf");
  return {
    server: config.mysql[0],
    vrrp: config.instances[0]?.vrrp,
    diagnostics: diagnostics.map(({ code }) => code),
    texts: diagnostics,
  };
}

test("an empty block is a server at its usual place, looked at every second", () => {
  const { server, diagnostics } = loaded("");
  expect(diagnostics).toEqual([]);
  expect(server).toMatchObject({
    name: "orders",
    address: { socket: null, host: "127.0.0.1", port: 3306, reservedPort: null },
    credentials: null,
    tls: { mode: "off" },
    interval: 1_000_000,
    rise: 1,
    fall: 2,
    rules: { readOnly: "ignore", brokenReplication: "standby", lag: "standby", maxLag: 30, minDiskFree: 1 },
  });
});

test("server, socket, credentials and rules are read; defaults_file is the same as credentials", () => {
  const files = { "/c": "[client]\nuser=check\npassword=x\n" };
  const block =
    "server 192.0.2.9 3307\nsocket /run/s.sock\ndefaults_file /c\nmax_lag 5\non_lag fail\non_read_only fail\ntls verify-ca";
  const { server, diagnostics } = loaded(block, "orders", files);
  expect(diagnostics).toEqual([]);
  expect(server).toMatchObject({
    address: { socket: "/run/s.sock", host: "192.0.2.9", port: 3307 },
    credentials: "/c",
    tls: { mode: "verify-ca" },
    rules: { lag: "fail", readOnly: "fail", maxLag: 5 },
  });
});

test("a credentials file that others may read is an error with its remedy, and the check stays", () => {
  const { server, vrrp, diagnostics, texts } = loaded(
    "credentials /c",
    "orders",
    { "/c": "[client]\npassword=Zq7\n" },
    0o640,
  );
  expect(diagnostics).toEqual(["credentials-unusable"]);
  expect(JSON.stringify(texts)).toContain("chmod 0600 /c");
  expect(JSON.stringify(texts)).not.toContain("Zq7");
  expect(server?.credentials).toBe("/c");
  expect(vrrp?.trackMysql).toEqual([{ key: "orders", weight: 0, reverse: false }]);
});

test("a credentials file that is not there, or includes another, is an error", () => {
  expect(loaded("credentials /none").diagnostics).toEqual(["credentials-unusable"]);
  expect(loaded("credentials /c", "orders", { "/c": "!include /d\n" }).diagnostics).toEqual(["credentials-unusable"]);
});

test("mistakes are named: a port that is none, a word too many, a choice that is none, a server nobody defined", () => {
  expect(loaded("server 127.0.0.1 99999").diagnostics).toEqual(["bad-value"]);
  expect(loaded("server 127.0.0.1 3306 3307").diagnostics).toEqual(["extra-argument"]);
  expect(loaded("on_lag perhaps").diagnostics).toEqual(["bad-value"]);
  expect(loaded("", "order").diagnostics).toEqual(["unknown-tracked", "unused-tracker"]);
});

test("verify-identity needs a name to compare", () => {
  expect(loaded("server db1.example\ntls verify-identity").diagnostics).toEqual([]);
  expect(loaded("server 192.0.2.9\ntls verify-identity").diagnostics).toEqual(["bad-value"]);
  expect(loaded("server ::1\ntls verify-identity").diagnostics).toEqual(["bad-value"]);
  expect(loaded("server db1\nsocket /s\ntls verify-identity").diagnostics).toEqual(["bad-value"]);
});

test("a weight moves the priority", () => {
  expect(loaded("", "orders weight -30 reverse").vrrp?.trackMysql).toEqual([
    { key: "orders", weight: -30, reverse: true },
  ]);
});

test("a sync group tracks for every member", () => {
  const text = `mysql m {\n}\n${["A", "B"].map((name, at) => `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${at + 1}\nvirtual_ipaddress {\n192.0.2.${at + 1}\n}\n}`).join("\n")}\nvrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_mysql {\nm\n}\n}\n`;
  const { config } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  expect(config.instances.map(({ vrrp }) => vrrp.trackMysql.map(({ key }) => key))).toEqual([["m"], ["m"]]);
});

function managed(block: string, lines = "manage_mysql orders") {
  const text = `mysql orders {\n${block}\n}\nvrrp_instance V {\n${INSTANCE}${lines}\n}\n`;
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  return { config, diagnostics: diagnostics.map(({ code }) => code), texts: diagnostics.map(({ message }) => message) };
}

test("a managed server is tracked, and both gates are as long as preparing and closing it may take", () => {
  const { config, diagnostics } = managed("peer 192.0.2.2\npeer 192.0.2.3 3307\ntakeover_deadline 5");
  expect(diagnostics).toEqual(["managed-policy"]);
  const [instance] = config.instances;
  expect(instance?.managesMysql).toBe("orders");
  expect(instance?.vrrp).toMatchObject({
    trackMysql: [{ key: "orders", weight: 0, reverse: false }],
    claimGate: { timeout: 8_000_000 },
    releaseGate: { timeout: 4_000_000 },
  });
  expect(config.mysql[0]?.group).toEqual({
    peers: [
      { socket: null, host: "192.0.2.2", port: 3306, reservedPort: null },
      { socket: null, host: "192.0.2.3", port: 3307, reservedPort: null },
    ],
    replicas: [],
    knownAs: null,
    policy: "balanced",
    takeoverDeadline: 5_000_000,
    recordPosition: null,
    replication: "auto",
    ring: true,
    replicationCredentials: null,
    eventsFollow: false,
    mysqlbinlog: null,
    reseed: { stop: null, start: null, copy: null },
  });
});

test("a hook beside it has its own time in the gate", () => {
  const { config } = managed("peer 192.0.2.2", 'manage_mysql orders\nnotify_claim "/bin/true"\nclaim_timeout 4');
  expect(config.instances[0]?.vrrp.claimGate).toEqual({ timeout: 17_000_000 });
});

test("an instance whose managed server is not defined does not serve", () => {
  const { config, diagnostics } = managed("peer 192.0.2.2", "manage_mysql order");
  expect(config.instances).toEqual([]);
  expect(diagnostics).toContain("unknown-managed");
});

test("an instance does not serve without what a misspelt keyword of its safety was meant to be", () => {
  for (const line of [
    "manage_mysq orders",
    "manages_mysql orders",
    "auth_hmc {\nactive_key 1\n}",
    "notfy_claim /bin/true",
  ]) {
    const { config, diagnostics } = managed("peer 192.0.2.2", line);
    expect(config.instances, line).toEqual([]);
    expect(diagnostics).toContain("safety-misspelt");
  }
  // What keepalived leaves out and goes on without is left out here as well.
  expect(managed("peer 192.0.2.2", "manage_mysql orders\nnopreemt").config.instances).toHaveLength(1);
  expect(managed("peer 192.0.2.2", "notify_maste /bin/true").config.instances).toHaveLength(1);
});

test.each(["polcy consistency", "policy consistent", "takeover_deadline 0", "per 192.0.2.3", "peer"])(
  "an instance does not manage a block with the line `%s`, and one that only tracks it runs",
  (line) => {
    const { config, diagnostics } = managed(`peer 192.0.2.2\n${line}`);
    expect(config.instances).toEqual([]);
    expect(diagnostics).toContain("managed-flawed");
    expect(managed(`peer 192.0.2.2\n${line}`, "track_mysql {\norders\n}").config.instances).toHaveLength(1);
  },
);

test("no peer, and what each policy means, are said", () => {
  expect(managed("").diagnostics).toEqual(["managed-alone", "managed-policy"]);
  const said = (policy: string): string => managed(`peer 192.0.2.2\npolicy ${policy}`).texts.join();
  expect(said("availability")).toContain("may be alive behind a cut");
  expect(said("balanced")).toContain("while the gateway answers");
  expect(said("consistency")).toContain("no takeover from a peer that is silent");
});

test("replicas, and how they find this server; one that may become the writer is none", () => {
  const { config, diagnostics } = managed(
    "peer 192.0.2.2\nreplica 192.0.2.3\nreplica 192.0.2.4 3307\nknown_as db1.example 3308",
  );
  expect(config.mysql[0]?.group).toMatchObject({
    replicas: [
      { host: "192.0.2.3", port: 3306 },
      { host: "192.0.2.4", port: 3307 },
    ],
    knownAs: { host: "db1.example", port: 3308 },
  });
  expect(diagnostics).toEqual(["managed-policy"]);
  expect(managed("peer 192.0.2.2\nreplica 192.0.2.2").diagnostics).toContain("replica-is-peer");
});

test("a peer that is no other server, and an address that comes back by priority, are told", () => {
  expect(managed("server 192.0.2.9\npeer 192.0.2.9").diagnostics).toContain("peer-is-own");
  expect(managed("peer 192.0.2.1").diagnostics).toContain("peer-is-own");
  expect(managed("peer 192.0.2.2", "manage_mysql orders\npreempt").diagnostics).toContain("managed-preempts");
});
