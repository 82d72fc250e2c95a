// claim_probe: an address that somebody else answers for is not claimed; a master that is preempted answers by right.
import { expect, test } from "vitest";
import { VIP } from "../src/lab/lab.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { instanceWhen } from "./holdfast-client.ts";
import { describeStage } from "./stage.ts";

const probing = (priority: number): string => instanceBlock({ priority, lines: ["claim_probe 0.1"] });

describeStage("claim_probe", (stage) => {
  test("a stranger answers: the claim is refused with its hardware address, and goes on when it is gone", async () => {
    const client = stage.host("client");
    await client.execOrThrow(["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"]);
    const mac = /link\/ether (\S+)/.exec(await client.execOrThrow(["ip", "link", "show", "eth0"]))?.[1];
    const daemon = stage.start("db1", probing(100));
    const refused = await instanceWhen(daemon, "VI_1", ({ state }) => state === "FAULT");
    expect(refused.reason).toContain(`claim_probe: ${mac} answers for ${VIP} on eth0`);
    await stage.held("db1", false);
    await client.execOrThrow(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    await stage.held("db1", true);
  });

  test("a master that is preempted answers by right", async () => {
    stage.start("db2", probing(100));
    await stage.held("db2", true);
    stage.start("db1", probing(150));
    await stage.held("db1", true);
    await stage.held("db2", false);
  });
});
