/** `holdfast lvs`: virtual servers as the kernel has them, and the draining of a real server. */

import { checkerInWords } from "../../control/contract/lvs-words.ts";
import type { DrainReply, LvsServerView, LvsServiceView, LvsStatusReply } from "../../control/contract/types.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type Cell, tableLines } from "../table.ts";
import type { Style, Terminal } from "../terminal.ts";
import { clockText } from "../time-text.ts";
import { type CommandContext, pause, printJson } from "./context.ts";

export interface LvsStatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export interface DrainOptions {
  readonly json?: boolean;
  readonly service?: string;
  /** Seconds, as typed. */
  readonly wait?: string;
}

const STEP_MILLIS = 1_000;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";
const DEFAULT_WAIT_SECONDS = 300;

/** 0: the table is as it should be; 1: IPVS is missing or has refused something. */
export async function lvsStatusCommand(context: CommandContext, options: LvsStatusOptions): Promise<number> {
  const { client, terminal, signal } = context;
  for (;;) {
    const reply = await client.get<LvsStatusReply>("/v1/lvs");
    if (options.watch === true && terminal.isTty && options.json !== true) terminal.out(CLEAR_SCREEN);
    if (options.json !== true) terminal.out(renderLvs(reply, terminal));
    else if (options.watch === true) terminal.out(`${JSON.stringify(reply)}\n`);
    else printJson(terminal, reply);
    if (options.watch !== true) return reply.kernel === "absent" || reply.refused.length > 0 ? EXIT.failed : EXIT.ok;
    await pause(STEP_MILLIS, signal);
    if (signal.aborted) return EXIT.ok;
  }
}

/** 0: no connection is left; 1: some still are when the time is over. */
export async function drainCommand(context: CommandContext, server: string, options: DrainOptions): Promise<number> {
  const { client, terminal, signal } = context;
  const seconds = Number(options.wait ?? DEFAULT_WAIT_SECONDS);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new CliError(`--wait ${options.wait} is no number of seconds`, EXIT.usage, "write --wait 60, or --wait 0");
  }
  const question = { server, service: options.service ?? null, drain: true };
  let reply = await client.post<DrainReply>("/v1/lvs/drain", question);
  const say = (text: string): void => (options.json === true ? undefined : terminal.out(text));
  say(
    `${server} gets no new connections in ${count(reply.services, "service")}; ${count(reply.active, "connection")} left\n`,
  );
  const end = Date.now() + seconds * 1_000;
  while (reply.active > 0 && Date.now() < end && !signal.aborted) {
    await pause(STEP_MILLIS, signal);
    const before = reply.active;
    reply = await client.post<DrainReply>("/v1/lvs/drain", question);
    if (reply.active !== before) say(`${count(reply.active, "connection")} left\n`);
  }
  if (options.json === true) printJson(terminal, reply);
  else if (reply.active === 0) say(`${server} is drained; \`holdfast undrain ${server}\` brings it back\n`);
  return reply.active === 0 ? EXIT.ok : EXIT.failed;
}

export async function undrainCommand(
  { client, terminal }: CommandContext,
  server: string,
  options: DrainOptions,
): Promise<number> {
  const question = { server, service: options.service ?? null, drain: false };
  const reply = await client.post<DrainReply>("/v1/lvs/drain", question);
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(`${server} gets new connections again\n`);
  return EXIT.ok;
}

export function renderLvs(reply: LvsStatusReply, { paint }: Terminal): string {
  const lines = [headOf(reply, paint)];
  for (const { order, errno, remedy } of reply.refused)
    lines.push(paint("bad", `Refused: ${order}: ${errno}; ${remedy}`));
  if (reply.services.length > 0)
    lines.push(
      "",
      ...tableLines(
        COLUMNS,
        reply.services.flatMap((service) => serviceRows(service, reply.now)),
        paint,
      ),
    );
  return `${lines.join("\n")}\n`;
}

function headOf({ kernel, version, detail, foreign, sync }: LvsStatusReply, paint: Terminal["paint"]): string {
  if (kernel === "unused") return "The configuration has no virtual server.";
  if (kernel === "absent")
    return paint("bad", `No IPVS in this kernel (${detail}): no virtual server works. modprobe ip_vs`);
  const others = foreign === 0 ? "" : `, ${count(foreign, "service")} of others`;
  const daemons = sync.map((one) => `, sync ${one.state} on ${one.interface} id ${one.id}`).join("");
  return `IPVS ${version}${others}${daemons}`;
}

const COLUMNS = [
  "Service / server",
  "State",
  "Sched / method",
  "Weight",
  "Active",
  "Inact",
  "Conns",
  "Conn/s",
  "In B/s",
  "Out B/s",
].map((title) => ({ title }));

interface Row {
  readonly cells: readonly Cell[];
  readonly details: readonly Cell[];
}

function serviceRows(service: LvsServiceView, now: number): readonly Row[] {
  const { connections, connectionRate, inByteRate, outByteRate } = service;
  const state = stateOf(service);
  const cells = [
    { text: service.service, style: "strong" as const },
    state,
    { text: service.persistence === null ? service.scheduler : `${service.scheduler} (${service.persistence} s)` },
    ...["", "", ""].map((text) => ({ text })),
    ...[connections, connectionRate, inByteRate, outByteRate].map((number) => ({ text: String(number) })),
  ];
  return [{ cells, details: quorumLines(service) }, ...service.servers.map((server) => serverRow(server, now))];
}

function quorumLines({ quorum, checking }: LvsServiceView): readonly Cell[] {
  const lines: Cell[] = [];
  if (quorum?.up === false) {
    const text = `  no quorum: ${quorum.weight} of ${quorum.needed}${quorum.sorry ? ", the sorry server stands in" : ""}`;
    lines.push({ text, style: "bad" });
  }
  if (!checking) lines.push({ text: "  checks wait for its address (ha_suspend)", style: "warn" });
  return lines;
}

function stateOf({ virtualServer, present, onlyOnMaster }: LvsServiceView): Cell {
  if (virtualServer === null) return { text: "other", style: "dim" };
  if (present) return { text: "served", style: "good" };
  return onlyOnMaster === null
    ? { text: "missing", style: "bad" }
    : { text: `on master of ${onlyOnMaster}`, style: "dim" };
}

const STYLES: Readonly<Record<LvsServerView["state"], Style>> = {
  up: "good",
  drained: "warn",
  idle: "warn",
  down: "bad",
};

function serverRow(server: LvsServerView, now: number): Row {
  const { weight, active, inactive, connections, connectionRate, inByteRate, outByteRate } = server;
  const numbers = [weight, active, inactive, connections, connectionRate, inByteRate, outByteRate];
  return {
    cells: [
      { text: `  ${server.server}` },
      { text: server.state, style: STYLES[server.state] },
      { text: server.method.toUpperCase() },
      ...numbers.map((number) => ({ text: String(number) })),
    ],
    details: checkLines(server, now),
  };
}

/** Each checker with its last result; where there is none, whatever moved the server last. */
function checkLines({ pool, cause }: LvsServerView, now: number): readonly Cell[] {
  const moment = { now, clockText: (time: number) => clockText(time, now) };
  const checkers = pool?.checkers ?? [];
  if (checkers.length === 0) return cause === null ? [] : [{ text: `      ${cause}`, style: "dim" }];
  return checkers.map((one) => {
    const style: Style = !one.up ? "bad" : one.ok === false ? "warn" : "dim";
    return { text: `      ${checkerInWords(one, moment)}`, style };
  });
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
