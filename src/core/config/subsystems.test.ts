import { expect, test } from "vitest";
import { NO_LVS } from "../lvs/config.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";
import { ALL_SUBSYSTEMS, partOf } from "./subsystems.ts";

const TEXT = `
global_defs {
  lvs_sync_daemon eth0 VI_1
  lvs_timeouts tcp 60
  lvs_flush
  lvs_flush_on_stop
}
static_routes {
  10.9.0.0/16 via 192.0.2.1 dev eth0
}
track_file drained {
  file "/run/drained"
}
peer_link {
  key 1 hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
  active_key 1
  listen 192.0.2.1
  peer 192.0.2.2
}
redis cache {
  server 127.0.0.1 6379
}
vrrp_script ok {
  script "/bin/true"
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  track_script {
    ok
  }
  virtual_ipaddress {
    192.0.2.100/32
  }
}
vrrp_sync_group G {
  group {
    VI_1
  }
}
virtual_server 192.0.2.100 80 {
  lvs_method NAT
  protocol TCP
  real_server 10.0.0.1 80 {
    FILE_CHECK {
      track_file drained
    }
  }
}
`;
const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": TEXT }), "/k.conf", { lint: false });

test("all of it is the file as it is", () => {
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(partOf(config, ALL_SUBSYSTEMS)).toEqual(config);
});

test("VRRP alone has the sync daemons of IPVS, and touches nothing else in the kernel's table", () => {
  const part = partOf(config, { vrrp: true, checkers: false, keepIpvs: false });
  expect(part.instances).toEqual(config.instances);
  expect(part.host).toEqual(config.host);
  expect(part.lvs).toMatchObject({ servers: [], options: { flush: false, flushOnStop: "keep" } });
  expect(part.lvs.options.timeouts).toEqual(NO_LVS.options.timeouts);
  expect(part.lvs.options.syncDaemon).toMatchObject({ instance: "VI_1" });
});

test("the checkers alone have no instance, and no static object that the other daemon keeps", () => {
  const part = partOf(config, { vrrp: false, checkers: true, keepIpvs: false });
  expect([part.instances, part.groups, part.scripts, part.host.statics.routes]).toEqual([[], [], [], []]);
  expect([config.redis.length, config.peerLink === null]).toEqual([1, false]);
  expect([part.redis, part.peerLink]).toEqual([[], null]);
  expect(part.lvs.servers).toEqual(config.lvs.servers);
  expect(part.files).toHaveLength(1);
  expect(part.lvs.options).toMatchObject({ flush: true, flushOnStop: "all", syncDaemon: null });
});

test("-I outweighs lvs_flush_on_stop", () => {
  expect(partOf(config, { ...ALL_SUBSYSTEMS, keepIpvs: true }).lvs.options.flushOnStop).toBe("keep");
});
