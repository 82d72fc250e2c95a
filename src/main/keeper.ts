/**
 * The keeper: the process that holds addresses. A blocking loop over sockets, netlink and the socket pair; no promises,
 * no package but koffi (inside linux/libc.ts). Started by control with the socket pair as descriptor 3; of no use alone.
 */

import type { Result } from "../core/lib/result.ts";
import { earliest } from "../core/lib/units.ts";
import type { FromKeeper, ToKeeper } from "../core/link/messages.ts";
import { EXIT_DO_NOT_RESTART, LINK_FD } from "../core/link/messages.ts";
import { FENCE_TABLE } from "../core/nftables/fence.ts";
import type { HostConfig } from "../core/routing/host.ts";
import { catchUp, createKeeperLoop } from "../engine/keeper-loop.ts";
import { createKeeperTuner } from "../engine/keeper-settings.ts";
import { createKeeperVoice } from "../engine/keeper-voice.ts";
import { createRehearsal } from "../engine/rehearsal.ts";

import { createVrrpEngine } from "../engine/vrrp-engine.ts";
import { warmUp } from "../engine/warm-up.ts";
import { createAdvertPort } from "../linux/advert-port.ts";
import { openAnnouncePort } from "../linux/announce-port.ts";
import { createArena } from "../linux/arena.ts";
import { createMonotonicClock, createWallClock } from "../linux/clock.ts";
import { openConflictWatch } from "../linux/conflict-watch.ts";
import { createDigestPort } from "../linux/digest.ts";
import { createFence } from "../linux/fence.ts";
import { createFirewall } from "../linux/firewall.ts";
import { createInterfaceSettings } from "../linux/interface-settings.ts";
import { type KernelNotice, openKernelMonitor } from "../linux/kernel-monitor.ts";
import { openKernelPort } from "../linux/kernel-port.ts";
import { openLinkSocket } from "../linux/link-socket.ts";
import { openNeighbourWatch } from "../linux/neighbour-watch.ts";
import { openNftables } from "../linux/nftables.ts";
import { createOwnProcess } from "../linux/own-process.ts";
import { exitNow, ignoreControlSignals, isAlive, setPreciseTimers, setProcessName } from "../linux/process.ts";
import { createReactor } from "../linux/reactor.ts";
import { openRoutingMonitor, type RoutingNotice } from "../linux/routing-monitor.ts";
import { openRoutingPort } from "../linux/routing-port.ts";
import { openVirtualInterfaces } from "../linux/virtual-interfaces.ts";
import type { AddressConflict, ConflictPort, KernelError, ReceivedPacket } from "../ports/network.ts";

/** Orders come by the socket pair alone: first of all no signal may end us half way. */
ignoreControlSignals();
setPreciseTimers();

const arena = createArena();
const clock = createMonotonicClock(arena);
// vrrp_process_name, if configured.
setProcessName(arena, process.argv[2] ?? "holdfast-vrrp");
const reactor = createReactor(arena, clock);
const kernel = required(openKernelPort(arena));
const routing = required(openRoutingPort(arena));
const announce = required(openAnnouncePort(arena));
const found: AddressConflict[] = [];
const watching = { arena, watcher: reactor, onConflict: (conflict: AddressConflict) => void found.push(conflict) };
const arpWatch = required(openConflictWatch(watching));
/** A kernel without IPv6 has no such socket, and no such address. */
const neighbourWatch = openNeighbourWatch(watching);
const conflicts: ConflictPort = {
  watch(held, ownMacs) {
    arpWatch.watch(held, ownMacs);
    if (neighbourWatch.ok) neighbourWatch.value.watch(held, ownMacs);
  },
};
const owner = process.pid;
const virtualInterfaces = required(openVirtualInterfaces({ arena, owner, isAlive, onRefused: refused }));
const onRemoval = (table: string): void =>
  engine.handleFirewallTouched(table.startsWith(FENCE_TABLE) ? "fence" : "rules");
const nftables = openNftables({ arena, owner, isAlive, watch: { watcher: reactor, onRemoval } });
const packets: { onPacket: (packet: ReceivedPacket) => void; onFullBatch: () => void } = {
  onPacket: () => undefined,
  onFullBatch: () => undefined,
};
const adverts = createAdvertPort({
  arena,
  watcher: reactor,
  onPacket: (packet) => packets.onPacket(packet),
  onFullBatch: () => packets.onFullBatch(),
});

