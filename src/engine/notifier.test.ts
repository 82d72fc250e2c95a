import { expect, test } from "vitest";
import { millis } from "../core/lib/units.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { MailOrder } from "../ports/mailer.ts";
import { createNotifier } from "./notifier.ts";
import { configOf } from "./testing/configs.ts";
import { createFakeFifos } from "./testing/fake-fifos.ts";
import { createFakeSpawner } from "./testing/fake-spawner.ts";
import { createVirtualTimers } from "./testing/virtual-timers.ts";

const instance = (name: string, number: number, lines = ""): string => `
vrrp_instance ${name} { interface eth0
 virtual_router_id ${number}
 virtual_ipaddress { 192.0.2.${number} }
 ${lines}
}`;
const GROUPS = `
vrrp_sync_group G1 { group { VI_1 } }
vrrp_sync_group G2 { group { VI_2 }
 smtp_alert off
}`;
const GLOBALS = `
global_defs {
 router_id NODE
 notification_email { ops@example.com }
 smtp_server mx 2525
 smtp_alert
 vrrp_notify_fifo /f
 vrrp_notify_fifo_script /reader
 EXTRA
}`;
const globals = (extra = ""): string => GLOBALS.replace("EXTRA", extra);

function setUp(text: string) {
  const timers = createVirtualTimers();
  const spawner = createFakeSpawner();
  const fifos = createFakeFifos();
  const mails: MailOrder[] = [];
  const day = { stopping: false };
  const notifier = createNotifier({
    timers,
    spawner,
    fifos,
    mailer: { send: async (order) => void mails.push(order) },
    wallMillis: () => 0,
    publish: () => undefined,
    stopping: () => day.stopping,
  });
  notifier.configure(configOf(text));
  const enter = (name: string, to: VrrpStateName, priority = 100): void =>
    notifier.report(name, { kind: "state", from: "BACKUP", to, cause: { code: "recovered" }, priority });
  const lines = (): string[] => fifos.pipes.get("/f")?.lines.map((line) => line.trimEnd()) ?? [];
  return { timers, spawner, fifos, mails, day, notifier, enter, lines };
}

const LOWER: VrrpReport = {
  kind: "lower-priority-advert",
  source: "192.0.2.9" as never,
  priority: 50,
  ours: 150,
  state: "MASTER",
};

test("lines are keepalived's, byte for byte", () => {
  const { enter, notifier, lines, fifos } = setUp(globals("vrrp_notify_priority_changes") + instance("VI_1", 1));
  enter("VI_1", "BACKUP", 150);
  enter("VI_1", "MASTER", 150);
  notifier.report("VI_1", LOWER);
  notifier.report("VI_1", { kind: "priority", from: 150, to: 120 });
  enter("VI_1", "FAULT", 120);
  notifier.report("VI_1", { kind: "priority", from: 120, to: 150 });
  notifier.group("G1", "FAULT");
  expect(lines()).toEqual([
    'INSTANCE "VI_1" BACKUP 150',
    'INSTANCE "VI_1" MASTER 150',
    'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 150',
    'INSTANCE "VI_1" MASTER_PRIORITY 120',
    'INSTANCE "VI_1" FAULT 120',
    'INSTANCE "VI_1" BACKUP_PRIORITY 150',
    'GROUP "G1" FAULT 0',
  ]);
  expect(fifos.pipes.get("/f")?.lines[0]).toBe('INSTANCE "VI_1" BACKUP 150\n');
});

test("priority changes are told where the instance or its default says so", () => {
  const { notifier, enter, lines } = setUp(globals() + instance("A", 1, "notify_priority_changes") + instance("B", 2));
  for (const name of ["A", "B"]) {
    enter(name, "BACKUP");
    notifier.report(name, { kind: "priority", from: 100, to: 90 });
  }
  expect(lines()).toEqual(['INSTANCE "A" BACKUP 100', 'INSTANCE "A" BACKUP_PRIORITY 90', 'INSTANCE "B" BACKUP 100']);
});

