/** vrrp_script: one check with its timing and weight. */

import { micros, seconds } from "../lib/units.ts";
import { parseOwner } from "./command.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { VrrpScriptConfig } from "./model.ts";
import { readSettings } from "./settings.ts";
import type { Node } from "./tree.ts";

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
  // `user` has its own line here, so words after the command are arguments that keepalived drops.
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
