import { expect, test } from "vitest";
import type { DaemonKind } from "../src/lab/daemon.ts";
import { type Lab, withLab } from "../src/lab/lab.ts";
import { sleep } from "../src/lab/processes.ts";
import { type InstanceSpec, instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeLab } from "./support.ts";

const VERSIONS: readonly { readonly title: string; readonly spec: InstanceSpec }[] = [
  { title: "version 2 with PASS", spec: { version: 2, advertSeconds: 1 } },
  { title: "version 3", spec: { version: 3, advertSeconds: 0.2 } },
];

/** TTL, TOS, destination and VRRP payload of an advert, as hexadecimal text; identification and checksum differ. */
async function capturedAdvert(lab: Lab, kind: DaemonKind, spec: InstanceSpec): Promise<string> {
  const cluster = new VrrpCluster(lab);
  const daemon = cluster.start("db1", kind, instanceBlock(spec));
  await cluster.heldBy(["db1"]);
  const capture = ["tcpdump", "-Z", "root", "-i", "eth0", "-n", "-x", "-c", "1", "ip", "proto", "112"];
  const text = await lab.host("client").execOrThrow(capture);
  await daemon.stop();
  await cluster.heldBy([]);
  const bytes = [...text.matchAll(/^\s+0x[0-9a-f]+:\s+(.*)$/gm)].map((match) => match[1]?.replaceAll(" ", "")).join("");
  const header = {
    tos: bytes.slice(2, 4),
    length: bytes.slice(4, 8),
    ttl: bytes.slice(16, 18),
    to: bytes.slice(32, 40),
  };
  return JSON.stringify({ ...header, payload: bytes.slice(40, Number.parseInt(header.length, 16) * 2) });
}

describeLab("a mixed pair with real keepalived", () => {
  for (const { title, spec } of VERSIONS) {
    test(`${title}: fails over both ways`, () =>
      withLab(async (lab) => {
        const cluster = new VrrpCluster(lab);
        const config = instanceBlock({ ...spec, nopreempt: true });
        const ours = cluster.start("db1", DAEMON, config);
        await cluster.heldBy(["db1"]);
        const theirs = cluster.start("db2", "keepalived", config);
        await sleep(1_500);
        expect(await cluster.holders()).toEqual(["db1"]);
        await ours.stop();
        await cluster.heldBy(["db2"]);
        cluster.start("db1", DAEMON, config);
        await sleep(1_500);
        expect(await cluster.holders()).toEqual(["db2"]);
        await theirs.stop();
        await cluster.heldBy(["db1"]);
      }));

    test(`${title}: the same configuration gives the same packet, byte for byte`, () =>
      withLab(async (lab) => {
        const theirs = await capturedAdvert(lab, "keepalived", spec);
        expect(theirs).toContain('"ttl":"ff"');
        expect(await capturedAdvert(lab, DAEMON, spec)).toBe(theirs);
      }));
  }
});
