/** FRRouting's vrrpd as third implementation of VRRP version 3: it and Holdfast obey and replace each other. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { Frr, type FrrRouter, frrUnavailable } from "../src/lab/frr.ts";
import { createLab, type Lab, VIP } from "../src/lab/lab.ts";
import { needsUserNamespace } from "../src/lab/namespace.ts";
import { sleep } from "../src/lab/processes.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { Capture } from "./capture.ts";
import { sendersInTurn } from "./sender-watch.ts";
import { DAEMON, describeLab } from "./support.ts";

const ROUTER: FrrRouter = { virtualRouterId: 51, priority: 100, advertMillis: 200, vip: VIP, preempt: true };
const unavailable = frrUnavailable(needsUserNamespace());
if (unavailable !== null) process.stderr.write(`not run: FRRouting as peer (${unavailable})\n`);

function senders(capture: Capture, names: Readonly<Record<string, string>>): readonly string[] {
  const adverts = capture.adverts().filter(({ virtualRouterId }) => virtualRouterId === 51);
  return sendersInTurn(adverts.map(({ source }) => names[source] ?? source));
}

describeLab("with FRRouting's vrrpd as peer", () => {
  describe.skipIf(unavailable !== null)("version 3, IPv4", () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await createLab();
    }, 60_000);
    afterAll(async () => {
      await lab?.destroy();
    });
    const names = { "192.168.11.81": "ours", "192.168.11.82": "theirs" };

    test("ours with the higher priority replaces theirs, each resigns to the other, never two at once", async () => {
      const capture = await Capture.start(lab.host("client"), "frr-ours-higher");
      const cluster = new VrrpCluster(lab);
      const frr = await Frr.start(lab.host("db2"), ROUTER);
      let ours: Daemon | null = null;
      try {
        await frr.becomes("Master");
        ours = cluster.start("db1", DAEMON, instanceBlock({ priority: 150, advertSeconds: 0.2 }));
        await frr.becomes("Backup");
        await cluster.heldBy(["db1"]);
        await sleep(1_000);
        await ours.stop();
        await frr.becomes("Master");
        ours = cluster.start("db1", DAEMON, instanceBlock({ priority: 150, advertSeconds: 0.2 }));
        await frr.becomes("Backup");
        await cluster.heldBy(["db1"]);
        await sleep(1_000);
        expect(await frr.status()).toBe("Backup");
      } finally {
        await ours?.stop();
        await frr.stop();
        await capture.stop();
      }
      expect(senders(capture, names)).toEqual(["theirs", "ours", "theirs", "ours"]);
    }, 60_000);

    test("theirs with the higher priority replaces ours, and ours takes over when theirs resigns", async () => {
      const capture = await Capture.start(lab.host("client"), "frr-theirs-higher");
      const cluster = new VrrpCluster(lab);
      const ours = cluster.start("db1", DAEMON, instanceBlock({ priority: 100, advertSeconds: 0.2 }));
      try {
        await cluster.heldBy(["db1"]);
        const frr = await Frr.start(lab.host("db2"), { ...ROUTER, priority: 200 });
        try {
          await frr.becomes("Master");
          await cluster.heldBy([]);
          await sleep(1_000);
          expect(await cluster.holders()).toEqual([]);
        } finally {
          await frr.stop();
        }
        await cluster.heldBy(["db1"]);
      } finally {
        await ours.stop();
        await capture.stop();
      }
      expect(senders(capture, names)).toEqual(["ours", "theirs", "ours"]);
    }, 60_000);

    test("a slower advert interval of theirs is learned: no takeover while they advertise", async () => {
      const cluster = new VrrpCluster(lab);
      const frr = await Frr.start(lab.host("db2"), { ...ROUTER, priority: 200, advertMillis: 1_000 });
      try {
        await frr.becomes("Master", 15_000);
        // 3.x times our own 0.1 s would be over long before their second advert.
        const ours = cluster.start(
          "db1",
          DAEMON,
          instanceBlock({ priority: 100, advertSeconds: 0.1, nopreempt: true }),
        );
        try {
          await sleep(3_500);
          expect(await cluster.holders()).toEqual([]);
          expect(await frr.status()).toBe("Master");
        } finally {
          await ours.stop();
        }
      } finally {
        await frr.stop();
      }
    }, 60_000);
  });
});