const link = openLinkSocket({ arena, reactor, descriptor: LINK_FD, onLine: receiveLine, onClose: controlGone });
const voice = createKeeperVoice((message) => link.send(JSON.stringify(message), message.type === "heartbeat"));
const send = (message: FromKeeper): void => voice.send(message);

const settings = createInterfaceSettings();
const engine = createVrrpEngine({
  pid: process.pid,
  clock,
  keys: { digests: createDigestPort(), wallClock: createWallClock(arena) },
  adverts,
  kernel,
  announce,
  conflicts,
  routing,
  settings,
  virtualInterfaces,
  firewall: createFirewall(nftables),
  fence: createFence(nftables),
  send,
});
const tuner = createKeeperTuner(createOwnProcess(arena), (body) => send({ type: "event", at: clock.now(), body }));
const loop = createKeeperLoop(engine, {
  send,
  onSettings: (settings) => tuner.apply(settings),
  onPause: voice.pause,
  onHello: voice.resume,
});
packets.onPacket = (packet) => engine.handlePacket(packet);
packets.onFullBatch = () => engine.sendDue();
const monitor = required(
  openKernelMonitor({ arena, watcher: reactor, ownPort: kernel.port, onNotices: kernelChanged }),
);
required(openRoutingMonitor({ arena, watcher: reactor, ownPort: routing.port, onNotices: routingLost }));

warmUp();
const rehearsal = createRehearsal(() => engine.claimIsNext());

for (;;) {
  const due = earliest(rehearsal.before(engine.nextDeadline(), clock.now()), loop.nextDeadline());
  reactor.wait(due);
  tuner.woke(due, clock.now);
  // Packets were handled inside wait(), before deadlines: a thawed BACKUP must see the adverts it slept through.
  catchUp(engine, adverts, { now: () => clock.now(), look: () => void reactor.wait(clock.now()) });
  engine.wake();
  tellConflicts();
  loop.tick(clock.now());
  if (loop.exitCode !== null) {
    link.drain();
    exitNow(loop.exitCode);
  }
}

/** A setting of the host that the kernel did not take: told, and gone on without it. */
function refused(error: KernelError): void {
  process.stderr.write(`holdfast vrrp: cannot ${error.what}: ${error.errno}\n`);
}

function receiveLine(line: string): void {
  const message = JSON.parse(line) as ToKeeper;
  if (message.type === "configure") sizeBuffers(message.host);
  loop.handleMessage(message, clock.now());
}

function sizeBuffers({ commandBuffer, monitorBuffer }: HostConfig): void {
  kernel.setReceiveBuffer(commandBuffer);
  routing.setReceiveBuffer(commandBuffer);
  monitor.setReceiveBuffer(monitorBuffer);
}

/** After everything else that came in this round: a rival's advert precedes its announcement and may have made us BACKUP. */
function tellConflicts(): void {
  if (found.length === 0) return;
  for (const { interfaceIndex, address, mac } of found.splice(0)) engine.handleConflict(interfaceIndex, address, mac);
}

/** Control has died: release without gates (nobody could run them) and end. */
function controlGone(): void {
  engine.abandon();
  exitNow(0);
}

function kernelChanged(notices: readonly KernelNotice[]): void {
  for (const notice of notices) {
    if (notice.kind === "address-removed") {
      engine.handleAddressRemoved(notice.address.interfaceIndex, notice.address.address);
    }
  }
  if (notices.some(concernsEngine)) engine.handleKernelChange();
}

function routingLost(notices: readonly RoutingNotice[]): void {
  if (notices.includes("overrun")) engine.handleRoutingOverrun();
  for (const notice of notices) if (notice !== "overrun") engine.handleRoutingLost(notice);
}

function concernsEngine(notice: KernelNotice): boolean {
  switch (notice.kind) {
    case "overrun":
      return true;
    case "link":
      return engine.concerns(notice.link.index, notice.link.name, null);
    case "link-removed":
      return engine.concerns(notice.index, notice.name, null);
    default:
      return engine.concerns(notice.address.interfaceIndex, null, notice.address.address);
  }
}

/** Without its sockets the keeper cannot do anything: say which one and what is needed, and do not come back. */
function required<T>(opened: Result<T, KernelError>): T {
  if (opened.ok) return opened.value;
  const { what, errno } = opened.error;
  const remedy = errno === "EPERM" || errno === "EACCES" ? "; needs CAP_NET_RAW and CAP_NET_ADMIN (run as root)" : "";
  process.stderr.write(`holdfast vrrp: cannot ${what}: ${errno}${remedy}\n`);
  return exitNow(EXIT_DO_NOT_RESTART);
}
