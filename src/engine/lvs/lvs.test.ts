import { describe, expect, it } from "vitest";
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { IpvsEventBody } from "../../core/events/ipvs-events.ts";
import { seconds } from "../../core/lib/units.ts";
import { configOf } from "../testing/configs.ts";
import { FakeIpvs } from "../testing/fake-ipvs.ts";
import { freshTable } from "../testing/fresh-table.ts";
import { createVirtualTimers } from "../testing/virtual-timers.ts";
import { createLvs } from "./lvs.ts";

const INSTANCE = "vrrp_instance VI { interface eth0\n virtual_router_id 51\n virtual_ipaddress { 10.0.0.1 }\n }";
const service = (port: number, ...lines: string[]): string =>
  `virtual_server 10.0.0.1 ${port} {\nprotocol TCP\nlvs_sched rr\nlvs_method DR\n${lines.join("\n")}
real_server 10.0.0.2 ${port} {\n}\nreal_server 10.0.0.3 ${port} {\n}\n}\n`;
const config = (...parts: string[]): HoldfastConfig => configOf([...parts, INSTANCE].join("\n"));

function setUp() {
  const kernel = new FakeIpvs();
  const timers = createVirtualTimers();
  const events: IpvsEventBody[] = [];
  const lvs = createLvs({ ipvs: kernel, timers, publish: (body) => events.push(body) });
  // The pools follow in the list of parts.
  const configure = lvs.configure.bind(lvs);
  lvs.configure = (config) => {
    configure(config);
    lvs.want(freshTable(config));
  };
  return { kernel, timers, events, lvs };
}

describe("services that only the MASTER has", () => {
  it("come with MASTER and go with it; the others are always there", () => {
    const { kernel, lvs } = setUp();
    lvs.configure(config(service(80, "only_on_master VI"), service(81)));
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:81 rr 10.0.0.2:81/1 10.0.0.3:81/1"]);
    lvs.entered?.("VI", "BACKUP");
    expect(kernel.table()).toHaveLength(1);
    lvs.entered?.("VI", "MASTER");
    expect(kernel.table()[0]).toBe("TCP 10.0.0.1:80 rr 10.0.0.2:80/1 10.0.0.3:80/1");
    lvs.entered?.("VI", "FAULT");
    expect(kernel.table()).toHaveLength(1);
  });

  it("a reload keeps them", () => {
    const { kernel, lvs } = setUp();
    lvs.configure(config(service(80, "only_on_master VI")));
    lvs.entered?.("VI", "MASTER");
    kernel.ordered.length = 0;
    lvs.configure(config(service(80, "only_on_master VI")));
    expect(kernel.ordered).toEqual([]);
    expect(kernel.table()).toHaveLength(1);
  });
});

describe("draining", () => {
  it("is weight 0 in every service until it is taken back, over reloads as well", () => {
    const { kernel, lvs } = setUp();
    lvs.configure(config(service(80), service(81)));
    expect(lvs.drain({ service: null, server: "10.0.0.9:80" })).toBe(0);
    expect(lvs.drain({ service: null, server: "10.0.0.2:80" })).toBe(1);
    const drained = [
      "TCP 10.0.0.1:80 rr 10.0.0.2:80/0 10.0.0.3:80/1",
      "TCP 10.0.0.1:81 rr 10.0.0.2:81/1 10.0.0.3:81/1",
    ];
    expect(kernel.table()).toEqual(drained);
    lvs.configure(config(service(80), service(81)));
    expect(kernel.table()).toEqual(drained);
    expect(lvs.status().services[0]?.servers.map(({ server, state }) => [server, state])).toEqual([
      ["10.0.0.2:80", "drained"],
      ["10.0.0.3:80", "up"],
    ]);
    expect(lvs.undrain({ service: null, server: "10.0.0.2:80" })).toBe(1);
    expect(kernel.table()[0]).toBe("TCP 10.0.0.1:80 rr 10.0.0.2:80/1 10.0.0.3:80/1");
    expect(lvs.undrain({ service: null, server: "10.0.0.2:80" })).toBe(0);
  });
});

