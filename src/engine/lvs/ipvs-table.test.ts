import { describe, expect, it } from "vitest";
import type { IpvsEventBody } from "../../core/events/ipvs-events.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { seconds } from "../../core/lib/units.ts";
import type { Scheduler, ServiceKey } from "../../core/lvs/config.ts";
import type { IpvsService } from "../../core/lvs/ipvs/model.ts";
import type { WantedDestination, WantedService } from "../../core/lvs/table.ts";
import { FakeIpvs } from "../testing/fake-ipvs.ts";
import { createVirtualTimers } from "../testing/virtual-timers.ts";
import { createIpvsTable } from "./ipvs-table.ts";

const NO_FLAGS = { onePacket: false, flag1: false, flag2: false, flag3: false };
const DR = { method: "dr", tunnel: null } as const;
const key = (port: number): ServiceKey => ({
  kind: "address",
  family: 4,
  protocol: "tcp",
  address: "10.0.0.1" as IpAddress,
  port,
});
const server = (last: number, weight = 1, port = 80): WantedDestination => ({
  address: `10.0.0.${last}` as IpAddress,
  port,
  forwarding: DR,
  weight,
  upperThreshold: 0,
  lowerThreshold: 0,
});
const service = (
  port: number,
  destinations: readonly WantedDestination[],
  scheduler: Scheduler = "rr",
): WantedService => ({ key: key(port), scheduler, flags: NO_FLAGS, persistence: null, destinations });
const bare = (port: number, scheduler = "rr"): IpvsService => ({
  key: key(port),
  scheduler,
  flags: NO_FLAGS,
  persistence: null,
});

function setUp() {
  const kernel = new FakeIpvs();
  const timers = createVirtualTimers();
  const events: IpvsEventBody[] = [];
  const table = createIpvsTable({ ipvs: kernel, timers, publish: (body) => events.push(body) });
  return { kernel, timers, events, table, kinds: () => events.map(({ kind }) => kind) };
}

