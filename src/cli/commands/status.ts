/** `holdfast status`: once, watched, or until an instance has reached a state. */
import type { InstanceView, StatusReply } from "../../control/contract/types.ts";
import { lengthInWords } from "../../core/events/explain.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { renderStatus } from "../render-status.ts";
import { type CommandContext, pause, printJson } from "./context.ts";

export interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly wait?: string;
  /** Seconds, as typed. */
  readonly timeout?: string;
}

const WATCH_MILLIS = 1_000;
const WAIT_STEP_MILLIS = 200;
const DEFAULT_WAIT_SECONDS = 60;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

export async function statusCommand(context: CommandContext, options: StatusOptions): Promise<number> {
  if (options.wait === undefined && options.timeout !== undefined) {
    throw new CliError("--timeout says how long --wait waits, and there is no --wait", EXIT.usage);
  }
  if (options.wait !== undefined) return waitFor(context, options.wait, options);
  if (options.watch === true) return watch(context, options);
  show(context, await context.client.get<StatusReply>("/v1/status"), options);
  return EXIT.ok;
}

function show({ terminal }: CommandContext, reply: StatusReply, options: StatusOptions): void {
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(renderStatus(reply, terminal));
}

async function watch(context: CommandContext, options: StatusOptions): Promise<number> {
  const { terminal, client, signal } = context;
  while (!signal.aborted) {
    const reply = await client.get<StatusReply>("/v1/status");
    if (terminal.isTty && options.json !== true) terminal.out(CLEAR_SCREEN);
    if (options.json === true) terminal.out(`${JSON.stringify(reply)}\n`);
    else terminal.out(renderStatus(reply, terminal));
    await pause(WATCH_MILLIS, signal);
  }
  return EXIT.ok;
}

interface Wanted {
  readonly instance: string;
  readonly state: string;
}

const STATES = ["INIT", "BACKUP", "MASTER", "FAULT", "STOP", "PREPARING", "CLAIMING", "RELEASING"];

/** Reads "VI_82=MASTER". */
function parseWanted(text: string): Wanted {
  const split = text.lastIndexOf("=");
  const state = text.slice(split + 1).toUpperCase();
  if (split < 1 || !STATES.includes(state)) {
    throw new CliError(
      `--wait ${text} is not INSTANCE=STATE`,
      EXIT.usage,
      `write for example --wait VI_1=MASTER; states: ${STATES.join(", ")}`,
    );
  }
  return { instance: text.slice(0, split), state };
}

/** MASTER counts once clients can reach the address: on the interface and announced. */
function isReached(view: InstanceView, state: string): boolean {
  if (state !== "MASTER") return view.phase === state || view.state === state;
  return view.phase === "MASTER" && (view.holding || view.addresses.length === 0);
}

function readSeconds(text: string | undefined): number {
  if (text === undefined) return DEFAULT_WAIT_SECONDS;
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) {
    throw new CliError(`--timeout ${text} is not a number of seconds`, EXIT.usage, "write for example --timeout 30");
  }
  return Number(text);
}

/** Asks once. A daemon that is just starting does not answer yet: that is part of what is waited for. */
async function askOnce({ client }: CommandContext): Promise<StatusReply | CliError> {
  try {
    return await client.get<StatusReply>("/v1/status");
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.notRunning) return error;
    throw error;
  }
}

function isSo(reply: StatusReply, wanted: Wanted): boolean {
  const view = find(reply, wanted.instance);
  return view !== undefined && !reply.stale && isReached(view, wanted.state);
}

/** A daemon that answers for itself and for its keeper knows its instances: waiting would not bring another one. */
const isUnknown = (last: StatusReply | CliError, wanted: Wanted): boolean =>
  !(last instanceof CliError) && !last.stale && find(last, wanted.instance) === undefined;

async function waitFor(context: CommandContext, text: string, options: StatusOptions): Promise<number> {
  const wanted = parseWanted(text);
  const limit = readSeconds(options.timeout) * 1_000;
  const startedAt = performance.now();
  let left = limit;
  let last = await askOnce(context);
  while (last instanceof CliError || !isSo(last, wanted)) {
    if (left <= 0 || isUnknown(last, wanted) || context.signal.aborted) return giveUp(context, last, { wanted, limit });
    await pause(Math.min(WAIT_STEP_MILLIS, left), context.signal);
    left = limit - (performance.now() - startedAt);
    last = await askOnce(context);
  }
  if (options.json === true) printJson(context.terminal, last);
  return EXIT.ok;
}

function giveUp(
  { terminal }: CommandContext,
  last: StatusReply | CliError,
  { wanted, limit }: { readonly wanted: Wanted; readonly limit: number },
): number {
  if (last instanceof CliError) throw last;
  terminal.err(`holdfast: ${notReached(last, wanted, limit)}\n`);
  return EXIT.failed;
}

const find = (reply: StatusReply, name: string): InstanceView | undefined =>
  reply.instances.find((view) => view.name === name);

function notReached(reply: StatusReply, wanted: Wanted, limit: number): string {
  const view = find(reply, wanted.instance);
  if (view === undefined) {
    const known = reply.instances.map((one) => one.name).join(", ");
    return `there is no instance ${wanted.instance}${known === "" ? "" : `; the daemon runs ${known}`}`;
  }
  const head = `${wanted.instance} is not ${wanted.state} after ${lengthInWords(limit)}`;
  const why = view.reason === null ? "" : `: ${view.reason}`;
  const held = wanted.state === "MASTER" && view.phase === "MASTER" ? ", but the address is not announced yet" : "";
  const master = view.state === "BACKUP" && view.master !== null ? `; the master is ${view.master.source}` : "";
  return `${head}: it is ${view.phase}${held} for ${lengthInWords(view.forMillis)}${why}${master}. See: holdfast explain ${view.name}`;
}
