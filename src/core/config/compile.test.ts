import { expect, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { DEFAULT_RECEIVE, unicastTransport } from "../vrrp/config.ts";
import { renderDiagnostic } from "./diagnostics.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";
import type { ConfigSource } from "./source.ts";

function load(text: string, overrides: Partial<ConfigSource> = {}) {
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }, overrides), "/k.conf");
  return {
    config,
    vrrp: config.instances[0]?.vrrp,
    instance: config.instances[0],
    codes: diagnostics.map((one) => one.code),
    diagnostics,
  };
}

function instance(body: string, globals = ""): string {
  const head = globals === "" ? "" : `global_defs {\n${globals}\n}\n`;
  return `${head}vrrp_instance A {\n interface eth0\n virtual_router_id 7\n${body}\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n`;
}

test("defaults are keepalived's", () => {
  expect(load(instance("")).vrrp).toMatchObject({
    version: 2,
    priority: 100,
    advertInterval: 1_000_000,
    initialState: "BACKUP",
    preempt: true,
    preemptDelay: 0,
    downTimerAdverts: 3,
    authentication: { kind: "none" },
    transport: { kind: "multicast", group: "224.0.0.18" },
    sourceAddress: null,
    dontTrackPrimary: false,
    lowerPrioNoAdvert: false,
    // Ours is on: the winner of an election announces itself last.
    higherPrioSendAdvert: true,
    ownerIgnoreAdverts: false,
    v3ChecksumAsV2: false,
    authHmac: null,
    receive: DEFAULT_RECEIVE,
    releaseGate: null,
    leaseSeconds: 2,
  });
});

test("state MASTER without priority is the owner, and clears nopreempt and preempt_delay", () => {
  const { vrrp, codes } = load(instance("state MASTER\nnopreempt\npreempt_delay 5"));
  expect(vrrp).toMatchObject({ priority: 255, initialState: "MASTER", preempt: true, preemptDelay: 0 });
  expect(codes).toEqual(["master-clears-nopreempt", "master-clears-nopreempt"]);
});

test("priority 255 without state starts as MASTER, with state BACKUP it does not", () => {
  expect(load(instance("priority 255")).vrrp?.initialState).toBe("MASTER");
  expect(load(instance("priority 255\nstate BACKUP")).vrrp?.initialState).toBe("BACKUP");
});

test.each([
  ["advert_int 1.6", 2_000_000],
  ["advert_int 0.2", 1_000_000],
  ["version 3\nadvert_int 0.254", 250_000],
  ["version 3\nadvert_int 60", 40_950_000],
])("%s is rounded to what the packet can carry, with a warning", (body, expected) => {
  const { vrrp, codes } = load(instance(body));
  expect(vrrp?.advertInterval).toBe(expected);
  expect(codes).toContain("adjusted");
});

test("auth_pass is cut to eight bytes, and the warning does not show it", () => {
  const { vrrp, diagnostics } = load(instance("authentication {\nauth_type PASS\nauth_pass s3cretpwXX\n}"));
  expect(vrrp?.authentication).toEqual({ kind: "pass", password: [...Buffer.from("s3cretpw")] });
  expect(diagnostics).toMatchObject([{ code: "auth-too-long", severity: "warning" }]);
  expect(diagnostics[0]?.message).not.toContain("s3cret");
});

test("an instance without virtual_router_id or interface is left out with an error, the others stay", () => {
  const { config, codes } = load(
    `vrrp_instance X {\n interface eth0\n}\nvrrp_instance Y {\n virtual_router_id 1\n}\n${instance("")}`,
  );
  expect(config.instances.map((one) => one.vrrp.name)).toEqual(["A"]);
  expect(codes).toEqual(expect.arrayContaining(["missing-vrid", "missing-interface"]));
});

test("an instance on the loopback interface is left out, and all that is wrong with it is told", () => {
  const { config, diagnostics } = load(`vrrp_instance X {\n interface lo\n priority 300\n}\n${instance("")}`);
  expect(config.instances.map((one) => one.vrrp.name)).toEqual(["A"]);
  expect(diagnostics.map(({ code, span }) => [code, span?.line])).toEqual(
    expect.arrayContaining([
      ["missing-vrid", 1],
      ["loopback-interface", 2],
      ["out-of-range", 3],
    ]),
  );
});

