/** `holdfast explain [INSTANCE]`: the chain of causes as the daemon tells it, wrapped to the screen. */
import type { ExplainReply, Explanation, ServiceExplanation } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { wrap } from "../table.ts";
import type { Style, Terminal } from "../terminal.ts";
import { type CommandContext, printJson } from "./context.ts";

export async function explainCommand(
  context: CommandContext,
  name: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  const what = name !== undefined && isServer(name) ? "server" : "instance";
  const query = name === undefined ? "" : `?${what}=${encodeURIComponent(name)}`;
  const reply = await context.client.get<ExplainReply>(`/v1/explain${query}`);
  if (options.json === true) printJson(context.terminal, reply);
  else context.terminal.out(renderExplained(reply, context.terminal));
  return EXIT.ok;
}

/** An instance is called by a word; "192.0.2.10:3306", "[2001:db8::1]:53", "TCP 192.0.2.1:3306" and "FWM 5" are servers and services. */
const isServer = (name: string): boolean => /[:\s[]|^\d+\.\d+\.\d+\.\d+$/.test(name);

function renderExplained({ explanations, services }: ExplainReply, screen: Screen): string {
  if (services.length === 0) return renderExplanations(explanations, screen);
  const told = services.map((one) => `${serviceLines(one, screen).join("\n")}\n`);
  return [...(explanations.length === 0 ? [] : [renderExplanations(explanations, screen)]), ...told].join("\n");
}

function serviceLines(explanation: ServiceExplanation, screen: Screen): string[] {
  const { state, headline } = explanation;
  const style: Style = state === "served" ? "good" : state === "elsewhere" ? "strong" : "bad";
  return [...headlineOf(headline, style, screen), ...reasonLines(explanation, screen.width)];
}

type Screen = Pick<Terminal, "width" | "paint">;

export function renderExplanations(explanations: readonly Explanation[], screen: Screen): string {
  if (explanations.length === 0) return "No instance is configured.\n";
  return explanations.map((one) => `${explanationLines(one, screen).join("\n")}\n`).join("\n");
}

function explanationLines(explanation: Explanation, screen: Screen): string[] {
  const style: Style = explanation.state === "FAULT" ? "bad" : explanation.state === "MASTER" ? "good" : "strong";
  return [...headlineOf(explanation.headline, style, screen), ...reasonLines(explanation, screen.width)];
}

const headlineOf = (text: string, style: Style, { width, paint }: Screen): string[] =>
  wrap(text, { width, indent: "" }).map((line) => paint(style, line));

type Reasons = Pick<Explanation, "because" | "outlook" | "notes">;

function reasonLines({ because, outlook, notes }: Reasons, width: number): string[] {
  const lines: string[] = [];
  for (const { depth, text } of because) {
    const indent = "  ".repeat(depth);
    lines.push(...wrap(text, { width, indent: `${indent}- `, hang: `${indent}  ` }));
  }
  lines.push(...section("What next:", outlook, width), ...section("Note:", notes, width));
  return lines;
}

function section(title: string, sentences: readonly string[], width: number): string[] {
  if (sentences.length === 0) return [];
  return [title, ...sentences.flatMap((text) => wrap(text, { width, indent: "  - ", hang: "    " }))];
}
