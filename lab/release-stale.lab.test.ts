// `holdfast release-stale`: an address that a killed keepalived has left, and one set by hand, go only when another host is shown to have them.
import { expect, test } from "vitest";
import { startDaemon } from "../src/lab/daemon.ts";
import { VIP } from "../src/lab/lab.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { eventsOf, holdfast, instanceWhen } from "./holdfast-client.ts";
import { describeStage } from "./stage.ts";

const OTHER = VIP.replace(/\d+$/, "201");
const other = (spec: Parameters<typeof instanceBlock>[0]) =>
  instanceBlock({ ...spec, name: "VI_2", virtualRouterId: 99, vip: OTHER });

describeStage("release-stale", (stage) => {
  test("what keepalived left is removed when the peer answers for it, and only then", async () => {
    const host = stage.host("db1");
    const keepalived = startDaemon(host, { kind: "keepalived", config: other({ priority: 150 }), name: "old" });
    await stage.held("db1", true, { vip: OTHER });
    const daemon = stage.start("db1", instanceBlock({ priority: 150 }));
    await stage.held("db1", true);

    const living = await holdfast(daemon, "release-stale", OTHER);
    expect(living).toMatchObject({ code: 1, stderr: expect.stringContaining("keepalived is alive (pid ") });
    await keepalived.killBoth();
    expect(await host.holds(OTHER)).toBe(true);

    const alone = await holdfast(daemon, "release-stale", OTHER);
    expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining(`nobody else answers for ${OTHER}`) });
    expect(await host.holds(OTHER)).toBe(true);

    stage.start("db2", other({ priority: 100 }));
    await stage.held("db2", true, { vip: OTHER });
    const rehearsed = await holdfast(daemon, "release-stale", OTHER, "--dry-run");
    expect(rehearsed).toMatchObject({ code: 0, stdout: expect.stringContaining("would be removed from eth0") });
    expect(await host.holds(OTHER)).toBe(true);

    const done = await holdfast(daemon, "release-stale", OTHER);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining(`${OTHER} is removed from eth0`) });
    expect([await host.holds(OTHER), await stage.host("db2").holds(OTHER)]).toEqual([false, true]);
    expect((await eventsOf(daemon)).filter(({ body }) => body.kind === "stale-released")).toHaveLength(1);
  });

  test("a MASTER keeps its address although another host answers, and a BACKUP has removed what somebody set by hand", async () => {
    const a = stage.start("db1", instanceBlock({ priority: 150 }));
    await stage.held("db1", true);
    const b = stage.start("db2", instanceBlock({ priority: 100 }));
    await instanceWhen(b, "VI_1", ({ state }) => state === "BACKUP");
    for (const name of ["client", "db2"]) {
      await stage.host(name).execOrThrow(["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"]);
    }
    const master = await holdfast(a, "release-stale", VIP);
    expect(master).toMatchObject({ code: 1, stderr: expect.stringContaining("instance VI_1") });
    expect(await stage.host("db1").holds(VIP)).toBe(true);
    await stage.host("client").execOrThrow(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    await stage.held("db2", false);
    const backup = await holdfast(b, "release-stale", VIP);
    expect(backup).toMatchObject({ code: 1, stderr: expect.stringContaining("not on this host") });
  });
});
