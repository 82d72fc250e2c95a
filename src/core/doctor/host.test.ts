import { expect, test } from "vitest";
import { type HostFacts, judgeHost } from "./host.ts";

const MEBIBYTE = 1024 * 1024;
const stateDir = { path: "/var/lib/holdfast", writable: true, freeBytes: 900 * MEBIBYTE, totalBytes: 1000 * MEBIBYTE };
const keeper = { name: "keeper", pid: 7, missing: [], openFiles: 30, openFilesMax: 1024 } as const;
const unit = {
  MainPID: "6",
  KillMode: "mixed",
  Restart: "on-failure",
  WatchdogUSec: "30s",
  LimitCORE: "0",
  ProtectKernelModules: "yes",
  RestrictSUIDSGID: "yes",
};
const AVC =
  'type=AVC msg=audit(1.2:3): avc:  denied  { name_connect } for  pid=9 comm="holdfast" dest=3306 scontext=system_u:system_r:unconfined_service_t:s0';
const APPARMOR =
  'audit: type=1400 audit(5.001:7): apparmor="DENIED" operation="open" profile="/usr/bin/holdfast" name="/etc/x" pid=9';

/** A host that is as it should be, but for what is planted. */
const judge = (planted: Partial<HostFacts>) =>
  judgeHost({
    stateDir,
    processes: [keeper],
    steal: 0,
    waits: { who: "keeper", millis: 0.2 },
    shortestInterval: 1_000,
    clockSynchronised: true,
    denials: ["usb 1-1: new device"],
    denialsSince: 1,
    unit,
    ...planted,
  });

test("a host as it should be, and one of which little is known", () => {
  expect(judge({})).toEqual([]);
  expect(judge({ stateDir: { ...stateDir, writable: null } })).toEqual([]);
  expect(
    judge({ stateDir: null, processes: [], steal: null, waits: null, clockSynchronised: null, unit: null }),
  ).toEqual([]);
});

test.each<[string, Partial<HostFacts>, string, RegExp]>([
  ["read-only disk", { stateDir: { ...stateDir, writable: false } }, "journal-unwritable", /cannot be written/],
  [
    "full disk",
    { stateDir: { ...stateDir, freeBytes: 63 * MEBIBYTE } },
    "journal-space",
    /^63 MiB are free of 1000 MiB$/,
  ],
  [
    "capabilities",
    { processes: [{ ...keeper, missing: ["CAP_NET_RAW"] }] },
    "capabilities",
    /^pid 7 lacks CAP_NET_RAW$/,
  ],
  ["files", { processes: [{ ...keeper, openFiles: 820 }] }, "open-files", /^pid 7 has 820 files open of 1024$/],
  ["steal", { steal: 0.12 }, "cpu-steal", /^12 % /],
  ["waiting", { waits: { who: "keeper", millis: 101 } }, "late-scheduling", /waited 101\.0 ms .* is 1000 ms$/],
  ["clock", { clockSynchronised: false }, "clock-unsynchronised", /not synchronised/],
  ["SELinux", { denials: [AVC, "x", AVC] }, "access-denied", /^2 times, the last: type=AVC/],
  ["AppArmor", { denials: [APPARMOR] }, "access-denied", /^1 times, the last: audit:/],
  ["KillMode", { unit: { ...unit, KillMode: "control-group" } }, "unit-setting", /^KillMode is control-group$/],
  ["Restart", { unit: { ...unit, Restart: "no" } }, "unit-setting", /^Restart is no$/],
  ["watchdog", { unit: { ...unit, WatchdogUSec: "0" } }, "unit-setting", /^WatchdogUSec is 0$/],
  ["core dumps", { unit: { ...unit, LimitCORE: "infinity" } }, "unit-setting", /^LimitCORE is infinity$/],
])("planted: %s", (_title, planted, id, what) => {
  const found = judge(planted);
  expect(found.map((one) => one.id)).toEqual([id]);
  expect(found[0]?.what).toMatch(what);
});

test("a denial of before is a note, and one of now is told without those of before", () => {
  const idsOf = (found: ReturnType<typeof judge>) => found.map(({ id, severity }) => `${severity} ${id}`);
  expect(idsOf(judge({ denials: [AVC, AVC], denialsSince: 2 }))).toEqual(["note access-denied-before"]);
  expect(idsOf(judge({ denials: [AVC.replace(/audit\S+/, "")] }))).toEqual(["note access-denied-before"]);
  const [both] = judge({ denials: [AVC, APPARMOR], denialsSince: 2 });
  expect(both).toMatchObject({ id: "access-denied", what: expect.stringMatching(/^1 times, the last: audit:/) });
});

test("somebody else's denials are somebody else's", () => {
  expect(judge({ denials: [AVC.replace("holdfast", "nginx")] })).toEqual([]);
});

test("what a log says cannot steer a terminal", () => {
  expect(judge({ denials: [`${AVC}\u001b[2J`] })[0]?.what).not.toContain("\u001b");
});