test("mail that nobody gets, or that no server takes, is told", () => {
  const nobody = load(`global_defs {\n notification_email {\n }\n smtp_server localhost smtp\n}\n${instance("")}`);
  expect(nobody.codes).toEqual(["no-mail-recipient", "bad-value"]);
  const noServer = load(`global_defs {\n notification_email {\n a@b.example\n }\n}\n${instance("")}`);
  expect(noServer.codes).toEqual(["no-mail-server"]);
  expect(noServer.config.global.mail).toBeNull();
});

test("two instances with one virtual_router_id on one interface: the second is left out", () => {
  const { config, codes } = load(instance("") + instance("").replace("vrrp_instance A", "vrrp_instance B"));
  expect(config.instances).toHaveLength(1);
  expect(codes).toEqual(["duplicate-vrid"]);
});

test("instances inherit global_defs wherever it stands", () => {
  const globals =
    "global_defs {\nvrrp_version 3\nvrrp_garp_master_delay 1\nvrrp_garp_master_repeat 2\nvrrp_down_timer_adverts 5\nvrrp_mcast_group4 224.0.0.99\nvrrp_lower_prio_no_advert\n}\n";
  expect(load(instance("garp_master_delay 3") + globals).vrrp).toMatchObject({
    version: 3,
    downTimerAdverts: 5,
    lowerPrioNoAdvert: true,
    transport: { group: "224.0.0.99" },
    garp: { delay: 3_000_000, repeat: 2, lowerPrioDelay: 3_000_000, lowerPrioRepeat: 2 },
  });
});

test("unicast peers replace the multicast group", () => {
  const { vrrp } = load(instance("unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n10.0.0.3\n}\ncheck_unicast_src"));
  expect(vrrp).toMatchObject({
    sourceAddress: "10.0.0.1",
    transport: unicastTransport(["10.0.0.2", "10.0.0.3"] as IpAddress[], { checkSource: true }),
  });
});

test("options of an address line", () => {
  const { vrrp } = load(instance("").replace("192.0.2.1", "192.0.2.10/24 brd + dev eth1 scope site label eth1:0"));
  expect(vrrp?.advertised).toEqual([
    { address: "192.0.2.10", prefixLength: 24, device: "eth1", broadcast: "192.0.2.255", label: "eth1:0", scope: 200 },
  ]);
});

test("a script must stand above the instance that tracks it", () => {
  const script = 'vrrp_script chk {\n script "/bin/c"\n timeout 1\n}\n';
  const tracking = instance("track_script {\nchk weight -10 reverse\n}");
  expect(load(script + tracking).vrrp?.trackScripts).toEqual([{ key: "chk", weight: -10, reverse: true }]);
  const later = load(tracking + script);
  expect(later.vrrp?.trackScripts).toEqual([]);
  expect(later.codes).toContain("unknown-script");
});

test("a script that runs per instance is tracked under the instance's name", () => {
  const script = 'vrrp_script chk {\n script "/bin/c"\n per_instance\n weight 4\n}\n';
  expect(load(script + instance("track_script {\nchk\n}")).vrrp?.trackScripts).toEqual([
    { key: "chk@A", weight: 4, reverse: false },
  ]);
});

test("hooks keep their words apart from user and group", () => {
  const { instance: one } = load(instance("notify_master \"/bin/n 'a b' c\" redis :redis\nnotify /bin/n"));
  expect(one?.hooks.notify_master).toMatchObject({
    argv: ["/bin/n", "a b", "c"],
    user: "redis",
    group: "redis",
    text: "/bin/n 'a b' c",
  });
  expect(one?.hooks.notify).toMatchObject({ argv: ["/bin/n"], user: null });
});

test("gates exist when their hooks do, with their time limits", () => {
  const { vrrp } = load(instance("notify_claim /bin/c\nnotify_release /bin/r\nrelease_timeout 2"));
  expect(vrrp).toMatchObject({ claimGate: { timeout: 10_000_000 }, releaseGate: { timeout: 2_000_000 } });
});

test.each([
  ["vip_lease off", null],
  ["vip_lease 9", 9],
  ["advert_int 5", 14],
])("%s", (body, expected) => {
  expect(load(instance(body)).vrrp?.leaseSeconds).toBe(expected);
});

