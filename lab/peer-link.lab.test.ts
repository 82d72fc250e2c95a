// The peer link between two daemons on hosts of their own, and what `doctor --vip` tells of an address held once, twice and by nobody.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PeerView, VipReply } from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { until } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { holdfast, statusOf } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

function linkBlock(stage: Stage, own: string, peer: string, key: string): string {
  const file = join(stage.host(own).directory, "peer.key");
  writeFileSync(file, `hex:${key}\n`, { mode: 0o600 });
  const lines = [`listen ${stage.host(own).address}`, `peer ${stage.host(peer).address}`, `key 1 file:${file}`];
  return `peer_link {\n${[...lines, "active_key 1"].map((line) => `    ${line}\n`).join("")}}\n`;
}

async function peerWhen(daemon: Daemon, wanted: (peer: PeerView) => boolean, what: string): Promise<PeerView> {
  const asked = async () => {
    const peer = (await statusOf(daemon))?.peers[0];
    return peer !== undefined && wanted(peer) ? peer : undefined;
  };
  return await until(asked, what, 20_000);
}

async function vip(daemon: Daemon): Promise<{ readonly code: number | null; readonly reply: VipReply }> {
  const { code, stdout } = await holdfast(daemon, "doctor", "--vip", VIP, "--json");
  return { code, reply: JSON.parse(stdout) as VipReply };
}

describeStage("peer link", (stage) => {
  test("each daemon knows the state of the other, sees it frozen, and both tell who answers for the address", async () => {
    const key = randomBytes(32).toString("hex");
    const a = stage.start("db1", linkBlock(stage, "db1", "db2", key) + instanceBlock({ priority: 150 }));
    const b = stage.start("db2", linkBlock(stage, "db2", "db1", key) + instanceBlock({ priority: 100 }));
    await stage.held("db1", true);
    const seen = await peerWhen(a, ({ instances }) => instances[0]?.state === "BACKUP", "db1 knows that db2 is BACKUP");
    expect(seen).toMatchObject({ connected: true, detail: null, instances: [{ name: "VI_1", holding: false }] });
    await peerWhen(b, ({ instances }) => instances[0]?.holding === true, "db2 knows that db1 holds the address");

    const once = await vip(b);
    expect(once.code).toBe(0);
    expect(once.reply.verdict).toBe("held-once");
    expect(once.reply.sights.map(({ seen: one }) => one?.own)).toEqual([false, true]);
    expect(once.reply.sights[0]?.seen?.macs).toHaveLength(1);

    // By hand on a third host: nobody's VRRP knows of it.
    await stage.host("client").exec(["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"]);
    const twice = await vip(a);
    expect([twice.code, twice.reply.verdict]).toEqual([1, "held-twice"]);
    await stage.host("client").exec(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);

    // A frozen daemon closes nothing.
    await a.program.signal("SIGSTOP");
    const frozen = await peerWhen(b, ({ connected }) => !connected, "db2 sees that db1 does not answer");
    expect(frozen.detail).toContain("no answer");
    await a.program.signal("SIGCONT");
    await peerWhen(b, ({ connected }) => connected, "db2 has found db1 again");
  });

  test("a host with another key is not let in, and each log says so", async () => {
    const [one, other] = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")];
    const a = stage.start("db1", linkBlock(stage, "db1", "db2", one) + instanceBlock({ priority: 150 }));
    const b = stage.start("db2", linkBlock(stage, "db2", "db1", other) + instanceBlock({ priority: 100 }));
    const peer = await peerWhen(b, ({ detail }) => detail !== null && /key/.test(detail), "db2 is told why");
    expect(peer).toMatchObject({ connected: false, instances: [] });
    const said = () => a.program.lines.find(({ text }) => text.includes("was turned away")) ?? undefined;
    const line = await until(async () => said(), "db1 says whom it turned away", 10_000);
    expect(line.text).toContain(stage.host("db2").address);
    expect(line.text).not.toContain(one);
  });
});