test("an instance that a reload removes is told as FAULT, with notify_deleted as DELETED, at a stop as STOP", () => {
  const { notifier, enter, lines, day } = setUp(
    globals() + instance("A", 1, "notify_deleted") + instance("B", 2) + instance("C", 3),
  );
  notifier.configure(configOf(globals() + instance("C", 3)));
  enter("A", "STOP");
  enter("B", "STOP");
  day.stopping = true;
  enter("C", "STOP");
  expect(lines()).toEqual(['INSTANCE "A" DELETED 100', 'INSTANCE "B" FAULT 100', 'INSTANCE "C" STOP 100']);
});

test("a reload writes all states where the file asks for it, and leaves pipe and reader alone", async () => {
  const text = globals("fifo_write_vrrp_states_on_reload") + instance("A", 1);
  const group = "\nvrrp_sync_group G { group { A } }";
  const { notifier, enter, lines, spawner, timers } = setUp(text + group);
  await timers.advance(millis(1));
  enter("A", "MASTER", 110);
  notifier.group("G", "MASTER");
  notifier.configure(configOf(text + instance("B", 2) + group));
  await timers.advance(millis(1));
  expect(lines().slice(2)).toEqual(['GROUP "G" MASTER 0', 'INSTANCE "A" MASTER 110']);
  expect(spawner.started).toHaveLength(1);
});

test("a reload says nothing of groups and instances that are gone, also not when the name comes again", () => {
  const text = globals("fifo_write_vrrp_states_on_reload") + instance("A", 1);
  const group = "\nvrrp_sync_group G { group { A } }";
  const { notifier, enter, lines } = setUp(text + instance("B", 2) + instance("C", 3) + group);
  for (const name of ["A", "B", "C"]) enter(name, "BACKUP");
  notifier.group("G", "BACKUP");
  // The end of B is reported before the reload, that of C, which has something to release, after it.
  enter("B", "STOP");
  notifier.configure(configOf(text));
  enter("C", "STOP");
  expect(lines().slice(4)).toEqual(['INSTANCE "B" FAULT 100', 'INSTANCE "A" BACKUP 100', 'INSTANCE "C" FAULT 100']);
  notifier.configure(configOf(text + instance("B", 2) + instance("C", 3) + group));
  expect(lines().slice(7)).toEqual(['INSTANCE "A" BACKUP 100']);
});

test("a changed reader is another pipe: the old reader is let go, the new one begins", async () => {
  const { notifier, spawner, timers } = setUp(globals() + instance("A", 1));
  await timers.advance(millis(1));
  notifier.configure(configOf(globals().replace("/reader", "/other") + instance("A", 1)));
  await timers.advance(millis(1_100));
  expect(spawner.running().map(({ argv }) => argv[0])).toEqual(["/other"]);
});

test("mail: keepalived's subject and body, never the same state twice, no_email_faults", async () => {
  const text = globals("no_email_faults") + instance("VI_1", 1) + instance("VI_2", 2, "smtp_alert off") + GROUPS;
  const { enter, notifier, mails, timers } = setUp(text);
  for (const state of ["BACKUP", "MASTER", "MASTER", "FAULT"] as const) {
    enter("VI_1", state);
    enter("VI_2", state);
  }
  notifier.group("G1", "MASTER");
  notifier.group("G2", "MASTER");
  await timers.advance(millis(1));
  expect(mails.map(({ subject, body }) => [subject, body])).toEqual([
    ["[NODE] VRRP Instance VI_1 - Entering BACKUP state", "=> VRRP Instance is no longer owning VRRP VIPs <="],
    ["[NODE] VRRP Instance VI_1 - Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <="],
    ["[NODE] VRRP Group G1 - Entering MASTER state", "=> All VRRP group instances are now in MASTER state <="],
  ]);
});
