/** What is told of a split brain as log lines and sentences. */
import type { LogLine } from "./log-line.ts";
import type { SplitBrainEventBody } from "./split-brain-events.ts";

export function describeSplitBrainEvent(body: SplitBrainEventBody): readonly LogLine[] {
  const level = body.action === "seen" ? "error" : "warning";
  return [{ ident: "Keepalived_vrrp", level, text: `(${body.instance}) ${splitBrainInWords(body)}` }];
}

export function splitBrainInWords({ action, signs, detail, forMillis }: SplitBrainEventBody): string {
  if (action === "seen") return `SPLIT BRAIN, two masters: ${signs.join("; ")}. ${detail}`;
  return `split brain is over after ${(forMillis / 1_000).toFixed(1)} s: ${detail}`;
}
