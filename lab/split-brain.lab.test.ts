/** Two masters that hear each other one way only, or not at all: what each of them says, and when it is over. */
import { expect, test } from "vitest";
import type { SplitBrainEventBody } from "../src/core/events/split-brain-events.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { eventsOf, holdfast, instanceWhen } from "./holdfast-client.ts";
import { describeStages, type Stage } from "./stage.ts";

const KEY = `hex:${"3c".repeat(32)}`;

function toolsOf(stage: Stage) {
  const block = (index: 0 | 1) => instanceBlock({ priority: 100 - 10 * index, advertSeconds: 0.3 });
  const drop = (host: string) =>
    stage
      .host(host)
      .execOrThrow([
        "nft",
        "add table inet cut; add chain inet cut o { type filter hook output priority 0; }; add rule inet cut o meta l4proto 112 drop",
      ]);
  const told = async (daemon: Daemon): Promise<readonly SplitBrainEventBody[]> =>
    (await eventsOf(daemon)).flatMap(({ body }) => (body.kind === "split-brain" ? [body] : []));
  const actions = async (daemon: Daemon) => (await told(daemon)).map(({ action, yields }) => `${action} ${yields}`);
  const says = (daemon: Daemon, wanted: readonly string[]) =>
    until(
      async () => ((await actions(daemon)).join() === wanted.join() ? true : undefined),
      `it tells ${wanted.join(", ")}`,
      15_000,
    ).catch(async (error) => {
      throw new Error(`${String(error)}: ${JSON.stringify(await told(daemon))}\n${stage.said()}`);
    });
  const pair = async (extra: (index: 0 | 1) => string): Promise<readonly [Daemon, Daemon]> => {
    const first = stage.start("db1", extra(0) + block(0));
    await instanceWhen(first, "VI_1", (it) => it.holding);
    const second = stage.start("db2", extra(1) + block(1));
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    return [first, second];
  };
  return { drop, told, actions, says, pair };
}

function oneWay(stage: Stage): void {
  const { pair, drop, told, says } = toolsOf(stage);
  test.sequential("adverts of the master are lost: both tell, with who yields; after the repair one has let go, and both say that it is over", async () => {
    const [first, second] = await pair(() => "");
    await sleep(2_000);
    await drop("db1");
    await instanceWhen(second, "VI_1", (it) => it.holding);
    await says(first, ["seen other"]);
    const [seen] = await told(first);
    const other = stage.host("db2").address;
    expect(seen?.signs[0]).toBe(`adverts of ${other} with priority 90 are heard`);
    expect(seen?.signs.some((sign) => sign.endsWith(`answers for ${VIP} on eth0`))).toBe(true);
    expect(seen?.detail).toContain(`${other} has the lower priority, 90 against 100: it yields`);
    await says(second, ["seen nobody"]);
    const words = (await holdfast(first, "status")).stdout.replace(/\s+/g, " ");
    expect(words).toContain(`SPLIT BRAIN: adverts of ${other} with priority 90 are heard`);
    expect((await holdfast(first, "explain", "VI_1")).stdout).toContain("SPLIT BRAIN, another host is master, too");
    expect((await holdfast(first, "metrics")).stdout).toMatch(/holdfast_vrrp_split_brain\{instance="VI_1"\} 1\n/);
    await stage.host("db1").execOrThrow(["nft", "flush", "ruleset"]);
    await instanceWhen(second, "VI_1", (it) => it.state === "BACKUP");
    await says(second, ["seen nobody", "over this-host"]);
    await says(first, ["seen other", "over other"]);
    expect((await holdfast(first, "status")).stdout).not.toContain("SPLIT BRAIN");
    expect((await holdfast(first, "metrics")).stdout).toMatch(/holdfast_vrrp_split_brain\{instance="VI_1"\} 0\n/);
  });
}

function neitherWay(stage: Stage): void {
  const { pair, drop, told, says } = toolsOf(stage);
  test.sequential("no adverts either way: with peer_link both know, and say who will yield", async () => {
    const link = (index: 0 | 1): string => {
      const [own, other] = ["db1", "db2"].map((name) => stage.host(name).address);
      const [listen, peer] = index === 0 ? [own, other] : [other, own];
      return `peer_link {\n listen ${listen}\n peer ${peer}\n key 1 ${KEY}\n active_key 1\n}\n`;
    };
    const [first, second] = await pair(link);
    await Promise.all(["db1", "db2"].map(drop));
    await instanceWhen(second, "VI_1", (it) => it.holding);
    await says(first, ["seen other"]);
    await says(second, ["seen this-host"]);
    for (const daemon of [first, second]) {
      const [seen] = await told(daemon);
      expect(seen?.signs.some((sign) => sign.includes("says that it holds the addresses, too"))).toBe(true);
      expect(seen?.detail).toContain("IP protocol 112");
    }
    await Promise.all(["db1", "db2"].map((name) => stage.host(name).execOrThrow(["nft", "flush", "ruleset"])));
    await says(second, ["seen this-host", "over this-host"]);
    await says(first, ["seen other", "over other"]);
  });
}

function stranger(stage: Stage): void {
  const { pair, told, actions, says } = toolsOf(stage);
  test.sequential("a stranger with the address: told as such while it answers; hand-overs back and forth are not told", async () => {
    const [first, second] = await pair(() => "");
    for (let turn = 0; turn < 2; turn += 1) {
      await stage.host("db1").execOrThrow(["ip", "link", "set", "eth0", "down"]);
      await instanceWhen(second, "VI_1", (it) => it.holding);
      await stage.host("db1").execOrThrow(["ip", "link", "set", "eth0", "up"]);
      await instanceWhen(first, "VI_1", (it) => it.holding);
    }
    await sleep(3_000);
    expect([await actions(first), await actions(second)]).toEqual([[], []]);
    const stranger = stage.host("client");
    await stranger.execOrThrow(["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"]);
    await stranger.execOrThrow(["arping", "-U", "-c", "1", "-I", "eth0", "-s", VIP, VIP]);
    await says(first, ["seen nobody"]);
    expect((await told(first))[0]?.detail).toContain(`holdfast doctor --vip ${VIP}`);
    await stranger.execOrThrow(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    await says(first, ["seen nobody", "over other"]);
  });
}

describeStages("a split brain", {
  "adverts one way": oneWay,
  "adverts neither way": neitherWay,
  "a stranger": stranger,
});
