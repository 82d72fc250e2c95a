/** Everything of a file that concerns virtual servers, to one LvsConfig. */
import type { LvsConfig, ServiceKey, VirtualServerConfig } from "../../lvs/config.ts";
import { keyText, serviceKeys } from "../../lvs/service-keys.ts";
import type { BlockKeeper } from "../block-keeper.ts";
import type { DiagnosticSink } from "../diagnostics.ts";
import type { TrackFileConfig } from "../model.ts";
import { readSettings, type Settings } from "../settings.ts";
import type { ConfigSource } from "../source.ts";
import type { Node } from "../tree.ts";
import type { LvsContext } from "./context.ts";
import { compileServerGroups } from "./groups.ts";
import { compileLvsOptions, compileSslClient } from "./options.ts";
import { compileVirtualServer } from "./virtual-server.ts";

export interface LvsSources {
  readonly tree: readonly Node[];
  readonly root: Settings;
  readonly globals: Settings;
  readonly files: readonly TrackFileConfig[];
  readonly source: ConfigSource;
  readonly diagnostics: DiagnosticSink;
  readonly keeper: BlockKeeper;
}

export function compileLvs({ tree, root, globals, files, source, diagnostics, keeper }: LvsSources): LvsConfig {
  const mail = globals.flag("smtp_alert_checker") ?? globals.flag("smtp_alert");
  const context: LvsContext = {
    groups: compileServerGroups(root.nodes("virtual_server_group"), diagnostics),
    files,
    bfd: new Set(tree.flatMap((node) => (node.keyword === "bfd_instance" ? [node.args[0]?.text ?? ""] : []))),
    source,
    diagnostics,
    mailDefault: { virtual: mail ?? false, real: mail ?? true },
    logAllFailures: globals.flag("checker_log_all_failures") ?? false,
    heloName: globals.text("smtp_helo_name"),
    members: new Map(),
  };
  const { mailDefault, logAllFailures, heloName } = context;
  keeper.begin({ files, bfd: [...context.bfd], mailDefault, logAllFailures, heloName }, diagnostics);
  const servers: VirtualServerConfig[] = [];
  const taken = new Map<string, VirtualServerConfig>();
  for (const node of root.nodes("virtual_server")) {
    const server = keeper.take(node) ?? compileAndKeep(node, context, keeper);
    if (server !== null && isFirst(server, node, taken, diagnostics)) servers.push(server);
  }
  return { servers, options: compileLvsOptions(root, globals, diagnostics), ssl: readSsl(root, diagnostics) };
}

function compileAndKeep(node: Node, context: LvsContext, keeper: BlockKeeper): VirtualServerConfig | null {
  const { diagnostics } = context;
  let silent = true;
  const listening: DiagnosticSink = {
    list: diagnostics.list,
    report: (...told) => {
      silent = false;
      diagnostics.report(...told);
    },
  };
  const server = compileVirtualServer(node, { ...context, diagnostics: listening });
  if (server !== null && silent) keeper.keep(node, server);
  return server;
}

function readSsl(root: Settings, diagnostics: DiagnosticSink): LvsConfig["ssl"] {
  const node = root.node("SSL");
  return node === null ? null : compileSslClient(readSettings(node.block ?? [], "SSL", diagnostics));
}

/** The kernel has each service once; keepalived lets two blocks fight over it. */
function isFirst(
  server: VirtualServerConfig,
  node: Node,
  taken: Map<string, VirtualServerConfig>,
  diagnostics: DiagnosticSink,
): boolean {
  const keys: readonly ServiceKey[] = serviceKeys(server);
  const clash = keys.find((key) => taken.has(keyText(key)));
  if (clash === undefined) {
    for (const key of keys) taken.set(keyText(key), server);
    return true;
  }
  const other = taken.get(keyText(clash));
  const message = `virtual_server ${server.name}: the service ${keyText(clash)} belongs to ${other?.name} of line ${other?.span.line}; this one is left out`;
  diagnostics.report("duplicate-server", node.span, message, "put all its real servers into one block");
  return false;
}
