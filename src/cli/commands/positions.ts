/** `holdfast positions NAME`: what an administrator reads on each server before and after a move, side by side; watched, what still moves. */
import type { PositionsReply } from "../../control/contract/types.ts";
import { lengthInWords } from "../../core/events/explain.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, pause, printJson } from "./context.ts";

export interface PositionsOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

type Server = PositionsReply["servers"][number];

const WATCH_MILLIS = 1_000;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

/** 0: every server answers; 1: one does not. */
export async function positionsCommand(
  { client, terminal, signal }: CommandContext,
  name: string,
  options: PositionsOptions,
): Promise<number> {
  const moves = new Moves();
  for (;;) {
    const reply = await client.get<PositionsReply>(`/v1/mysql/positions?name=${encodeURIComponent(name)}`);
    if (options.watch === true && terminal.isTty && options.json !== true) terminal.out(CLEAR_SCREEN);
    if (options.json === true && options.watch === true) terminal.out(`${JSON.stringify(reply)}\n`);
    else if (options.json === true) printJson(terminal, reply);
    else
      terminal.out(reply.servers.map((server) => serverText(server, options.watch === true ? moves : null)).join("\n"));
    if (options.watch !== true) return reply.servers.every(({ trouble }) => trouble === null) ? EXIT.ok : EXIT.failed;
    await pause(WATCH_MILLIS, signal);
    if (signal.aborted) return EXIT.ok;
  }
}

/** Since when a value is what it is. */
class Moves {
  readonly #seen = new Map<string, { value: string; since: number }>();

  note(key: string, value: string, now: number): string {
    const known = this.#seen.get(key);
    if (known?.value === value) return `unchanged for ${lengthInWords(now - known.since)}`;
    this.#seen.set(key, { value, since: now });
    return known === undefined ? "" : "still moving";
  }
}

/** `moves` null: without what has changed since the last look. */
export function serverText(server: Server, moves: Moves | null): string {
  const { address, own, trouble, version, closedBy, lines, channels } = server;
  const head = `${address}${own ? " (this host's)" : ""}: `;
  if (trouble !== null) return `${head}${trouble}\n`;
  const state = closedBy === null ? "open for writes" : `closed (${closedBy})`;
  const rows = [
    ...lines.map(({ name, value }) => row("  ", { name, value }, moves?.note(`${address} ${name}`, value, Date.now()))),
    ...channels.flatMap((channel) => channelRows(address, channel, moves)),
  ];
  return `${head}${version}, ${state}\n${rows.join("")}`;
}

function channelRows(address: string, channel: Server["channels"][number], moves: Moves | null): string[] {
  const { source, io, sql, lag, drained, lines } = channel;
  const name = channel.channel === "" ? "" : ` (channel ${channel.channel})`;
  const behind = lag === null ? "" : `, ${lag} s behind`;
  const done =
    drained === null ? "" : drained ? ", everything received is executed" : ", not everything received is executed";
  return [
    `  from ${source}${name}: I/O thread ${io}, SQL thread ${sql}${behind}${done}\n`,
    ...lines.map((line) => row("    ", line, moves?.note(`${address} ${name} ${line.name}`, line.value, Date.now()))),
  ];
}

function row(indent: string, { name, value }: { readonly name: string; readonly value: string }, moved = ""): string {
  return `${indent}${name.padEnd(48 - indent.length)}${value}${moved === "" ? "" : `  ${moved}`}\n`;
}
