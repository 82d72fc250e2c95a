import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const PAIR = `vrrp_script vs_mysql_82 {
    script "/etc/keepalived/checkMySQL.py -h 127.0.0.1 -P 3306"
    interval 60
}
vrrp_instance VI_82 {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 82
    priority 100
    advert_int 5
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    track_script {
       vs_mysql_82
    }
    virtual_ipaddress {
        192.168.11.100
    }
}
`;

test.each(["__proto__", "constructor", "toString"])(
  "a block called %s is an unknown keyword like any other",
  (name) => {
    const { diagnostics } = loadConfig(memorySource({ "/k.conf": `${name} {\n}\n${PAIR}` }), "/k.conf");
    expect(diagnostics.map(({ code }) => code)).toContain("unknown-keyword");
  },
);

test("an administrator's file for a database pair compiles unmodified", () => {
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": PAIR }), "/k.conf");
  // keepalived calls this a security violation, and runs.
  expect(diagnostics.filter((one) => one.severity !== "info").map((one) => one.code)).toEqual(["script-security"]);
  expect(config.scripts).toMatchObject([
    {
      name: "vs_mysql_82",
      interval: 60_000_000,
      timeout: 60_000_000,
      weight: 0,
      rise: 1,
      fall: 1,
      command: { argv: ["/etc/keepalived/checkMySQL.py", "-h", "127.0.0.1", "-P", "3306"] },
    },
  ]);
  expect(config.instances).toHaveLength(1);
  expect(config.instances[0]?.vrrp).toMatchObject({
    name: "VI_82",
    interface: "eth0",
    virtualRouterId: 82,
    version: 2,
    priority: 100,
    advertInterval: 5_000_000,
    initialState: "BACKUP",
    preempt: false,
    downTimerAdverts: 3,
    authentication: { kind: "pass", password: [49, 49, 49, 49, 0, 0, 0, 0] },
    transport: { kind: "multicast", group: "224.0.0.18" },
    advertised: [{ address: "192.168.11.100", prefixLength: 32 }],
    trackScripts: [{ key: "vs_mysql_82", weight: 0, reverse: false }],
    garp: { delay: 5_000_000, repeat: 5, refresh: 0, refreshRepeat: 1, lowerPrioDelay: 5_000_000, lowerPrioRepeat: 5 },
    leaseSeconds: 14,
    claimGate: null,
  });
});
