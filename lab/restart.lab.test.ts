// `holdfast restart`: control begins anew while the keeper serves. The address never leaves its host, the peer never stops being BACKUP, and
// afterwards everything works as before: checks, the end of the keeper, the stop.
import { expect, test } from "vitest";
import { until } from "../src/lab/processes.ts";
import { eventsOf, holdfast, instanceOf, instanceWhen, statusOf } from "./holdfast-client.ts";
import { describeStage } from "./stage.ts";

const VIP = "192.168.11.100";
const pair = (priority: number, extra = ""): string => `
vrrp_script chk {
  script "/bin/sh -c 'test ! -e BROKEN'"
  interval 1
  timeout 1
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 0.2
  track_script {
    chk
  }
  virtual_ipaddress {
    ${VIP}/32
  }
}
${extra}
`;

describeStage("holdfast restart", (stage) => {
  test("moves nothing, and what begins anew is as good as what was there", async () => {
    const broken = `${stage.host("db1").directory}/broken`;
    const db1 = stage.start("db1", pair(150).replace("BROKEN", broken));
    await instanceWhen(db1, "VI_1", (view) => view.holding);
    const db2 = stage.start("db2", pair(100).replace("BROKEN", "/nowhere"));
    await instanceWhen(db2, "VI_1", (view) => view.state === "BACKUP");
    const before = await statusOf(db1);
    const since = (await instanceOf(db1, "VI_1"))?.since ?? 0;
    const moves = stage.host("db1").spawn(["ip", "-4", "monitor", "address", "dev", "eth0"]);

    for (let times = 0; times < 2; times++) {
      const said = await holdfast(db1, "restart");
      expect(said.stderr).toBe("");
      expect(said.stdout).toContain("addresses have stayed where they were");
    }
    const after = await statusOf(db1);
    expect(after?.keeper.pid).toBe(before?.keeper.pid);
    expect(after?.daemon.pid).toBe(before?.daemon.pid);
    expect(after?.daemon.startedAt).toBeGreaterThan(before?.daemon.startedAt ?? 0);
    const served = await instanceWhen(db1, "VI_1", (view) => view.holding && view.state === "MASTER");
    // The clocks of two programs may differ by what rounding makes of them.
    expect(Math.abs(served.since - since)).toBeLessThan(50);
    expect(moves.lines.filter((line) => /Deleted/.test(line.text)).map((line) => line.text)).toEqual([]);
    const states = (await eventsOf(db2)).flatMap(({ body }) =>
      body.kind === "vrrp" && body.report.kind === "state" ? [body.report.to] : [],
    );
    expect(states).toEqual(["BACKUP"]);
    await moves.signal("SIGTERM");
    const kinds = (await eventsOf(db1)).map(({ body }) => body.kind);
    expect(kinds.filter((kind) => kind === "restarting" || kind === "keeper-adopted")).toEqual([
      "restarting",
      "keeper-adopted",
      "restarting",
      "keeper-adopted",
    ]);

    // A check of the new program counts, and its recovery.
    await stage.host("db1").execOrThrow(["touch", broken]);
    await instanceWhen(db1, "VI_1", (view) => view.state === "FAULT");
    await stage.held("db2", true, { vip: VIP });
    await stage.host("db1").execOrThrow(["rm", broken]);
    await instanceWhen(db1, "VI_1", (view) => view.holding);

    // A keeper that was taken over is spoken for and replaced as any other.
    const old = after?.keeper.pid ?? 0;
    await stage.host("db1").execOrThrow(["kill", "-KILL", String(old)]);
    await until(async () => ((await statusOf(db1))?.keeper.pid ?? old) !== old || undefined, "a new keeper", 20_000);
    expect((await eventsOf(db1)).map(({ body }) => body.kind)).toContain("guard-released");
    await instanceWhen(db1, "VI_1", (view) => view.holding);

    // A file with an error keeps the old program.
    const file = stage.configFile(db1);
    await stage.host("db1").execOrThrow(["sh", "-c", `echo nonsense >> ${file}`]);
    const refused = await holdfast(db1, "restart");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("finds errors");
    expect((await instanceOf(db1, "VI_1"))?.holding).toBe(true);
  });
});