test.each([
  ["fence strict", 2_000_000],
  ["fence strict\nvip_lease off", 2_980_000],
  ["fence srtict", 2_000_000],
  ["fence off", null],
  ["", null],
])("%s", (body, expected) => {
  expect(load(instance(body)).vrrp?.fenceSpan).toBe(expected);
});

test("an instance whose fence is probably misspelt does not serve without it", () => {
  const { vrrp, codes } = load(instance("fense strict"));
  expect([vrrp, codes.includes("safety-misspelt")]).toEqual([undefined, true]);
});

test("a fence closes the gap that a whole-second lease leaves, and is warned about where it cannot", () => {
  expect(load(instance("version 3\nadvert_int 0.1\nfence strict")).diagnostics).toEqual([]);
  expect(load(instance("down_timer_adverts 1\nfence strict")).diagnostics).toMatchObject([
    { code: "fence-too-long", severity: "warning" },
  ]);
});

test("adverts too frequent for a whole-second lease are warned about", () => {
  expect(load(instance("version 3\nadvert_int 0.1")).diagnostics).toMatchObject([
    { code: "lease-too-long", severity: "warning" },
  ]);
});

test("a block that is not done is answered once, with the names of what is in it", () => {
  const { diagnostics } = load(`bfd_instance b {\n neighbor_ip 192.0.2.9\n source_ip 192.0.2.8\n}\n${instance("")}`);
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]?.message).toContain("neighbor_ip, source_ip");
});

test("script lint looks at the host: absent, not executable, writable by others", () => {
  const text = `global_defs {\nenable_script_security\n}\nvrrp_script c {\n script "/opt/c"\n timeout 1\n}\n${instance("track_script {\nc\n}")}`;
  const at = (script: ConfigSource["script"]) => load(text, { script }).codes;
  const file = { kind: "file", mode: 0o755, uid: 0, gid: 0 } as const;
  expect(at((path) => ({ path, file, writableByOthers: null }))).toEqual([]);
  expect(at((path) => ({ path, file: null, writableByOthers: null }))).toEqual(["script-not-found"]);
  expect(at((path) => ({ path, file: { ...file, mode: 0o644 }, writableByOthers: null }))).toEqual([
    "script-not-executable",
  ]);
  expect(at((path) => ({ path, file, writableByOthers: "/opt" }))).toEqual(["script-insecure"]);
});

const NO_FILE: Partial<ConfigSource> = { script: (path) => ({ path, file: null, writableByOthers: null }) };

test("what is wrong with a script is told at its keyword, whatever block that stands in", () => {
  const globals = [
    "startup_script /opt/a",
    "shutdown_script /opt/b",
    "notify_fifo /run/f",
    "notify_fifo_script /opt/c",
    "vrrp_notify_fifo /run/g",
    "vrrp_notify_fifo_script /opt/d",
  ];
  const script = "vrrp_script c {\n timeout 1\n script /opt/e\n}\n";
  const group = "vrrp_sync_group G {\n group {\n A\n B\n }\n notify_fault /opt/g\n}\n";
  const other = instance("").replace("A {", "B {").replace("_id 7", "_id 8").replace("2.1", "2.2");
  const text = `${script}${instance("notify_master /opt/f\ntrack_script {\nc\n}", globals.join("\n"))}${other}${group}`;
  const lines = text.split("\n");
  const { diagnostics } = load(text, NO_FILE);
  expect(diagnostics.map(({ code, span }) => [code, lines[(span?.line ?? 0) - 1]?.trim()])).toEqual([
    ["script-not-found", "script /opt/e"],
    ["script-not-found", "notify_master /opt/f"],
    ["script-not-found", "notify_fault /opt/g"],
    ["script-not-found", "startup_script /opt/a"],
    ["script-not-found", "shutdown_script /opt/b"],
    ["script-not-found", "notify_fifo_script /opt/c"],
    ["script-not-found", "vrrp_notify_fifo_script /opt/d"],
  ]);
  const security = load(instance("", "router_id x\nstartup_script /opt/a")).diagnostics;
  expect(security).toMatchObject([{ code: "script-security", span: { line: 3, column: 1 } }]);
});

