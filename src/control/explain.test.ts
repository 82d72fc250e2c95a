import { describe, expect, it } from "vitest";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { Explanation } from "./contract/types.ts";
import { explainInstance } from "./explain.ts";
import { clockText } from "./server.ts";
import {
  eventAt,
  type FakeClock,
  failedCheck,
  fakeClock,
  faultStatus,
  ip,
  MISSING_LIBRARY,
  masterStatus,
  NOON,
  sampleConfig,
  sampleModel,
  sampleStatus,
} from "./testing/samples.ts";

interface Story {
  readonly events?: readonly HoldfastEventBody[];
  readonly status: (clock: FakeClock) => VrrpInstanceStatus;
  readonly laterMillis?: number;
}

function tell({ events = [], status, laterMillis = 0 }: Story): Explanation {
  const clock = fakeClock();
  const model = sampleModel(clock);
  for (const body of events) model.record(eventAt(clock, body));
  model.setSnapshot([status(clock)]);
  clock.advance(laterMillis);
  const reply = model.status();
  const view = reply.instances[0]!;
  return explainInstance({
    view,
    status: reply,
    config: model.config,
    events: model.recent(),
    clockText: (time) => clockText(time, NOON),
  });
}

const entered = (
  from: "INIT" | "BACKUP" | "MASTER",
  to: "BACKUP" | "MASTER" | "FAULT",
  cause: VrrpInstanceStatus["cause"],
) => ({ kind: "vrrp", instance: "VI_82", report: { kind: "state", from, to, cause, priority: 100 } }) as const;

