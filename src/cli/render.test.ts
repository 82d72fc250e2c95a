import { describe, expect, it } from "vitest";
import type { StatusReply } from "../control/contract/types.ts";
import { explainInstance } from "../control/explain.ts";
import {
  eventAt,
  failedCheck,
  fakeClock,
  faultStatus,
  ip,
  masterStatus,
  sampleModel,
  sampleStatus,
} from "../control/testing/samples.ts";
import { renderExplanations } from "./commands/explain.ts";
import { renderEvent } from "./commands/history.ts";
import { renderStatus } from "./render-status.ts";
import { wrap } from "./table.ts";
import { plain } from "./terminal.ts";
import { clockText, shortLength } from "./time-text.ts";

const screen = { width: 80, paint: plain };

function three(): { reply: StatusReply; model: ReturnType<typeof sampleModel> } {
  const clock = fakeClock();
  const model = sampleModel(clock);
  model.record(eventAt(clock, failedCheck));
  model.setSnapshot([
    faultStatus(clock),
    { ...masterStatus(clock), name: "VI_90", priority: 80, addresses: [ip("192.168.11.101"), ip("192.168.11.102")] },
    sampleStatus(clock, {
      name: "redis1",
      master: { source: ip("192.168.111.182"), priority: 150, heardAt: clock.now() },
    }),
    sampleStatus(clock, { name: "orders", state: "BACKUP", phase: "CLAIMING" }),
  ]);
  clock.advance(240_000);
  return { reply: model.status(), model };
}

describe("status", () => {
  it("is a table that fits 80 columns", () => {
    const text = renderStatus(three().reply, screen);
    expect(text).toMatchInlineSnapshot(`
      "holdfast 0.1.0, pid 4711, up 4 min, keeper 4712 running
      /etc/keepalived/keepalived.conf, state in /var/lib/holdfast

      INSTANCE  STATE     PRIO    SINCE        ADDRESS         HELD
      VI_82     FAULT     100     12:00:00 4m  192.168.11.100  no
        script vs_mysql_82 fails: exit code 1, last line of standard error:
        'ImportError: libmysqlclient.so.21: cannot open shared object file: No such
        file or directory'
      VI_90     MASTER    80/100  12:00:00 4m  192.168.11.101  yes
                                               192.168.11.102
        lease 0.0s
      redis1    BACKUP    100     12:00:00 4m  192.168.11.100  no
        master 192.168.111.182
      orders    CLAIMING  100     12:00:00 4m  192.168.11.100  no
        waits for notify_claim
      "
    `);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("shows with `fence strict` how long nftables lets the addresses speak, beside their lifetime or alone", () => {
    const clock = fakeClock();
    const model = sampleModel(clock);
    const fenceUntil = clock.now() + 1_940_000;
    const leaseUntil = clock.now() + 1_700_000;
    model.setSnapshot([
      { ...masterStatus(clock), leaseUntil, fenceUntil },
      { ...masterStatus(clock), name: "VI_90", leaseUntil: null, fenceUntil },
    ]);
    const text = renderStatus(model.status(), { ...screen, width: 120 });
    expect(text).toMatch(/VI_82 .* 1\.7s, fence 1\.9s\n/);
    expect(text).toMatch(/VI_90 .* this node +fence 1\.9s\n/);
  });

  it("names in FAULT who serves, in its column and below it on a narrow screen", () => {
    const clock = fakeClock();
    const model = sampleModel(clock);
    const master = { source: ip("192.168.11.82"), priority: 100, heardAt: clock.now() };
    model.setSnapshot([{ ...faultStatus(clock), master }]);
    const wide = renderStatus(model.status(), { ...screen, width: 120 }).split("\n");
    const title = wide.findIndex((line) => line.startsWith("INSTANCE"));
    const column = wide[title]?.indexOf("MASTER") ?? -1;
    expect(wide[title + 1]?.slice(column)).toMatch(/^192\.168\.11\.82 /);
    expect(renderStatus(model.status(), { ...screen, width: 60 })).toContain("\n  master 192.168.11.82\n");
  });

  it("says first what makes the rest doubtful", () => {
    const { reply } = three();
    const text = renderStatus(
      { ...reply, stale: true, journal: { writable: false, detail: "ENOSPC", lastSequence: 2 } },
      screen,
    );
    expect(text).toContain("The keeper does not answer: what follows is its last known state.");
    expect(text).toContain("The journal cannot be written: ENOSPC.");
    const restarted = (restarts: number): string =>
      renderStatus({ ...reply, keeper: { ...reply.keeper, restarts } }, screen).split("\n")[0] ?? "";
    expect([0, 1, 2].map((count) => restarted(count).split("running")[1])).toEqual([
      "",
      ", restarted once",
      ", restarted 2 times",
    ]);
  });
});

describe("explain", () => {
  it("wraps to the screen and keeps the depth of the chain", () => {
    const { reply, model } = three();
    const told = explainInstance({
      view: reply.instances[0]!,
      status: reply,
      config: model.config,
      events: model.recent(),
      clockText: (time) => clockText(time, reply.now),
    });
    expect(renderExplanations([told], screen)).toMatchInlineSnapshot(`
      "VI_82 is in FAULT since 12:00:00 (4 min), because script vs_mysql_82 fails.
        - script vs_mysql_82 fails since 12:00:00 (4 min): exit code 1, last line of
          standard error: 'ImportError: libmysqlclient.so.21: cannot open shared
          object file: No such file or directory'
          - it runs every 60 s
          - it is: /etc/keepalived/checkMySQL.py -h 127.0.0.1 -P 3306
        - no other master is heard: as far as this host can tell, nobody holds
          192.168.11.100
      What next:
        - To leave FAULT: script vs_mysql_82 has to succeed again.
        - Then it passes through BACKUP, and becomes MASTER when no other master is
          heard for 15 s.
      "
    `);
  });
});

describe("lines and lengths", () => {
  it("an event is one line with its time to the millisecond", () => {
    const clock = fakeClock();
    const body = {
      kind: "hook-ended",
      instance: "VI_82",
      hook: "notify_master",
      command: "/x",
      lastError: null,
    } as const;
    const event = eventAt(clock, { ...body, outcome: { kind: "exit", code: 0 }, durationMillis: 31 });
    expect(renderEvent({ sequence: 1, ...event })).toBe(
      "2026-11-22 12:00:00.000  VI_82: notify_master ended after 31 ms: exit code 0",
    );
  });

  it("short lengths never need more than five characters", () => {
    expect([0, 99_000, 100_000, 5_999_000, 6_000_000, 86_400_000, 40 * 86_400_000].map(shortLength)).toEqual([
      "0s",
      "99s",
      "1m",
      "99m",
      "1h40",
      "1d00",
      "40d00",
    ]);
  });

  it("a word longer than the line stands alone, uncut", () => {
    expect(wrap("a bbbbbbbbbbbb c", { width: 6, indent: "  " })).toEqual(["  a", "  bbbbbbbbbbbb", "  c"]);
  });
});