test("a script_user that does not exist is told once, at its keyword, although no script or several need it", () => {
  const host = { hasUser: (name: string) => name === "root", hasGroup: () => false };
  const globals = "router_id x\nscript_user nobody2 nogroup2";
  for (const body of ["", "notify_master /opt/f\nnotify_fault /opt/g"]) {
    const { diagnostics } = load(instance(body, globals), host);
    expect(diagnostics).toMatchObject([
      { code: "unknown-user", span: { line: 3 }, message: "script_user: user nobody2 does not exist here" },
      { code: "unknown-user", span: { line: 3 }, message: "script_user: group nogroup2 does not exist here" },
    ]);
  }
  const own = load(instance("notify_master /opt/f nobody3", globals), host).diagnostics;
  expect(own.map(({ message }) => message)).toContain("notify_master of A: user nobody3 does not exist here");
});

test("hook_timeout leaves a claim its time: half of claim_timeout unless given, and a warning where it does not", () => {
  const security = "enable_script_security";
  const timeouts = (body: string) => {
    const { config, codes } = load(instance(body, security));
    return [config.instances[0]?.hookTimeout, codes];
  };
  expect(timeouts("")).toEqual([60_000_000, []]);
  expect(timeouts("notify_claim /c")).toEqual([5_000_000, []]);
  expect(timeouts("notify_claim /c\nclaim_timeout 30")).toEqual([15_000_000, []]);
  expect(timeouts("notify_claim /c\nhook_timeout 9.9")).toEqual([9_900_000, []]);
  expect(timeouts("notify_claim /c\nhook_timeout 10")).toEqual([10_000_000, ["hook-outlasts-claim"]]);
  expect(timeouts("hook_timeout 10")).toEqual([10_000_000, []]);
});

test("words after an unquoted check command are dropped as keepalived drops them, with a warning", () => {
  const { config, codes } = load(
    `vrrp_script c {\n script /bin/c -P 3306\n timeout 1\n}\n${instance("track_script {\nc\n}", "enable_script_security")}`,
  );
  expect(config.scripts[0]?.command.argv).toEqual(["/bin/c"]);
  expect(codes).toEqual(["extra-argument"]);
});

test.each(["auth_pass s3cretpwXX", "auth_pas s3cret", "auth_pass abc s3cret"])(
  "no message and no excerpt shows the secret of `%s`",
  (line) => {
    const text = instance(`authentication {\nauth_type PASS\n${line}\n}`);
    const { diagnostics, files } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
    const shown = diagnostics.map((one) => renderDiagnostic(one, files)).join("\n");
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(shown).toContain("auth_pas");
    expect(shown).not.toContain("s3cret");
  },
);

test("a flood of warnings stays a flood of warnings, and hides no error", () => {
  const many = Array.from({ length: 600 }, () => "enable_dbus").join("\n");
  const { diagnostics } = load(`${instance("", many)}nonsense\n`);
  expect(diagnostics.filter((one) => one.severity === "warning")).toHaveLength(501);
  expect(diagnostics.filter((one) => one.severity === "error").map((one) => one.code)).toEqual(["unknown-keyword"]);
});

test("addresses beyond 255 are carried but not advertised, because the advert counts them in one byte", () => {
  const lines = Array.from({ length: 257 }, (_, index) => `10.7.${index >> 8}.${index & 255}`).join("\n");
  const { vrrp, codes } = load(instance(`virtual_ipaddress {\n${lines}\n}`));
  expect(vrrp?.advertised).toHaveLength(255);
  expect(vrrp?.excluded.map((entry) => entry.address)).toEqual(["10.7.0.255", "10.7.1.0", "192.0.2.1"]);
  expect(codes).toContain("adjusted");
});

test("a vip_lease that would run out between two adverts is refused", () => {
  const { vrrp, codes } = load(instance("advert_int 5\nvip_lease 4"));
  expect(vrrp?.leaseSeconds).toBe(14);
  expect(codes).toContain("bad-value");
});

test("a processor that this host has not is told at its number, and is no error", () => {
  const { config, diagnostics } = load(instance("", "vrrp_cpu_affinity 0 7"), { hasProcessor: (number) => number < 2 });
  expect(diagnostics).toMatchObject([
    { code: "unknown-processor", severity: "warning", span: { line: 2, column: 21 } },
  ]);
  expect(config.global.keeper.processors).toEqual([0, 7]);
  expect(load(instance("", "vrrp_cpu_affinity 0 7")).codes).toEqual([]);
});
