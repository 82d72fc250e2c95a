/** `holdfast reload [--dry-run]`: what changed or would change; a refused file changes nothing. */
import type { ReloadReply } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface ReloadOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export async function reloadCommand(context: CommandContext, options: ReloadOptions): Promise<number> {
  const reply = await context.client.post<ReloadReply>("/v1/reload", { dryRun: options.dryRun === true });
  if (options.json === true) printJson(context.terminal, reply);
  else context.terminal.out(renderReload(reply));
  return reply.outcome === "refused" ? EXIT.failed : EXIT.ok;
}

const HEADS: Readonly<Record<ReloadReply["outcome"], string>> = {
  applied: "The configuration was reloaded.",
  unchanged: "Nothing has changed in the configuration.",
  refused: "The file was refused; the daemon goes on with the old configuration.",
  "would-apply": "A reload would change this:",
};

export function renderReload(reply: ReloadReply): string {
  const lines = [HEADS[reply.outcome]];
  for (const change of reply.changes) lines.push(`  ${change}`);
  const findings = reply.diagnostics.filter(({ severity }) => severity === "error" || reply.outcome !== "refused");
  for (const { severity, span, message, remedy } of findings) {
    if (severity === "info") continue;
    const place = span === null ? "" : `${span.file}:${span.line}:${span.column}: `;
    lines.push(`${place}${severity}: ${message}`);
    if (remedy !== null) lines.push(`  ${remedy}`);
  }
  // Where findings or changes are listed, the summary would only repeat them.
  if (reply.outcome === "refused" && findings.length === 0 && reply.detail !== "") lines.push(reply.detail);
  return `${lines.join("\n")}\n`;
}