describe("lvs_sync_daemon", () => {
  const SYNC = "global_defs { lvs_sync_daemon eth0 VI id 9 maxlen 1400\n }";

  it("sends on the MASTER, listens elsewhere, one after the other", () => {
    const { kernel, lvs, events } = setUp();
    lvs.configure(config(SYNC, service(80)));
    expect([...kernel.running.keys()]).toEqual(["backup"]);
    expect(kernel.running.get("backup")).toMatchObject({ interface: "eth0", id: 9, maxLength: 1400 });
    lvs.entered?.("VI", "MASTER");
    expect([...kernel.running.keys()]).toEqual(["master"]);
    lvs.entered?.("VI", "FAULT");
    expect([...kernel.running.keys()]).toEqual(["backup"]);
    const told = events.flatMap((body) => (body.kind === "ipvs-sync" ? [`${body.role} ${body.action}`] : []));
    expect(told).toEqual(["backup started", "backup stopped", "master started", "master stopped", "backup started"]);
  });

  it("without an id takes the instance's virtual_router_id; without an instance both run", () => {
    const { kernel, lvs } = setUp();
    lvs.configure(config("global_defs { lvs_sync_daemon eth0 VI\n }", service(80)));
    expect(kernel.running.get("backup")?.id).toBe(51);
    const other = setUp();
    other.lvs.configure(config("global_defs { lvs_sync_daemon eth0\n }", service(80)));
    expect([...other.kernel.running.keys()].sort()).toEqual(["backup", "master"]);
  });
});

describe("the kernel's other settings", () => {
  it("lvs_timeouts are set, and what was there comes back at the stop", async () => {
    const { kernel, lvs } = setUp();
    lvs.configure(config("global_defs { lvs_timeouts tcp 700 udp 77\n }", service(80)));
    expect(kernel.times).toEqual({ tcp: 700, tcpFin: 120, udp: 77 });
    await lvs.stop();
    expect(kernel.table()).toHaveLength(1);
    await lvs.stopped?.();
    expect(kernel.times).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
    expect(kernel.table()).toEqual([]);
  });

  it("a module that was unloaded and loaded gets everything again", async () => {
    const { kernel, lvs, timers } = setUp();
    lvs.configure(config("global_defs { lvs_sync_daemon eth0 VI\n lvs_timeouts tcp 700\n }", service(80)));
    kernel.unload();
    await timers.advance(seconds(6));
    expect(lvs.status()).toMatchObject({ kernel: "absent", services: [{ present: false }] });
    kernel.loaded = true;
    kernel.times = { tcp: 900, tcpFin: 120, udp: 300 };
    await timers.advance(seconds(6));
    expect(kernel.table()).toHaveLength(1);
    expect(kernel.times.tcp).toBe(700);
    expect([...kernel.running.keys()]).toEqual(["backup"]);
  });
});

describe("status", () => {
  it("a server that is not in the kernel is down, and what others have made is shown as theirs", () => {
    const { kernel, lvs } = setUp();
    kernel.apply([
      {
        kind: "add-service",
        service: {
          key: { kind: "fwmark", family: 4, mark: 7 },
          scheduler: "wlc",
          flags: { onePacket: false, flag1: false, flag2: false, flag3: false },
          persistence: null,
        },
      },
    ]);
    lvs.configure(config(service(80)));
    lvs.want(lvs.wanted.map((one) => ({ ...one, destinations: one.destinations.slice(1) })));
    const { services } = lvs.status();
    expect(services.map((one) => [one.service, one.virtualServer])).toEqual([
      ["TCP 10.0.0.1:80", "[10.0.0.1]:tcp:80"],
      ["FWM 7", null],
    ]);
    expect(services[0]?.servers.map(({ server, state }) => [server, state])).toEqual([
      ["10.0.0.3:80", "up"],
      ["10.0.0.2:80", "down"],
    ]);
  });
});
