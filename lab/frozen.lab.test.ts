import { expect, test } from "vitest";
import { type Lab, withLab } from "../src/lab/lab.ts";
import { AddressObserver } from "../src/lab/observer.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { instanceBlock, VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeHoldfast } from "./support.ts";

async function runningPair(lab: Lab) {
  const cluster = new VrrpCluster(lab);
  const config = instanceBlock({ version: 2, advertSeconds: 1, nopreempt: true });
  const daemon = cluster.start("db1", DAEMON, config);
  await cluster.heldBy(["db1"]);
  cluster.start("db2", DAEMON, config);
  await sleep(1_500);
  const observer = await AddressObserver.start(lab, [lab.host("db1"), lab.host("db2")]);
  const neverBoth = async () => {
    await sleep(200);
    await observer.stop();
    expect(observer.probes.filter((probe) => probe.macs.length === 1).length).toBeGreaterThan(50);
    expect(observer.answeredTwice).toEqual([]);
  };
  return { cluster, daemon, neverBoth };
}

describeHoldfast("a stopped process gives the address up", () => {
  test("frozen keeper: control replaces it, the peer takes over, and never both hold", () =>
    withLab(async (lab) => {
      const { cluster, daemon, neverBoth } = await runningPair(lab);
      const keeper = await daemon.keeperPid();
      process.kill(keeper, "SIGSTOP");
      await cluster.heldBy(["db2"]);
      await until(async () => ((await daemon.keeperPid()) !== keeper ? true : undefined), "a new keeper", 10_000);
      await sleep(1_500);
      expect(await cluster.holders()).toEqual(["db2"]);
      await neverBoth();
    }));

  test("frozen control: the keeper releases by itself, the peer takes over", () =>
    withLab(async (lab) => {
      const { cluster, daemon, neverBoth } = await runningPair(lab);
      await daemon.program.signal("SIGSTOP");
      await cluster.heldBy(["db2"]);
      await daemon.program.signal("SIGCONT");
      await sleep(1_500);
      expect(await cluster.holders()).toEqual(["db2"]);
      await neverBoth();
      expect(daemon.program.running).toBe(true);
    }));

  test("both frozen: the lease ends in the kernel; thawed, they find out and stay away", () =>
    withLab(async (lab) => {
      const { cluster, daemon, neverBoth } = await runningPair(lab);
      const keeper = await daemon.keeperPid();
      process.kill(keeper, "SIGSTOP");
      await daemon.program.signal("SIGSTOP");
      await cluster.heldBy(["db2"]);
      process.kill(keeper, "SIGCONT");
      await daemon.program.signal("SIGCONT");
      await sleep(2_500);
      expect(await cluster.holders()).toEqual(["db2"]);
      await neverBoth();
    }));
});
