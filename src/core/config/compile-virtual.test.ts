import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

function load(body: string, globals = "") {
  const text = `global_defs {\n${globals}\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 100\n virtual_ipaddress {\n 192.0.2.100\n }\n${body}\n}\n`;
  const { config, diagnostics } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  const vrrp = config.instances[0]?.vrrp;
  if (vrrp === undefined) throw new Error("no instance");
  return { vrrp, codes: diagnostics.map(({ code }) => code) };
}

describe("use_vmac", () => {
  it("makes vrrp.VRID with the MAC of the RFC, puts the addresses on it and sends from it", () => {
    const { vrrp } = load("use_vmac");
    expect(vrrp.virtualInterfaces).toEqual([
      {
        kind: "macvlan",
        name: "vrrp.51",
        base: "eth0",
        mac: [0, 0, 0x5e, 0, 1, 51],
        ipvlanMode: "bridge",
        group: null,
        ipv6: false,
      },
    ]);
    expect(vrrp.advertised.map(({ device }) => device)).toEqual(["vrrp.51"]);
    expect([vrrp.sendsVia, vrrp.hearsVia]).toEqual(["vrrp.51", "vrrp.51"]);
    expect(vrrp.filter).toMatchObject({ closed: false, localReports: "moved" });
  });

  it("names without a number go to whoever comes first, of either family; then keepalived's vrrp6 and vrrp1", () => {
    const six = `vrrp_instance VI_6 {\n interface eth0\n virtual_router_id 51\n use_vmac\n virtual_ipaddress {\n fe80::51\n }\n}`;
    const four = six.replace("VI_6", "VI_4").replace("fe80::51", "192.0.2.51");
    const other = six.replace("VI_6", "VI_X").replace("eth0", "eth1");
    const names = (...texts: string[]): string[] => {
      const { config } = loadConfig(memorySource({ "/k.conf": texts.join("\n") }), "/k.conf");
      return config.instances.flatMap(({ vrrp }) => vrrp.virtualInterfaces.map(({ name }) => name));
    };
    expect(names(six)).toEqual(["vrrp.51"]);
    expect(names(six, four)).toEqual(["vrrp.51", "vrrp1.51"]);
    expect(names(four, six, other)).toEqual(["vrrp.51", "vrrp6.51", "vrrp1.51"]);
  });

  it("takes name, MAC and group; five bytes end with the virtual_router_id", () => {
    const { vrrp, codes } = load("use_vmac name web0 02:00:00:00:00 netlink_notify_msg group 9");
    expect(vrrp.virtualInterfaces[0]).toMatchObject({ name: "web0", mac: [2, 0, 0, 0, 0, 51], group: 9 });
    expect(codes).toEqual([]);
  });

  it.each(["use_vmac name-of-far-too-many", "use_vmac web0 01:00:00:00:00:07", "use_vmac web0 02:00:zz"])(
    "%s: keepalived's verdict, and the default in its place",
    (line) => {
      const { vrrp, codes } = load(line);
      expect(codes).toEqual(["bad-value"]);
      expect(vrrp.virtualInterfaces[0]?.mac).toEqual([0, 0, 0x5e, 0, 1, 51]);
    },
  );

  it("vmac_xmit_base and unicast send and listen by the base", () => {
    expect(load("use_vmac\nvmac_xmit_base").vrrp).toMatchObject({ sendsVia: null, hearsVia: null });
    const unicast = load("use_vmac\nunicast_peer {\n192.0.2.2\n}");
    expect(unicast.vrrp).toMatchObject({ sendsVia: null, hearsVia: null });
    expect(unicast.codes).toContain("unicast-from-base");
  });

  it("use_vmac_addr and the word use_vmac carry addresses elsewhere, one interface for each base", () => {
    const excluded =
      "virtual_ipaddress_excluded {\n192.0.2.101 dev eth1\n192.0.2.102 dev eth1\n192.0.2.103 dev eth2\n}";
    const { vrrp } = load(`use_vmac\nuse_vmac_addr\n${excluded}`, "vmac_addr_prefix def");
    expect(vrrp.virtualInterfaces.map(({ name, base }) => `${name} ${base}`)).toEqual([
      "vrrp.51 eth0",
      "def.51 eth1",
      "def1.51 eth2",
    ]);
    expect(vrrp.excluded.map(({ device }) => device)).toEqual(["def.51", "def.51", "def1.51"]);
    const word = load("virtual_ipaddress_excluded {\n192.0.2.101 dev eth1 use_vmac\n192.0.2.102 dev eth1\n}").vrrp;
    expect(word.excluded.map(({ device }) => device)).toEqual(["vrrp.51", "eth1"]);
    expect(word.sendsVia).toBeNull();
  });
});

describe("strict mode", () => {
  it("closes the addresses, unless the priority is 255 or version 3 accepts", () => {
    expect(load("", "vrrp_strict").vrrp.filter?.closed).toBe(true);
    expect(load("", "vrrp_strict").codes).toEqual(["strict-closes"]);
    expect(load("priority 255", "vrrp_strict").vrrp.filter).toBeNull();
    expect(load("version 3\naccept", "vrrp_strict").vrrp.filter).toBeNull();
    expect(load("accept", "vrrp_strict").vrrp.filter?.closed).toBe(true);
    expect(load("strict_mode off", "vrrp_strict").vrrp.filter).toBeNull();
  });

  it("resets what the RFC does not know, each with its diagnostic", () => {
    const body =
      "authentication {\nauth_type PASS\nauth_pass 1234\n}\npreempt_delay 5\ndown_timer_adverts 5\nuse_vmac web0 02:00:00:00:00:07\nvmac_xmit_base";
    const { vrrp, codes } = load(body, "vrrp_strict");
    expect(codes.filter((code) => code === "strict-reset")).toHaveLength(5);
    expect(vrrp).toMatchObject({
      authentication: { kind: "none" },
      preemptDelay: 0,
      downTimerAdverts: 3,
      lowerPrioNoAdvert: true,
      higherPrioSendAdvert: false,
      sendsVia: "web0",
    });
    expect(vrrp.virtualInterfaces[0]?.mac).toEqual([0, 0, 0x5e, 0, 1, 51]);
  });
});

describe("accept and no_accept", () => {
  it("the last one counts", () => {
    expect(load("no_accept").vrrp.filter?.closed).toBe(true);
    expect(load("accept\nno_accept").vrrp.filter?.closed).toBe(true);
    expect(load("no_accept\naccept").vrrp.filter).toBeNull();
    expect(load("no_accept\npriority 255").vrrp.filter).toBeNull();
  });

  it("nftables names the table, its priority and counters; iptables is answered with nftables", () => {
    const { vrrp } = load("no_accept", "nftables mine\nnftables_priority -5\nnftables_counters");
    expect(vrrp.filter?.settings).toEqual({ table: "mine", priority: -5, counters: true });
    expect(load("no_accept", "vrrp_iptables IN OUT").codes).toContain("replaced-by-nftables");
  });
});
