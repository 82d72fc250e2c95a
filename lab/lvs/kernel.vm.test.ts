import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { IpAddress } from "../../src/core/lib/ip.ts";
import type { ServiceKey } from "../../src/core/lvs/config.ts";
import type { IpvsDestination, IpvsOrder, IpvsService } from "../../src/core/lvs/ipvs/model.ts";
import { until } from "../../src/lab/processes.ts";
import { createArena } from "../../src/linux/arena.ts";
import { openIpvsPort } from "../../src/linux/ipvs-port.ts";

const opened = openIpvsPort(createArena());
if (!opened.ok) throw new Error(opened.error.what);
const ipvs = opened.value;

const saved = (): string[] => execFileSync("ipvsadm", ["-S", "-n"], { encoding: "utf8" }).split("\n").filter(Boolean);
const ipvsadm = (line: string): string => execFileSync("ipvsadm", line.split(" "), { encoding: "utf8" });

const NO_FLAGS = { onePacket: false, flag1: false, flag2: false, flag3: false };
const key = (port: number): ServiceKey => ({
  kind: "address",
  family: 4,
  protocol: "tcp",
  address: "10.9.0.1" as IpAddress,
  port,
});
const service = (port: number, scheduler = "rr"): IpvsService => ({
  key: key(port),
  scheduler,
  flags: NO_FLAGS,
  persistence: null,
});
const destination = (last: number, port: number, weight = 1): IpvsDestination => ({
  address: `10.9.0.${last}` as IpAddress,
  port,
  forwarding: { method: "dr", tunnel: null },
  weight,
  upperThreshold: 0,
  lowerThreshold: 0,
});

afterEach(() => {
  ipvsadm("-C");
});

describe("IPVS of the real kernel", () => {
  it("orders become ipvsadm's table, and what it reads back is what was ordered", () => {
    const orders: IpvsOrder[] = [
      {
        kind: "add-service",
        service: { ...service(80, "wlc"), persistence: { timeout: 90, granularity: 0xffff_ff00, engine: null } },
      },
      { kind: "add-destination", key: key(80), destination: destination(11, 80, 3) },
      {
        kind: "add-destination",
        key: key(80),
        destination: { ...destination(12, 80), upperThreshold: 40, lowerThreshold: 20 },
      },
      { kind: "set-destination", key: key(80), destination: destination(11, 80, 0) },
    ];
    expect(ipvs.apply(orders)).toEqual([null, null, null, null]);
    expect(saved()).toEqual([
      "-A -t 10.9.0.1:80 -s wlc -p 90 -M 255.255.255.0",
      "-a -t 10.9.0.1:80 -r 10.9.0.11:80 -g -w 0",
      "-a -t 10.9.0.1:80 -r 10.9.0.12:80 -g -w 1",
    ]);
    const servers = ipvs.destinations(key(80));
    expect(
      servers.ok && servers.value.map(({ upperThreshold, lowerThreshold }) => [upperThreshold, lowerThreshold]),
    ).toEqual(expect.arrayContaining([[40, 20]]));
  });

  it("a thousand orders in one go, of which the failing ones are named and the others carried out", () => {
    const orders: IpvsOrder[] = Array.from({ length: 1_000 }, (_, at) => ({
      kind: "add-service",
      service: service(at < 900 ? 1_000 + at : 1_000),
    }));
    const outcomes = ipvs.apply(orders);
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(900);
    expect(outcomes[950]).toEqual({
      errno: "EEXIST",
      what: "add the virtual service TCP 10.9.0.1:1000 (scheduler rr)",
    });
    expect(saved()).toHaveLength(900);
  });

  it("a scheduler that the kernel lacks and a service that is not there are told apart", () => {
    const outcomes = ipvs.apply([
      { kind: "add-service", service: service(80, "nosuch") },
      { kind: "add-destination", key: key(81), destination: destination(11, 81) },
      { kind: "remove-service", key: key(82) },
    ]);
    expect(outcomes.map((outcome) => outcome?.errno)).toEqual(["ENOENT", "ESRCH", "ESRCH"]);
  });

  it("an unloaded module is an error with a name; asking loads it again where the kernel may load modules", async () => {
    const LOADER = "/proc/sys/kernel/modprobe";
    const loader = readFileSync(LOADER, "utf8");
    expect(ipvs.info().ok).toBe(true);
    await until(unload, "ip_vs is unloaded", 20_000);
    writeFileSync(LOADER, "/bin/false");
    try {
      const gone = ipvs.info();
      expect(gone.ok ? null : gone.error.errno).toBe("ENOENT");
      expect(ipvs.apply([{ kind: "add-service", service: service(80) }])[0]?.errno).toBe("ENOENT");
    } finally {
      writeFileSync(LOADER, loader);
    }
    expect(ipvs.apply([{ kind: "add-service", service: service(80) }])).toEqual([null]);
    expect(saved()).toHaveLength(1);
  });
});

/** The kernel takes down namespaces after those who lived there have ended: until then schedulers of their services are in use. */
function unload(): true | undefined {
  const loaded = execFileSync("lsmod", { encoding: "utf8" }).match(/^ip_vs(_\w+)?(?= )/gm) ?? [];
  const rest = loaded.filter((name) => name !== "ip_vs");
  return spawnSync("rmmod", [...rest, "ip_vs"]).status === 0 ? true : undefined;
}
