/** `holdfast takeover NAME`: the plan of a claim, and an operator's consent to what cannot be known. */
import type { TakeoverReply } from "../../control/contract/types.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface TakeoverOptions {
  readonly dryRun?: boolean;
  readonly acceptLoss?: boolean;
  readonly withoutStore?: boolean;
  readonly json?: boolean;
}

/** 0: it would end with an open server, or has been consented to; 1: it would be refused, or the order was. */
export async function takeoverCommand(
  { client, terminal }: CommandContext,
  name: string,
  options: TakeoverOptions,
): Promise<number> {
  const consent = options.acceptLoss === true;
  const withoutStore = options.withoutStore === true;
  if ((consent || withoutStore) && options.dryRun === true) {
    const order = consent ? "--accept-loss" : "--without-store";
    throw new CliError(`--dry-run changes nothing, and ${order} does`, EXIT.usage, "use one of them");
  }
  const reply = await client.post<TakeoverReply>("/v1/mysql/takeover", { name, consent, withoutStore });
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(planInWords(reply));
  return reply.end === "ready" && reply.refused === null ? EXIT.ok : EXIT.failed;
}

function planInWords({ name, steps, end, consented, withoutStore, refused }: TakeoverReply): string {
  const ready = end === "ready";
  const lines =
    steps.length === 0
      ? [ready ? `A claim of ${name} would find nothing to do.` : `A claim of ${name} would now be refused: ${end}.`]
      : [
          `A claim of ${name} would now:`,
          ...steps.map((step, at) => `  ${at + 1}. ${step}`),
          ready ? "and be ready." : `and be refused: ${end}.`,
        ];
  if (consented) lines.push("The next claim within a minute goes on although newer data may exist elsewhere.");
  if (withoutStore)
    lines.push("The next claim within a minute goes on without the quorum store while that does not answer.");
  if (refused !== null) lines.push(`Not ordered: ${refused}.`);
  return `${lines.join("\n")}\n`;
}
