/** `holdfast explain [INSTANCE]`: the chain of causes as the daemon tells it, wrapped to the screen. */
import type { ExplainReply, Explanation } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { wrap } from "../table.ts";
import type { Style, Terminal } from "../terminal.ts";
import { type CommandContext, printJson } from "./context.ts";

export async function explainCommand(
  context: CommandContext,
  instance: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  const query = instance === undefined ? "" : `?instance=${encodeURIComponent(instance)}`;
  const reply = await context.client.get<ExplainReply>(`/v1/explain${query}`);
  if (options.json === true) printJson(context.terminal, reply);
  else context.terminal.out(renderExplanations(reply.explanations, context.terminal));
  return EXIT.ok;
}

type Screen = Pick<Terminal, "width" | "paint">;

export function renderExplanations(explanations: readonly Explanation[], screen: Screen): string {
  if (explanations.length === 0) return "No instance is configured.\n";
  return explanations.map((one) => `${explanationLines(one, screen).join("\n")}\n`).join("\n");
}

function explanationLines(explanation: Explanation, { width, paint }: Screen): string[] {
  const style: Style = explanation.state === "FAULT" ? "bad" : explanation.state === "MASTER" ? "good" : "strong";
  const lines = wrap(explanation.headline, { width, indent: "" }).map((line) => paint(style, line));
  for (const { depth, text } of explanation.because) {
    const indent = "  ".repeat(depth);
    lines.push(...wrap(text, { width, indent: `${indent}- `, hang: `${indent}  ` }));
  }
  lines.push(...section("What next:", explanation.outlook, width), ...section("Note:", explanation.notes, width));
  return lines;
}

function section(title: string, sentences: readonly string[], width: number): string[] {
  if (sentences.length === 0) return [];
  return [title, ...sentences.flatMap((text) => wrap(text, { width, indent: "  - ", hang: "    " }))];
}
