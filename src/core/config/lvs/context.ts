/** What reading one virtual server needs of the rest of the file. */
import type { Family } from "../../lib/ip.ts";
import type { Forwarding, Protocol, ServiceTarget, VirtualServerGroup } from "../../lvs/config.ts";
import type { DiagnosticCode } from "../codes.ts";
import type { DiagnosticSink } from "../diagnostics.ts";
import type { TrackFileConfig } from "../model.ts";
import type { Settings } from "../settings.ts";
import type { ConfigSource } from "../source.ts";
import type { Node } from "../tree.ts";

export interface LvsContext {
  readonly groups: ReadonlyMap<string, VirtualServerGroup>;
  readonly files: readonly TrackFileConfig[];
  /** Names of the bfd_instance blocks. */
  readonly bfd: ReadonlySet<string>;
  readonly source: ConfigSource;
  readonly diagnostics: DiagnosticSink;
  /** smtp_alert_checker, smtp_alert: keepalived sends for real servers unless told otherwise. */
  readonly mailDefault: { readonly virtual: boolean; readonly real: boolean };
  /** checker_log_all_failures */
  readonly logAllFailures: boolean;
  /** smtp_helo_name */
  readonly heloName: string | null;
  /** Virtual servers of each group so far. */
  readonly members: Map<string, number>;
}

/** What is settled of a virtual server while its block is read. */
export interface ServiceDraft {
  readonly node: Node;
  readonly settings: Settings;
  readonly target: ServiceTarget;
  /** In messages. */
  readonly title: string;
  readonly forwarding: Forwarding | null;
  family: Family | null;
  protocol: Protocol | null;
}

export function report(
  draft: Pick<ServiceDraft, "node" | "title">,
  code: DiagnosticCode,
  text: string,
  context: LvsContext,
): void {
  context.diagnostics.report(code, draft.node.span, `${draft.title}: ${text}`, null);
}
