/** The table of `holdfast status`: pure text from a StatusReply. */
import type { DatabaseView, InstanceView, StatusReply } from "../control/contract/types.ts";
import { lengthInWords } from "../core/events/explain.ts";
import { quorumLines } from "./render-quorum.ts";
import { type Cell, type Column, tableLines, wrap } from "./table.ts";
import { plain, type Style, type Terminal } from "./terminal.ts";
import { clockText, shortLength } from "./time-text.ts";

const COLUMNS: readonly Column[] = [
  { title: "INSTANCE", most: 16 },
  { title: "STATE" },
  { title: "PRIO" },
  { title: "SINCE" },
  { title: "ADDRESS" },
  { title: "HELD" },
  { title: "MASTER" },
  { title: "LEASE" },
];
const THIS_NODE = "this node";

/** On a narrow screen the last two go to a line of their own. */
const NARROW = COLUMNS.slice(0, -2);

type Screen = Pick<Terminal, "width" | "paint">;

export function renderStatus(reply: StatusReply, screen: Screen): string {
  const lines = [...headLines(reply, screen), ""];
  if (reply.instances.length === 0) lines.push(noInstances(reply));
  else lines.push(...instanceLines(reply, screen));
  lines.push(
    ...serverLines("mysql", reply, screen),
    ...serverLines("redis", reply, screen),
    ...peerLines(reply, screen),
    ...quorumLines(reply, screen),
  );
  return `${lines.join("\n")}\n`;
}

const STANDINGS: Readonly<Record<DatabaseView["standing"], { readonly text: string; readonly style: Style }>> = {
  unknown: { text: "not looked at yet", style: "warn" },
  ok: { text: "ok", style: "good" },
  unfit: { text: "not fit to take over", style: "warn" },
  failed: { text: "FAILED", style: "bad" },
};

/** One line for each database server, and below it what is wrong. */
function serverLines(product: "mysql" | "redis", reply: StatusReply, { width, paint }: Screen): string[] {
  const servers: readonly DatabaseView[] = reply[product];
  const { now } = reply;
  return servers.flatMap(({ name, server, version, standing, trouble, since, remarks }) => {
    const { text, style } = STANDINGS[standing];
    const length = since === null ? "" : ` for ${lengthInWords(now - since)}`;
    const head = `${product} ${name} (${server}${version === null ? "" : `, ${version}`}): ${text}${length}`;
    const wrong = [...(trouble === null ? [] : [trouble]), ...remarks];
    return ["", paint(style, head), ...wrong.flatMap((line) => wrap(line, { width, indent: "  " }))];
  });
}

/** One line for each peer of peer_link; its instances when it was last asked. */
function peerLines({ peers, now }: StatusReply, { width, paint }: Screen): string[] {
  return peers.flatMap(({ peer, connected, since, detail, host, version, instances, askedAt }) => {
    const name = host === null ? peer : `${peer} (${host}, holdfast ${version})`;
    const length = since === null ? "" : ` for ${lengthInWords(now - since)}`;
    const head = `peer ${name}: ${connected ? "connected" : "NOT CONNECTED"}${length}`;
    const why = detail === null ? [] : wrap(detail, { width, indent: "  " });
    const age = askedAt === null || connected ? "" : `, ${lengthInWords(now - askedAt)} ago`;
    const states = instances.map(
      (one) =>
        `  ${one.name} ${one.phase}, priority ${one.priority}${one.holding ? ", holds its addresses" : ""}${age}`,
    );
    return ["", paint(connected ? "good" : "bad", head), ...why, ...states];
  });
}

function instanceLines(reply: StatusReply, screen: Screen): string[] {
  const table = (columns: readonly Column[], paint: Screen["paint"]): string[] => {
    const rows = reply.instances.flatMap((view) => rowsOf(view, reply, { width: screen.width, columns }));
    return tableLines(columns, rows, paint);
  };
  const fits = table(COLUMNS, plain).every((line) => line.length <= screen.width);
  return table(fits ? COLUMNS : NARROW, screen.paint);
}

function headLines(reply: StatusReply, { paint, width }: Screen): string[] {
  const { daemon, keeper } = reply;
  const up = lengthInWords(reply.now - daemon.startedAt);
  const keeperText = keeper.pid === null ? `keeper ${keeper.state}` : `keeper ${keeper.pid} ${keeper.state}`;
  const times = keeper.restarts === 1 ? "once" : `${keeper.restarts} times`;
  const restarts = keeper.restarts === 0 ? "" : `, restarted ${times}`;
  const lines = [
    `holdfast ${daemon.version}, pid ${daemon.pid}, up ${up}, ${keeperText}${restarts}`,
    `${daemon.configFile}, state in ${daemon.stateDir}`,
  ];
  for (const warning of warningsOf(reply)) {
    for (const line of wrap(warning, { width, indent: "" })) lines.push(paint("warn", line));
  }
  return lines;
}

