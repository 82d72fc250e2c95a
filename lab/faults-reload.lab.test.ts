/** A reload changes what was changed and nothing else; a bad file changes nothing at all. Seen from the wire. */
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { GLOBALS, instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { Capture } from "./capture.ts";
import { eventsOf, holdfast, instanceOf, instanceWhen, reload, statusOf } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const SECONDS = 0.5;
const second = (vip: string) => instanceBlock({ name: "VI_2", virtualRouterId: 52, advertSeconds: SECONDS, vip });
const first = (priority: number, lines: readonly string[] = []) =>
  instanceBlock({ priority, advertSeconds: SECONDS, lines });

function write(stage: Stage, daemon: Daemon, config: string): void {
  writeFileSync(stage.configFile(daemon), GLOBALS + config);
}

const refusals = async (daemon: Daemon): Promise<number> =>
  (await eventsOf(daemon)).filter(({ body }) => body.kind === "reload" && body.outcome === "refused").length;

/** The longest pause between two adverts of virtual router 51, seconds. */
function longestPause(capture: Capture): number {
  const times = capture.adverts().flatMap((advert) => (advert.virtualRouterId === 51 ? [advert.at] : []));
  return times.slice(1).reduce((longest, at, index) => Math.max(longest, at - (times[index] ?? at)), 0);
}

/** Everything the kernel told about our address on db1 since then. */
async function watchAddress(stage: Stage) {
  const monitor = stage.host("db1").spawn(["ip", "-4", "-o", "monitor", "address"]);
  // Renewals are seen every few hundred milliseconds, so a silent monitor would be noticed.
  await monitor.line(new RegExp(` ${VIP}/`), { timeoutMs: 5_000 });
  return {
    deleted: () => monitor.lines.filter(({ text }) => text.startsWith("Deleted") && text.includes(` ${VIP}/`)),
    stop: () => monitor.signal("SIGKILL"),
  };
}

describeStage("a reload with a bad file", (stage) => {
  test("is refused, whatever is wrong with it; no advert is missing, the address stays", async () => {
    const daemon = stage.start("db1", first(100));
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
    const capture = await Capture.start(stage.host("client"), "bad-reload");
    const address = await watchAddress(stage);
    const before = await statusOf(daemon);

    write(stage, daemon, "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n");
    const asked = await holdfast(daemon, "reload");
    expect(asked.code).toBe(1);
    expect(asked.stdout + asked.stderr).toContain("goes on with the old configuration");
    expect(asked.stdout + asked.stderr).toMatch(/keepalived\.conf:\d+:\d+: error/);

    await daemon.program.signal("SIGHUP");
    await until(async () => ((await refusals(daemon)) >= 2 ? true : undefined), "HUP is refused", 10_000);
    rmSync(stage.configFile(daemon));
    await daemon.program.signal("SIGHUP");
    await until(async () => ((await refusals(daemon)) >= 3 ? true : undefined), "a missing file is refused", 10_000);
    write(stage, daemon, first(100).replace("virtual_router_id 51", "virtual_router_id 999"));
    expect((await reload(daemon))?.outcome).toBe("refused");
    write(stage, daemon, first(100).replace("interface eth0", "interface nosuch0"));
    const missing = await holdfast(daemon, "reload");
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain("error: vrrp_instance VI_1: interface nosuch0 does not exist on this host");
    expect(missing.stdout).toContain("or set dynamic_interfaces in global_defs");
    await daemon.program.line(/vrrp_instance VI_1: interface nosuch0 does not exist on this host; name one/, {
      timeoutMs: 5_000,
    });

    await sleep(4 * SECONDS * 1_000);
    const after = await statusOf(daemon);
    expect(after?.lastReload?.outcome).toBe("refused");
    expect(after?.keeper.pid).toBe(before?.keeper.pid);
    expect(after?.instances[0]).toMatchObject({ holding: true, counters: { becameMaster: 1, releasedMaster: 0 } });
    await capture.stop();
    await address.stop();
    expect(address.deleted()).toEqual([]);
    expect(capture.adverts().length).toBeGreaterThan(3);
    // A missing advert would make a pause of two intervals.
    expect(longestPause(capture)).toBeLessThan(2 * SECONDS);

    write(stage, daemon, first(100));
    expect((await reload(daemon))?.outcome).toBe("unchanged");
  });
});

describeStage("a good reload", (stage) => {
  test("changes priority, addresses, checks and instances while a master goes on undisturbed", async () => {
    const host = stage.host("db1");
    const daemon = stage.start("db1", first(100));
    await instanceWhen(daemon, "VI_1", (it) => it.holding);
    const capture = await Capture.start(stage.host("client"), "good-reload");
    const address = await watchAddress(stage);
    const apply = async (config: string): Promise<void> => {
      write(stage, daemon, config);
      const answer = await reload(daemon);
      expect(answer, JSON.stringify(answer)).toMatchObject({ outcome: "applied" });
    };

    await apply(first(120));
    await until(
      () => capture.adverts().some((advert) => advert.virtualRouterId === 51 && advert.priority === 120) || undefined,
      "priority 120 on the wire",
      5_000,
    );

    const both = first(120).replace(`        ${VIP}\n`, `        ${VIP}\n        192.168.11.130\n`);
    await apply(both);
    await stage.held("db1", true, { vip: "192.168.11.130" });
    await until(
      () => capture.arps().some((arp) => arp.senderAddress === "192.168.11.130") || undefined,
      "the new address is announced",
      5_000,
    );
    await apply(first(120));
    await stage.held("db1", false, { vip: "192.168.11.130" });

    await apply(first(120) + second("192.168.11.131"));
    await instanceWhen(daemon, "VI_2", (it) => it.holding);
    await apply(first(120) + second("192.168.11.132"));
    await stage.held("db1", true, { vip: "192.168.11.132" });
    await stage.held("db1", false, { vip: "192.168.11.131" });
    await apply(first(120));
    await stage.held("db1", false, { vip: "192.168.11.132" });
    await until(
      () => capture.adverts().some((advert) => advert.virtualRouterId === 52 && advert.priority === 0) || undefined,
      "the removed instance resigns",
      5_000,
    );
    expect(await instanceOf(daemon, "VI_2")).toBeUndefined();

    await apply(check(join(host.directory, "one")) + first(120, TRACKED));
    const ran = (name: string) => until(() => existsSync(join(host.directory, name)) || undefined, name, 10_000);
    await ran("one");
    await apply(check(join(host.directory, "two")) + first(120, TRACKED));
    await ran("two");

    await sleep(SECONDS * 1_000);
    await capture.stop();
    await address.stop();
    expect(await instanceOf(daemon, "VI_1")).toMatchObject({ holding: true, counters: { releasedMaster: 0 } });
    expect(address.deleted()).toEqual([]);
    expect(longestPause(capture)).toBeLessThan(2 * SECONDS);
  });

  function check(file: string): string {
    const script = `${file}.sh`;
    writeFileSync(script, `#!/bin/sh\n: >"${file}"\n`);
    chmodSync(script, 0o755);
    return `vrrp_script touch {\n    script "${script}"\n    interval 1\n}\n`;
  }
});

const TRACKED = ["track_script {", "    touch", "}"];
