/** `holdfast history` and `holdfast events`: the journal and the live stream, one line per event. */
import type { EventEntry, HistoryReply } from "../../control/contract/types.ts";
import { eventInWords } from "../../core/events/explain.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { stampText } from "../time-text.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface HistoryOptions {
  readonly json?: boolean;
  readonly instance?: string;
  readonly kind?: string;
  readonly server?: string;
  readonly limit?: string;
  readonly since?: string;
}

export interface EventsOptions extends HistoryOptions {
  readonly follow?: boolean;
}

export interface OfflineQuery {
  readonly stateDir: string;
  readonly instance?: string | undefined;
  readonly kind?: string | undefined;
  readonly server?: string | undefined;
  readonly since?: number | undefined;
  readonly limit: number;
}

/** Reads the journal of a daemon that is not running; given by the composition root. */
export type ReadOffline = (query: OfflineQuery) => Promise<HistoryReply>;

export interface HistorySetting {
  readonly readOffline: ReadOffline;
  readonly stateDir: string;
  /** --state-dir was given: the files are read without asking a daemon. */
  readonly offline: boolean;
}

const DEFAULT_LIMIT = 200;

export async function historyCommand(
  context: CommandContext,
  options: HistoryOptions,
  setting: HistorySetting,
): Promise<number> {
  const limit = wholeNumber("--limit", options.limit) ?? DEFAULT_LIMIT;
  const since = wholeNumber("--since", options.since);
  const { instance, kind, server } = options;
  const offline = (): Promise<HistoryReply> =>
    setting.readOffline({ stateDir: setting.stateDir, instance, kind, server, since, limit });
  let reply: HistoryReply;
  if (setting.offline) reply = await offline();
  else {
    try {
      reply = await context.client.get<HistoryReply>(
        `/v1/history?${queryText({ instance, kind, server, since, limit })}`,
      );
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.notRunning) throw error;
      reply = await offline();
      context.terminal.err(`holdfast is not running; this is its journal in ${setting.stateDir}\n`);
    }
  }
  return showHistory(context, reply, options);
}

function showHistory({ terminal }: CommandContext, reply: HistoryReply, options: HistoryOptions): number {
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(reply.events.map((entry) => `${renderEvent(entry)}\n`).join(""));
  for (const problem of reply.problems) terminal.err(`journal: ${problem}\n`);
  return reply.events.length === 0 && reply.problems.length > 0 ? EXIT.failed : EXIT.ok;
}

export function renderEvent(entry: EventEntry): string {
  return `${stampText(entry.time)}  ${eventInWords(entry.body)}`;
}

export async function eventsCommand(context: CommandContext, options: EventsOptions): Promise<number> {
  const { terminal, client, signal } = context;
  const print = (entry: EventEntry): void =>
    terminal.out(options.json === true ? `${JSON.stringify(entry)}\n` : `${renderEvent(entry)}\n`);
  const { instance, server } = options;
  const since = wholeNumber("--since", options.since);
  if (options.follow !== true) {
    const limit = wholeNumber("--limit", options.limit) ?? DEFAULT_LIMIT;
    const reply = await client.get<HistoryReply>(`/v1/history?${queryText({ instance, server, since, limit })}`);
    reply.events.forEach(print);
    return EXIT.ok;
  }
  await client.follow(`/v1/events?${queryText({ instance, server, since })}`, print, signal);
  if (signal.aborted) return EXIT.ok;
  throw new CliError("the daemon ended the stream of events", EXIT.notRunning);
}

function queryText(fields: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new CliError(`${option} ${text} is not a whole number`, EXIT.usage);
  return Number(text);
}