function warningsOf(reply: StatusReply): string[] {
  const warnings: string[] = [];
  if (reply.daemon.stopping) warnings.push("The daemon is stopping.");
  if (reply.stale) warnings.push("The keeper does not answer: what follows is its last known state.");
  if (reply.keeper.detail !== null) warnings.push(`Keeper: ${reply.keeper.detail}.`);
  if (!reply.journal.writable) warnings.push(`The journal cannot be written: ${reply.journal.detail ?? "unknown"}.`);
  if (reply.lastReload?.outcome === "refused") {
    warnings.push(
      `The last reload was refused at ${clockText(reply.lastReload.at, reply.now)}: ${reply.lastReload.detail}`,
    );
  }
  const findings = reply.diagnostics.filter((one) => one.severity !== "info").length;
  if (findings > 0)
    warnings.push(
      `The configuration has ${findings} warning${findings === 1 ? "" : "s"}: \`holdfast check\` shows them.`,
    );
  return warnings;
}

function noInstances(reply: StatusReply): string {
  return reply.stale ? "No instance is known yet." : `${reply.daemon.configFile} defines no vrrp_instance.`;
}

interface Layout {
  readonly width: number;
  readonly columns: readonly Column[];
}

function rowsOf(view: InstanceView, reply: StatusReply, { width, columns }: Layout): Row[] {
  const [first, ...more] = view.addresses;
  const details: Cell[] = view.syncGroup === null ? [] : [{ text: `  sync group ${view.syncGroup}` }];
  if (view.reason !== null) {
    const style: Style = view.state === "FAULT" ? "bad" : "warn";
    for (const text of wrap(view.reason, { width, indent: "  " })) details.push({ text, style });
  }
  if (view.splitBrain !== null) {
    const { signs, detail } = view.splitBrain;
    for (const text of wrap(`SPLIT BRAIN: ${signs.join("; ")}. ${detail}`, { width, indent: "  " }))
      details.push({ text, style: "bad" });
  }
  const cells = mainCells(view, reply, first ?? "-");
  const moved = cells.slice(columns.length).map((cell, index) => ({ cell, column: COLUMNS[columns.length + index] }));
  const said = moved.filter(({ cell }) => cell.text !== "-" && cell.text !== THIS_NODE);
  if (said.length > 0) {
    details.unshift({
      text: `  ${said.map(({ cell, column }) => `${column?.title.toLowerCase()} ${cell.text}`).join(", ")}`,
    });
  }
  const rows: Row[] = [{ cells: cells.slice(0, columns.length), details: more.length === 0 ? details : [] }];
  more.forEach((address, index) => {
    const below = ["", "", "", "", address].map((text) => ({ text }));
    rows.push({ cells: below, details: index === more.length - 1 ? details : [] });
  });
  return rows;
}

interface Row {
  readonly cells: readonly Cell[];
  readonly details: readonly Cell[];
}

function mainCells(view: InstanceView, reply: StatusReply, address: string): Cell[] {
  const priority = view.priority === view.basePriority ? `${view.priority}` : `${view.priority}/${view.basePriority}`;
  const since = `${clockText(view.since, reply.now)} ${shortLength(view.forMillis)}`;
  return [
    { text: view.name, style: "strong" },
    { text: view.phase, style: phaseStyle(view) },
    { text: priority },
    { text: since },
    { text: address },
    { text: heldText(view, reply.stale) },
    { text: masterText(view) },
    { text: leaseText(view) },
  ];
}

function leaseText({ leaseRemainingMillis: lease, fenceRemainingMillis: fence }: InstanceView): string {
  const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)}s`;
  const parts = [...(lease === null ? [] : [seconds(lease)]), ...(fence === null ? [] : [`fence ${seconds(fence)}`])];
  return parts.length === 0 ? "-" : parts.join(", ");
}

/** A last known "yes" is no longer a yes. */
function heldText(view: InstanceView, stale: boolean): string {
  if (view.addresses.length === 0) return "-";
  if (!view.holding) return "no";
  return stale ? "yes?" : "yes";
}

function masterText(view: InstanceView): string {
  if (view.state === "MASTER") return THIS_NODE;
  return view.master === null ? "-" : `${view.master.source}`;
}

function phaseStyle(view: InstanceView): Style {
  if (view.phase === "MASTER") return view.holding || view.addresses.length === 0 ? "good" : "warn";
  if (view.phase === "FAULT") return "bad";
  return view.phase === "BACKUP" ? "strong" : "warn";
}
