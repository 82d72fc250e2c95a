/** AH with the real keepalived in both directions, multicast and unicast; auth_hmac between two hosts, over both families. */
import { expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { withLab } from "../src/lab/lab.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { statusOf } from "./holdfast-client.ts";
import { DAEMON, describeHoldfast } from "./support.ts";

const OWN = { db1: "192.168.11.81", db2: "192.168.11.82" } as const;
type Name = keyof typeof OWN;
const other = (name: Name): Name => (name === "db1" ? "db2" : "db1");
const vipOf = (id: number): string => `192.168.11.${100 + id}`;

const unicast = (own: Name): readonly string[] => [
  `unicast_src_ip ${OWN[own]}`,
  "unicast_peer {",
  `    ${OWN[other(own)]}`,
  "}",
];

/** Version 2 with AH; the block of instanceBlock is PASS. */
function withAh(text: string): string {
  return text.replaceAll("auth_type PASS", "auth_type AH");
}

/** Odd routers prefer db1, even ones db2; 1 and 2 by multicast, 3 and 4 by unicast. */
function ahConfig(own: Name): string {
  return [1, 2, 3, 4]
    .map((id) => {
      const priority = (own === "db1") === (id % 2 === 1) ? 150 : 100;
      const lines = id > 2 ? unicast(own) : [];
      const spec = { name: `AH_${id}`, virtualRouterId: id, version: 2, advertSeconds: 1, vip: vipOf(id) } as const;
      return withAh(instanceBlock({ ...spec, priority, lines }));
    })
    .join("");
}

const holds = async (cluster: VrrpCluster, ids: readonly number[], name: Name): Promise<void> => {
  for (const id of ids) await cluster.heldBy([name], { vip: vipOf(id), timeoutMs: 45_000 });
};

/** Nothing that a peer proved was refused. */
async function noneRefused(daemon: Daemon): Promise<void> {
  const reasons = ((await statusOf(daemon))?.instances ?? []).flatMap(({ counters }) => Object.keys(counters.drops));
  expect(reasons.filter((reason) => /^(ah|hmac|auth)/.test(reason))).toEqual([]);
}

describeHoldfast("adverts that are proved", () => {
  test.concurrent(
    "AH: Holdfast and keepalived take over from each other, by group and by peer",
    () =>
      withLab(async (lab) => {
        const cluster = new VrrpCluster(lab);
        let ours = cluster.start("db1", DAEMON, ahConfig("db1"));
        let theirs = cluster.start("db2", "keepalived", ahConfig("db2"));
        await holds(cluster, [1, 3], "db1");
        await holds(cluster, [2, 4], "db2");
        await noneRefused(ours);

        await theirs.stop();
        await holds(cluster, [1, 2, 3, 4], "db1");
        // It begins with number 1 and hears ours first: then both go on from there.
        theirs = cluster.start("db2", "keepalived", ahConfig("db2"));
        await holds(cluster, [2, 4], "db2");
        await holds(cluster, [1, 3], "db1");
        await noneRefused(ours);

        await ours.stop();
        await holds(cluster, [1, 2, 3, 4], "db2");
        ours = cluster.start("db1", DAEMON, ahConfig("db1"));
        await holds(cluster, [1, 3], "db1");
        await holds(cluster, [2, 4], "db2");
        await noneRefused(ours);
        expect(theirs.program.text).not.toMatch(/invalid IPSEC|already processed/);

        // Killed: control speaks in its name, with a number that keepalived believes.
        process.kill(await ours.keeperPid(), "SIGKILL");
        await holds(cluster, [1, 3], "db2");
        expect(theirs.program.text).toContain("Backup received priority 0 advertisement");
        expect(theirs.program.text).not.toMatch(/invalid IPSEC|already processed/);
        await Promise.all([ours.stop(), theirs.stop()]);
      }),
    120_000,
  );

  test.concurrent(
    "auth_hmac: a pair elects, fails over and comes back in every version, family and transport",
    () =>
      withLab(async (lab) => {
        const key = "00112233445566778899aabbccddeeff".repeat(2);
        const signed = ["auth_hmac {", `    key 1 hex:${key}`, "    active_key 1", "}"];
        const config = (own: Name): string => {
          const priority = own === "db1" ? 150 : 100;
          const blocks = [
            instanceBlock({ name: "V3", virtualRouterId: 11, vip: vipOf(11), priority, lines: signed }),
            instanceBlock({
              name: "UNI",
              virtualRouterId: 12,
              vip: vipOf(12),
              priority,
              lines: [...signed, ...unicast(own)],
            }),
            instanceBlock({ name: "V6", virtualRouterId: 13, vip: "fe80::1113", priority, lines: signed }),
            instanceBlock({
              name: "V2",
              virtualRouterId: 14,
              vip: vipOf(14),
              priority,
              version: 2,
              advertSeconds: 1,
              lines: signed,
            }),
          ];
          // auth_hmac takes the place of the PASS block of version 2.
          return blocks.join("").replace(/authentication \{[^}]*\}/, "");
        };
        for (const [name, own] of [
          ["db1", "fe80::81"],
          ["db2", "fe80::82"],
        ] as const) {
          const host = lab.host(name);
          await host.execOrThrow(["sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6"]);
          await host.execOrThrow(["ip", "addr", "add", `${own}/64`, "dev", "eth0", "nodad"]);
        }
        const cluster = new VrrpCluster(lab);
        let first = cluster.start("db1", DAEMON, config("db1"));
        const second = cluster.start("db2", DAEMON, config("db2"));
        await holds(cluster, [11, 12, 14], "db1");
        await cluster.heldBy(["db1"], { vip: "fe80::1113", timeoutMs: 45_000 });
        await first.stop();
        await holds(cluster, [11, 12, 14], "db2");
        await cluster.heldBy(["db2"], { vip: "fe80::1113", timeoutMs: 45_000 });
        first = cluster.start("db1", DAEMON, config("db1"));
        await holds(cluster, [11, 12, 14], "db1");
        await cluster.heldBy(["db1"], { vip: "fe80::1113", timeoutMs: 45_000 });
        for (const daemon of [first, second]) await noneRefused(daemon);
        await Promise.all([first.stop(), second.stop()]);
      }),
    120_000,
  );
});
