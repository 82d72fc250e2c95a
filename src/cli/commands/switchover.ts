/** `holdfast switchover NAME`: moves the writer of a managed group away from this host. */
import type { SwitchoverReply } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface SwitchoverOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Longer than the longest takeover_deadline twice: the daemon itself says when it is over. */
const ANSWER_MILLIS = 900_000;

/** 0: moved, or it would be; 1: refused, or everything is as it was. */
export async function switchoverCommand(
  { client, terminal }: CommandContext,
  name: string,
  options: SwitchoverOptions,
): Promise<number> {
  const dryRun = options.dryRun === true;
  const reply = await client.post<SwitchoverReply>("/v1/mysql/switchover", { name, dryRun }, ANSWER_MILLIS);
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(dryRun ? planInWords(reply) : outcomeInWords(reply));
  return reply.end === "moved" || reply.end === "ready" ? EXIT.ok : EXIT.failed;
}

function planInWords({ name, steps, end }: SwitchoverReply): string {
  if (end !== "ready") return `A switchover of ${name} would be refused: ${end}.\n`;
  const lines = steps.map((step, at) => `  ${at + 1}. ${step}`);
  return `A switchover of ${name} would now:\n${lines.join("\n")}\n`;
}

function outcomeInWords({ name, end, to, closedMillis }: SwitchoverReply): string {
  const gap = closedMillis === null ? "" : `No server was open for writes for ${closedMillis} ms.\n`;
  return end === "moved" ? `${name} is written to on ${to} now.\n${gap}` : `Not moved: ${end}.\n${gap}`;
}
