/**
 * Virtual MAC and closed addresses on the real kernel: a pair of Holdfast and keepalived that fails over both ways, the rule set
 * compared with keepalived's, and what is left after stop and kill -9: nothing.
 */
import { expect, test } from "vitest";
import type { Lab, LabHost } from "../src/lab/lab.ts";
import { VIP, withLab } from "../src/lab/lab.ts";
import { until } from "../src/lab/processes.ts";
import { VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { describeHoldfast } from "./support.ts";

const VMAC = "00:00:5e:00:01:52";

const instance = (priority: number, body: string): string => `vrrp_instance VI_82 {
    state BACKUP
    interface eth0
    virtual_router_id 82
    version 3
    advert_int 0.3
    priority ${priority}
${body}
    virtual_ipaddress {
        ${VIP}/24
    }
}
`;

const output = (host: LabHost, ...argv: readonly string[]): Promise<string> => host.execOrThrow(argv);

async function carries(host: LabHost): Promise<boolean> {
  return (await output(host, "ip", "-o", "-4", "addr", "show")).includes(`${VIP}/`);
}

const heldBy = (lab: Lab, holder: string): Promise<unknown> =>
  until(
    async () => {
      const held = await Promise.all(["db1", "db2"].map(async (name) => ((await carries(lab.host(name))) ? name : "")));
      return held.filter((name) => name !== "").join() === holder || undefined;
    },
    `${holder} alone holds ${VIP}`,
    30_000,
  );

/** As nft lists it, without the comment that says whose the table is. */
async function rules(host: LabHost): Promise<string> {
  const text = await output(host, "nft", "list", "ruleset");
  return text.replace(/^\s*comment "holdfast \d+"\n/gm, "");
}

const reachable = async (lab: Lab): Promise<boolean> => {
  const { code } = await lab.host("client").exec(["ping", "-c", "2", "-i", "0.2", "-W", "1", VIP]);
  return code === 0;
};

describeHoldfast("virtual MAC", () => {
  test("a pair with keepalived fails over both ways; nothing is left after the stop", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const db1 = lab.host("db1");
      cluster.start("db2", "keepalived", instance(100, "    use_vmac"));
      const ours = cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      await heldBy(lab, "db1");
      const link = await output(db1, "ip", "-d", "link", "show", "dev", "vrrp.82");
      expect(link).toContain(`link/ether ${VMAC}`);
      expect(link).toMatch(/macvlan mode private/);
      expect(link).toContain("addrgenmode none");
      expect(await reachable(lab)).toBe(true);
      expect(await output(lab.host("client"), "ip", "neigh", "show", VIP)).toContain(VMAC);
      await ours.stop();
      await heldBy(lab, "db2");
      expect((await db1.exec(["ip", "link", "show", "dev", "vrrp.82"])).code).not.toBe(0);
      expect(await output(db1, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore")).toBe("0\n");
      expect(await rules(db1)).toBe("");
      cluster.start("db1", "holdfast", instance(200, "    use_vmac"));
      await heldBy(lab, "db1");
      await cluster.stopAll();
    }));

  test("rules are keepalived's, survive a flush, and go; a killed daemon's interface and rules are swept", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const [db1, db2] = [lab.host("db1"), lab.host("db2")];
      const body = "    use_vmac\n    no_accept";
      const theirs = cluster.start("db2", "keepalived", instance(100, body));
      await heldBy(lab, "db2");
      const expected = await rules(db2);
      await theirs.stop();
      const ours = cluster.start("db1", "holdfast", instance(100, body));
      await heldBy(lab, "db1");
      expect(await rules(db1)).toBe(expected);
      expect(await reachable(lab)).toBe(false);
      await output(db1, "nft", "flush", "ruleset");
      await until(async () => (await rules(db1)) === expected || undefined, "the rules are back", 5_000);
      await ours.killBoth();
      cluster.start("db1", "holdfast", instance(100, ""));
      await until(async () => (await rules(db1)) === "" || undefined, "the rules of the dead daemon are gone", 10_000);
      expect((await db1.exec(["ip", "link", "show", "dev", "vrrp.82"])).code).not.toBe(0);
      await heldBy(lab, "db1");
      expect(await reachable(lab)).toBe(true);
      await cluster.stopAll();
    }));
});
