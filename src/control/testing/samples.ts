/** Values for tests of the API and the commands: the pair of the first chapter, with fixed times. */

import { compileGlobals } from "../../core/config/compile-globals.ts";
import { NO_NOTICES } from "../../core/config/compile-notify.ts";
import { createDiagnostics } from "../../core/config/diagnostics.ts";
import type { HoldfastConfig } from "../../core/config/model.ts";
import { NOTHING_WRITTEN } from "../../core/config/tracked.ts";
import type { HoldfastEvent, HoldfastEventBody } from "../../core/events/vocabulary.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { seconds } from "../../core/lib/units.ts";
import { NO_LVS } from "../../core/lvs/config.ts";
import { PLAIN_HOST } from "../../core/routing/host.ts";
import { DEFAULT_RECEIVE } from "../../core/vrrp/config.ts";
import { emptyCounters, type VrrpInstanceStatus } from "../../core/vrrp/status.ts";
import { type ModelClock, ReadModel } from "../read-model.ts";

export const ip = (text: string): IpAddress => text as IpAddress;

/** Noon of a day, local time: rendered times do not depend on the zone. */
export const NOON = new Date(2026, 10, 22, 12, 0, 0).getTime();
const BOOT_MICROS = 5_000_000_000;

export interface FakeClock extends ModelClock {
  advance(millis: number): void;
}

export function fakeClock(): FakeClock {
  let passed = 0;
  return {
    now: () => BOOT_MICROS + passed * 1_000,
    wallMillis: () => NOON + passed,
    advance(millis) {
      passed += millis;
    },
  };
}

const SPAN = { file: "/etc/keepalived/keepalived.conf", line: 1, column: 1, length: 1 };

export function sampleConfig(): HoldfastConfig {
  const text = "/etc/keepalived/checkMySQL.py -h 127.0.0.1 -P 3306";
  return {
    ...compileGlobals([], createDiagnostics()),
    mysql: [],
    lvs: NO_LVS,
    redis: [],
    peerLink: null,
    quorum: null,
    witness: null,
    scripts: [
      {
        name: "vs_mysql_82",
        command: { argv: text.split(" "), user: null, group: null, text, span: SPAN },
        interval: seconds(60),
        timeout: seconds(60),
        weight: 0,
        reverse: false,
        rise: 1,
        fall: 1,
        initFail: false,
        perInstance: false,
        span: SPAN,
      },
    ],
    groups: [],
    files: [],
    processes: [],
    instances: [
      {
        vrrp: sampleVrrp(),
        hooks: {},
        hookTimeout: seconds(30),
        managesMysql: null,
        managesRedis: null,
        gateways: null,
        notices: NO_NOTICES,
        written: NOTHING_WRITTEN,
        span: SPAN,
      },
    ],
    host: PLAIN_HOST,
    api: null,
  };
}

function sampleVrrp(): HoldfastConfig["instances"][number]["vrrp"] {
  const address = {
    address: ip("192.168.11.100"),
    prefixLength: 32,
    device: null,
    broadcast: null,
    label: null,
    scope: 0,
  };
  const garp = { delay: seconds(5), repeat: 5, refresh: seconds(0), refreshRepeat: 1 };
  return {
    name: "VI_82",
    interface: "eth0",
    family: 4,
    version: 2,
    virtualRouterId: 82,
    priority: 100,
    advertInterval: seconds(5),
    initialState: "BACKUP",
    preempt: false,
    preemptDelay: seconds(0),
    downTimerAdverts: 3,
    highestPeerPriority: 255,
    authentication: { kind: "none" },
    transport: { kind: "multicast", group: ip("224.0.0.18") },
    sourceAddress: null,
    requiresSource: false,
    advertised: [address],
    excluded: [],
    routes: [],
    rules: [],
    promoteSecondaries: false,
    trackScripts: [{ key: "vs_mysql_82", weight: 0, reverse: false }],
    trackFiles: [],
    trackProcesses: [],
    trackMysql: [],
    trackRedis: [],
    trackInterfaces: [],
    syncGroup: null,
    dontTrackPrimary: false,
    garp: { ...garp, lowerPrioDelay: seconds(5), lowerPrioRepeat: 5, extraPeriod: seconds(0), extraAll: false },
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: false,
    ownerIgnoreAdverts: false,
    v3ChecksumAsV2: false,
    authHmac: null,
    soleSuccessor: false,
    receive: DEFAULT_RECEIVE,
    claimGate: null,
    releaseGate: null,
    virtualInterfaces: [],
    sendsVia: null,
    hearsVia: null,
    filter: null,
    leaseSeconds: 14,
    fenceSpan: null,
  };
}

export function sampleStatus(clock: ModelClock, changes: Partial<VrrpInstanceStatus> = {}): VrrpInstanceStatus {
  return {
    name: "VI_82",
    interface: "eth0",
    virtualRouterId: 82,
    version: 2,
    state: "BACKUP",
    phase: "BACKUP",
    cause: { code: "ready" },
    since: clock.now(),
    basePriority: 100,
    priority: 100,
    faults: [],
    syncGroup: null,
    wantsMaster: false,
    addresses: [ip("192.168.11.100")],
    holding: false,
    leaseUntil: null,
    master: null,
    source: ip("192.168.11.81"),
    timers: { deadline: null, masterDown: 15_609_375, masterAdvertInterval: 5_000_000 },
    ahSequence: null,
    counters: emptyCounters(),
    ...changes,
  };
}

export const faultStatus = (clock: ModelClock): VrrpInstanceStatus =>
  sampleStatus(clock, {
    state: "FAULT",
    phase: "FAULT",
    cause: { code: "fault", faults: [{ kind: "script", key: "vs_mysql_82" }] },
    faults: [{ kind: "script", key: "vs_mysql_82" }],
  });

export const masterStatus = (clock: ModelClock): VrrpInstanceStatus =>
  sampleStatus(clock, {
    state: "MASTER",
    phase: "MASTER",
    cause: { code: "master-down", lastMaster: ip("192.168.11.82") },
    holding: true,
    leaseUntil: clock.now() + 12_400_000,
  });

export const MISSING_LIBRARY =
  "ImportError: libmysqlclient.so.21: cannot open shared object file: No such file or directory";

export const failedCheck: HoldfastEventBody = {
  kind: "check",
  script: "vs_mysql_82",
  standing: "failed",
  changed: true,
  outcome: { kind: "exit", code: 1 },
  lastError: MISSING_LIBRARY,
  durationMillis: 48,
};

export function eventAt(clock: ModelClock, body: HoldfastEventBody): HoldfastEvent {
  return { at: clock.now(), time: clock.wallMillis(), origin: "vrrp", body };
}

export function sampleModel(clock: ModelClock): ReadModel {
  const model = new ReadModel({
    clock,
    version: "0.1.0",
    pid: 4711,
    configFile: "/etc/keepalived/keepalived.conf",
    stateDir: "/var/lib/holdfast",
  });
  model.setConfig(sampleConfig(), []);
  model.record(eventAt(clock, { kind: "keeper-started", pid: 4712, restart: 0 }));
  return model;
}
