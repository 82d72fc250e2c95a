/** vrrp_script: one check with its timing and weight. */

import { maskSecrets } from "../lib/secrets.ts";
import { micros, seconds } from "../lib/units.ts";
import { parseOwner } from "./command.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { VrrpScriptConfig } from "./model.ts";
import type { Settings } from "./settings.ts";
import { readSettings, wordSpan } from "./settings.ts";
import { type Node, restOf } from "./tree.ts";
import { commandWords } from "./words.ts";

export function compileScript(node: Node, diagnostics: DiagnosticSink): VrrpScriptConfig | null {
  const name = node.args[0]?.text;
  if (name === undefined) {
    diagnostics.report("missing-argument", node.span, "`vrrp_script` lacks its name", "write vrrp_script NAME { ... }");
    return null;
  }
  const settings = readSettings(node.block ?? [], "vrrp_script", diagnostics);
  const command = settings.command("script");
  if (command === null) {
    diagnostics.report(
      "script-missing-command",
      node.span,
      `vrrp_script ${name} has no usable \`script\` line and is left out`,
      'write script "/path/to/program arguments"',
    );
    return null;
  }
  warnUnquoted(settings, name, diagnostics);
  const weight = settings.weight("weight");
  const interval = settings.duration("interval") ?? seconds(1);
  const timeout = settings.duration("timeout") ?? micros(0);
  if (timeout === 0) {
    diagnostics.report(
      "script-no-timeout",
      node.span,
      `check ${name} has no timeout; a run that hangs is ended after its interval of ${interval / 1e6} s`,
      "write timeout SECONDS",
    );
  }
  const owner = parseOwner(settings.words("user").map((word) => word.text));
  return {
    name,
    command: { ...command, ...owner },
    interval,
    timeout: timeout === 0 ? interval : timeout,
    weight: weight?.weight ?? 0,
    reverse: weight?.reverse ?? false,
    rise: settings.number("rise") ?? 1,
    fall: settings.number("fall") ?? 1,
    initFail: settings.has("init_fail"),
    perInstance: settings.flag("per_instance") ?? false,
    span: node.span,
  };
}

/** Words after an unquoted command are no arguments: keepalived takes one word and drops the others. */
function warnUnquoted(settings: Settings, name: string, diagnostics: DiagnosticSink): void {
  const node = settings.node("script");
  const extra = node === null ? undefined : commandWords(restOf(node)).words[1];
  if (node === null || extra === undefined) return;
  diagnostics.report(
    "extra-argument",
    wordSpan(node, extra),
    `check ${name} runs without the words after the command, as in keepalived`,
    `put the whole command in quotes: script "${maskSecrets(restOf(node).text).replace(/"/g, "'")}"`,
  );
}
