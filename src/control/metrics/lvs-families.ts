/** Metrics of virtual services and their real servers: of all that `lvs status` shows, those of others as well. */
import type { LvsServerView, LvsServiceView, LvsStatusReply } from "../contract/types.ts";
import type { EventCounts } from "./event-counts.ts";
import { counter, type Family, flag, gauge, type Sample } from "./exposition.ts";

const SECOND = 1_000;

/** `lvs` null: this daemon has nothing to do with IPVS. */
export function lvsFamilies(lvs: LvsStatusReply | null, counts: EventCounts): readonly Family[] {
  const services = lvs?.services ?? [];
  return [
    gauge([
      "lvs_kernel_ready",
      "1 when the kernel has IPVS; absent while the configuration has no virtual server.",
      lvs === null || lvs.kernel === "unused" ? [] : [{ value: flag(lvs.kernel === "ready") }],
    ]),
    gauge([
      "lvs_refused_services",
      "Virtual services of which the kernel has refused something.",
      lvs === null || lvs.kernel === "unused" ? [] : [{ value: lvs.refused.length }],
    ]),
    ...serviceFamilies(services),
    ...serverFamilies(services),
    ...checkerFamilies(services),
    counter([
      "lvs_server_changes_total",
      "How often a real server came into its pool (up) or left it (down) by its checks.",
      counts.serverChanges.samples(),
    ]),
  ];
}

function serviceFamilies(services: readonly LvsServiceView[]): readonly Family[] {
  const each = (value: (view: LvsServiceView) => number | null): readonly Sample[] =>
    services.flatMap((view) => {
      const measured = value(view);
      return measured === null ? [] : [{ labels: { service: view.service }, value: measured }];
    });
  return [
    gauge([
      "lvs_service_present",
      "1 when a virtual service is in the kernel's table.",
      each((it) => flag(it.present)),
    ]),
    gauge([
      "lvs_service_quorum",
      "1 while its live servers weigh enough; absent for services of others.",
      each(({ quorum }) => (quorum === null ? null : flag(quorum.up))),
    ]),
    gauge([
      "lvs_service_live_weight",
      "Weight that its live servers have together.",
      each(({ quorum }) => quorum?.weight ?? null),
    ]),
    counter(["lvs_service_connections_total", "Connections, as the kernel counts.", each((it) => it.connections)]),
    counter(["lvs_service_in_bytes_total", "Bytes from clients.", each((it) => it.inBytes)]),
    counter(["lvs_service_out_bytes_total", "Bytes to clients; with NAT only.", each((it) => it.outBytes)]),
  ];
}

function serverFamilies(services: readonly LvsServiceView[]): readonly Family[] {
  const each = (value: (view: LvsServerView) => number | null): readonly Sample[] =>
    services.flatMap(({ service, servers }) =>
      servers.flatMap((view) => {
        const measured = value(view);
        return measured === null ? [] : [{ labels: { service, server: view.server }, value: measured }];
      }),
    );
  return [
    gauge(["lvs_server_up", "1 while a server gets new connections.", each(({ state }) => flag(state === "up"))]),
    gauge([
      "lvs_server_alive",
      "1 while its checks let it be; absent for servers that the file does not name.",
      each(({ pool }) => (pool === null ? null : flag(pool.alive))),
    ]),
    gauge(["lvs_server_drained", "1 while an operator drains it.", each(({ state }) => flag(state === "drained"))]),
    gauge(["lvs_server_weight", "Weight in the kernel's table; 0 when it is not there.", each((it) => it.weight)]),
    gauge(["lvs_server_active_connections", "Connections that are open.", each((it) => it.active)]),
    gauge(["lvs_server_inactive_connections", "Connections in every other state.", each((it) => it.inactive)]),
    counter([
      "lvs_server_connections_total",
      "Connections since it came into the table.",
      each((it) => it.connections),
    ]),
    counter(["lvs_server_in_bytes_total", "Bytes from clients to it.", each((it) => it.inBytes)]),
    counter(["lvs_server_out_bytes_total", "Bytes from it; with NAT only.", each((it) => it.outBytes)]),
  ];
}

/** The number tells apart checkers of one kind, in the order of the file. */
function checkerFamilies(services: readonly LvsServiceView[]): readonly Family[] {
  const checkers = services.flatMap(({ service, servers }) =>
    servers.flatMap(({ server, pool }) =>
      (pool?.checkers ?? []).map((view, at) => ({
        view,
        labels: { service, server, checker: view.checker, number: at + 1 },
      })),
    ),
  );
  return [
    gauge([
      "lvs_checker_up",
      "1 while a checker counts as passed.",
      checkers.map(({ view, labels }) => ({ labels, value: flag(view.up) })),
    ]),
    gauge([
      "lvs_checker_last_run_seconds",
      "When a checker ran last, seconds since the epoch; absent before its first result.",
      checkers.flatMap(({ view: { lastRunAt }, labels }) =>
        lastRunAt === null ? [] : [{ labels, value: lastRunAt / SECOND }],
      ),
    ]),
  ];
}
