// Incident partition with track_gateway: the standby that is cut off does not claim; keepalived, and Holdfast without the keyword, do.
import { expect, test } from "vitest";
import { sleep } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { eventsOf, instanceWhen } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const withGateway = (stage: Stage, priority: number): string =>
  instanceBlock({ priority, lines: [`track_gateway ${stage.host("client").address}`, "gateway_timeout 0.3"] });

describeStage("track_gateway", (stage) => {
  test("a standby cut off from everybody does not claim, the master keeps its address, and after the repair the standby is BACKUP again", async () => {
    const a = stage.start("db1", withGateway(stage, 150));
    await stage.held("db1", true);
    const b = stage.start("db2", withGateway(stage, 100));
    await instanceWhen(b, "VI_1", ({ state }) => state === "BACKUP");
    await stage.lab.cutLink("db2", "silent");
    const refused = await instanceWhen(b, "VI_1", ({ state }) => state === "FAULT");
    expect(refused.reason).toContain(`no answer from ${stage.host("client").address}`);
    // Many times Master_Down_Interval, and several attempts.
    await sleep(3_000);
    await stage.held("db2", false);
    await stage.held("db1", true);
    // At any moment of an attempt.
    await stage.lab.restoreLink("db2");
    await instanceWhen(b, "VI_1", ({ state }) => state === "BACKUP");
    const took = (await eventsOf(b)).filter(({ body }) => body.kind === "addresses");
    expect(took).toEqual([]);
    const lost = (await eventsOf(a)).filter(({ body }) => body.kind === "addresses" && body.action === "removed");
    expect(lost).toEqual([]);
  });

  test("a standby that reaches the gateway takes over from a master that is cut off, and a gateway that drops pings is enough", async () => {
    await stage.host("client").exec(["sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"]);
    try {
      stage.start("db1", withGateway(stage, 150));
      await stage.held("db1", true);
      const b = stage.start("db2", withGateway(stage, 100));
      await instanceWhen(b, "VI_1", ({ state }) => state === "BACKUP");
      await stage.lab.cutLink("db1", "silent");
      await stage.held("db2", true);
      // As MASTER it does not matter whether anybody answers.
      await stage.held("db1", true);
    } finally {
      await stage.host("client").exec(["sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0"]);
    }
  });
});