describe("explain", () => {
  it("names the script, its exit code and the last line it wrote to standard error", () => {
    const told = tell({ events: [failedCheck], status: faultStatus, laterMillis: 240_000 });
    expect(told.headline).toBe("VI_82 is in FAULT since 12:00:00 (4 min), because script vs_mysql_82 fails.");
    expect(told.because).toEqual([
      {
        depth: 1,
        text: `script vs_mysql_82 fails since 12:00:00 (4 min): exit code 1, last line of standard error: '${MISSING_LIBRARY}'`,
      },
      { depth: 2, text: "it runs every 60 s" },
      { depth: 2, text: "it is: /etc/keepalived/checkMySQL.py -h 127.0.0.1 -P 3306" },
      {
        depth: 1,
        text: "no other master is heard: as far as this host can tell, nobody holds 192.168.11.100",
      },
    ]);
  });

  it("names in FAULT who holds the address now", () => {
    const told = tell({
      events: [failedCheck],
      status: (clock) => ({
        ...faultStatus(clock),
        master: { source: ip("192.168.11.82"), priority: 90, heardAt: clock.now() },
      }),
      laterMillis: 300,
    });
    expect(told.because.map(({ text }) => text)).toContain(
      "meanwhile 192.168.11.82 is the master, with priority 90, last heard 300 ms ago",
    );
  });

  it("says that nobody holds it only when a master would have been heard", () => {
    const silent = (changes: Partial<VrrpInstanceStatus>, laterMillis: number): boolean =>
      tell({ status: (clock) => ({ ...faultStatus(clock), ...changes }), laterMillis }).because.some(({ text }) =>
        text.includes("nobody holds"),
      );
    expect(silent({}, 240_000)).toBe(true);
    // Master_Down is 15.6 s here.
    expect(silent({}, 15_000)).toBe(false);
    expect(silent({ addresses: [] }, 240_000)).toBe(false);
    expect(silent({ faults: [{ kind: "interface", interface: "eth0", problem: "down" }] }, 240_000)).toBe(false);
  });

  it("does not count what others said while it took no part among its troubles", () => {
    const counters = { ...sampleStatus(fakeClock()).counters, drops: { "not-running": 7, checksum: 1 } };
    const told = tell({ status: (clock) => ({ ...faultStatus(clock), counters }) });
    expect(told.notes).toEqual(["Packets dropped: 1 checksum."]);
  });

  it("says what has to happen for a FAULT to become MASTER, with the wait of this configuration", () => {
    const told = tell({ events: [failedCheck], status: faultStatus });
    // RFC 3768: 3 * 5 s + (256 - 100) / 256 s
    expect(told.outlook).toEqual([
      "To leave FAULT: script vs_mysql_82 has to succeed again.",
      "Then it passes through BACKUP, and becomes MASTER when no other master is heard for 15 s.",
    ]);
  });

  it("shows the states before the present one, newest first", () => {
    const told = tell({
      events: [
        entered("INIT", "BACKUP", { code: "ready" }),
        entered("BACKUP", "MASTER", { code: "master-down", lastMaster: ip("192.168.11.82") }),
        failedCheck,
        entered("MASTER", "FAULT", { code: "fault", faults: [{ kind: "script", key: "vs_mysql_82" }] }),
      ],
      status: faultStatus,
    });
    expect(told.because.slice(-2).map((line) => line.text)).toEqual([
      "before that, MASTER from 12:00:00, because 192.168.11.82 fell silent for the whole Master_Down_Interval",
      "before that, BACKUP from 12:00:00, because every tracked check has reported and the election began",
    ]);
  });

  it("does not hide that the keeper died in between", () => {
    const told = tell({
      events: [
        entered("BACKUP", "MASTER", { code: "master-down", lastMaster: null }),
        { kind: "keeper-lost", pid: 4712, how: "signal SIGKILL" },
        entered("INIT", "BACKUP", { code: "ready" }),
      ],
      status: sampleStatus,
    });
    expect(told.because[0]?.text).toBe("before that, at 12:00:00: keeper 4712 is gone: signal SIGKILL");
  });

  it("tells a BACKUP who the master is and that nopreempt waits for it to go", () => {
    const told = tell({
      status: (clock) =>
        sampleStatus(clock, {
          cause: { code: "higher-priority-advert", from: ip("192.168.11.82"), priority: 150 },
          master: { source: ip("192.168.11.82"), priority: 150, heardAt: clock.now() },
        }),
      laterMillis: 2_000,
    });
    expect(told.headline).toBe(
      "VI_82 is BACKUP since 12:00:00 (2 s), because 192.168.11.82 announced itself with the higher priority 150.",
    );
    expect(told.because).toEqual([
      { depth: 1, text: "the master is 192.168.11.82 with priority 150, last heard 2 s ago" },
    ]);
    expect(told.outlook).toEqual([
      "It becomes MASTER when 192.168.11.82 resigns (priority 0) or stays silent for 15 s.",
      "It does not preempt (nopreempt): a higher priority alone changes nothing.",
    ]);
  });

  it("names the check that lowered the priority, with its weight", () => {
    const clock = fakeClock();
    const model = sampleModel(clock);
    const config = sampleConfig();
    const [instance] = config.instances;
    const vrrp = {
      ...instance!.vrrp,
      preempt: true,
      trackScripts: [{ key: "vs_mysql_82", weight: -20, reverse: false }],
    };
    model.setConfig({ ...config, instances: [{ ...instance!, vrrp }] }, []);
    model.record(eventAt(clock, failedCheck));
    const master = { source: ip("192.168.11.82"), priority: 90, heardAt: clock.now() };
    model.setSnapshot([sampleStatus(clock, { priority: 80, master })]);
    const status = model.status();
    const input = { view: status.instances[0]!, status, config: model.config, events: [] };
    const told = explainInstance({ ...input, clockText: (time) => clockText(time, NOON) });
    expect(told.because.slice(0, 2)).toEqual([
      { depth: 1, text: "its priority is 80 instead of 100 because of what it tracks" },
      {
        depth: 2,
        text: `script vs_mysql_82 (weight -20) fails: exit code 1, last line of standard error: '${MISSING_LIBRARY}'`,
      },
    ]);
    expect(told.outlook).toContain("Or its priority has to rise from 80 above 90.");
  });

  it("names the tracked file that moved the priority, beside a check that did not", () => {
    const clock = fakeClock();
    const model = sampleModel(clock);
    const config = sampleConfig();
    const [instance] = config.instances;
    const vrrp = {
      ...instance!.vrrp,
      trackScripts: [{ key: "vs_mysql_82", weight: 10, reverse: false }],
      trackFiles: [{ key: "maint", weight: 1, reverse: false }],
      trackInterfaces: [{ key: "eth1", weight: 0, reverse: false }],
    };
    model.setConfig({ ...config, instances: [{ ...instance!, vrrp }] }, []);
    model.record(eventAt(clock, failedCheck));
    model.setSnapshot([sampleStatus(clock, { priority: 50 })]);
    const status = model.status();
    const input = { view: status.instances[0]!, status, config: model.config, events: [] };
    const told = explainInstance({ ...input, clockText: (time) => clockText(time, NOON) });
    const texts = told.because.map(({ text }) => text);
    expect(texts[0]).toBe("its priority is 50 instead of 100 because of what it tracks");
    expect(texts[2]).toBe("-50 by tracked file maint");
  });

  it("says of a MASTER what it holds, and does not claim so before the address is announced", () => {
    expect(tell({ status: masterStatus }).headline).toContain("and holds 192.168.11.100");
    const fenced = tell({ status: (clock) => ({ ...masterStatus(clock), fenceUntil: clock.now() + 2_100_000 }) });
    expect(fenced.because.map(({ text }) => text)).toContain(
      "nftables closes its addresses in 2.1 s unless the next advert moves that on (fence strict)",
    );
    const early = tell({ status: (clock) => ({ ...masterStatus(clock), holding: false }) });
    expect(early.headline).toContain("but does not hold 192.168.11.100 yet");
  });

  it("points at a hook that failed and at packets that were dropped", () => {
    const told = tell({
      events: [
        {
          kind: "hook-ended",
          instance: "VI_82",
          hook: "notify_master",
          command: "/etc/keepalived/to_master.sh",
          outcome: { kind: "timeout", afterMillis: 30_000 },
          lastError: null,
          durationMillis: 30_000,
        },
      ],
      status: (clock) => {
        const status = masterStatus(clock);
        const counters = { ...status.counters, drops: { "auth-fail": 3, "address-list": 4 }, addressConflicts: 2 };
        return { ...status, counters };
      },
    });
    expect(told.notes).toEqual([
      "notify_master failed at 12:00:00: no answer within 30 s.",
      "Packets dropped: 3 auth-fail.",
      "Adverts that differ from ours and are obeyed all the same: 4 address-list.",
      "Another host used an address while it was held here (2 ARP packets): `holdfast history --kind address-conflict` says where and what to do.",
    ]);
  });
});