describe("the table of IPVS", () => {
  it("a file without virtual servers asks the kernel nothing", () => {
    const { table, kinds } = setUp();
    table.want([]);
    expect(table.state().kernel).toBe("unused");
    expect(kinds()).toEqual([]);
  });

  it("services and servers are added, changed and removed by the difference alone", async () => {
    const { kernel, table, timers } = setUp();
    const kept = service(443, [server(2)]);
    table.want([service(80, [server(2), server(3)]), kept]);
    await timers.advance(seconds(1));
    expect(kernel.table()).toEqual([
      "TCP 10.0.0.1:443 rr 10.0.0.2:80/1",
      "TCP 10.0.0.1:80 rr 10.0.0.2:80/1 10.0.0.3:80/1",
    ]);
    kernel.ordered.length = 0;
    table.want([service(80, [server(2, 0), server(4)], "wlc"), kept]);
    await timers.advance(seconds(1));
    expect(kernel.ordered).toEqual([
      "change the virtual service TCP 10.0.0.1:80 (scheduler wlc)",
      "change the server 10.0.0.2:80 of TCP 10.0.0.1:80",
      "add the server 10.0.0.4:80 of TCP 10.0.0.1:80",
      "remove the server 10.0.0.3:80 of TCP 10.0.0.1:80",
    ]);
    table.want([kept]);
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:443 rr 10.0.0.2:80/1"]);
  });

  it("a failing server is weight 0 in the kernel before want() returns", () => {
    const { kernel, table } = setUp();
    table.want([service(80, [server(2), server(3)])]);
    table.want([service(80, [server(2, 0), server(3)])]);
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:80 rr 10.0.0.2:80/0 10.0.0.3:80/1"]);
  });

  it("after a restart what is there is kept, what differs is changed, what others have made is left alone", async () => {
    const { kernel, table, timers, events } = setUp();
    kernel.apply([
      { kind: "add-service", service: bare(80) },
      { kind: "add-destination", key: key(80), destination: server(2) },
      { kind: "add-destination", key: key(80), destination: server(9) },
      { kind: "add-service", service: bare(8080) },
      { kind: "add-destination", key: key(8080), destination: server(7) },
    ]);
    kernel.ordered.length = 0;
    table.want([service(80, [server(2), server(3)])]);
    await timers.advance(seconds(60));
    expect(kernel.ordered).toEqual([
      "add the server 10.0.0.3:80 of TCP 10.0.0.1:80",
      "remove the server 10.0.0.9:80 of TCP 10.0.0.1:80",
    ]);
    expect(events[0]).toMatchObject({ kind: "ipvs", state: "ready", adopted: 1, foreign: 1 });
    table.stop("services");
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:8080 rr 10.0.0.7:80/1"]);
  });

  it("what somebody else changes is found and put right, and who does it all the time is answered more slowly", async () => {
    const { kernel, table, timers, events } = setUp();
    table.want([service(80, [server(2), server(3)])]);
    const wanted = kernel.table();
    for (const expected of [10, 20, 40]) {
      kernel.apply([{ kind: "remove-destination", key: key(80), destination: server(3) }]);
      await timers.advance(seconds(expected / 2));
      expect(kernel.table()).toEqual(wanted);
      expect(events.at(-1)).toMatchObject({ kind: "ipvs-repaired", services: 1, waitSeconds: expected });
    }
    kernel.apply([{ kind: "flush" }]);
    await timers.advance(seconds(40));
    expect(kernel.table()).toEqual(wanted);
  });

  it("a kernel without IPVS is told once; when the module comes the table is made", async () => {
    const { kernel, table, timers, kinds } = setUp();
    kernel.unload();
    table.want([service(80, [server(2)])]);
    await timers.advance(seconds(60));
    expect(kinds()).toEqual(["ipvs"]);
    expect(table.state()).toMatchObject({ kernel: "absent" });
    kernel.loaded = true;
    await timers.advance(seconds(5));
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:80 rr 10.0.0.2:80/1"]);
    kernel.unload();
    await timers.advance(seconds(5));
    expect(table.state().kernel).toBe("absent");
    kernel.loaded = true;
    await timers.advance(seconds(5));
    expect(kernel.table()).toHaveLength(1);
    expect(kinds()).toEqual(["ipvs", "ipvs", "ipvs", "ipvs"]);
  });

  it("a refused service does not keep the others back, is told once, and is tried until it works", async () => {
    const { kernel, table, timers, events, kinds } = setUp();
    kernel.missing.add("mh");
    table.want([service(80, [server(2)], "mh"), service(81, [server(2)])]);
    await timers.advance(seconds(120));
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:81 rr 10.0.0.2:80/1"]);
    const refusals = events.filter(({ kind }) => kind === "ipvs-refused");
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({
      errno: "ENOENT",
      remedy: "the kernel has no scheduler mh (modprobe ip_vs_mh)",
    });
    expect(table.state().refused).toHaveLength(1);
    kernel.missing.clear();
    await timers.advance(seconds(300));
    expect(kernel.table()).toHaveLength(2);
    expect(kinds().at(-1)).toBe("ipvs-accepted");
  });

  it("a service that somebody makes with other settings in the moment of ours is brought to ours", async () => {
    const { kernel, table, timers, kinds } = setUp();
    table.want([service(81, [server(2)])]);
    kernel.apply([{ kind: "add-service", service: bare(80, "wlc") }]);
    table.want([service(80, [server(2)]), service(81, [server(2)])]);
    await timers.advance(seconds(1));
    expect(kernel.table()[0]).toBe("TCP 10.0.0.1:80 rr 10.0.0.2:80/1");
    expect(kinds()).not.toContain("ipvs-refused");
  });

  it("a thousand services with ten servers each are ordered in turns and settle", async () => {
    const { kernel, table, timers } = setUp();
    const servers = Array.from({ length: 10 }, (_, at) => server(10 + at));
    table.want(Array.from({ length: 1_000 }, (_, at) => service(1_000 + at, servers)));
    expect(kernel.entries.size).toBeLessThan(1_000);
    await timers.advance(seconds(1));
    expect(kernel.entries.size).toBe(1_000);
    expect(table.settled).toBe(true);
    expect(kernel.ordered).toHaveLength(11_000);
  });

  it("lvs_flush takes what others have made as well", () => {
    const { kernel, table } = setUp();
    kernel.apply([{ kind: "add-service", service: bare(8080) }]);
    table.flush();
    table.want([service(80, [server(2)])]);
    expect(kernel.table()).toEqual(["TCP 10.0.0.1:80 rr 10.0.0.2:80/1"]);
  });
});
