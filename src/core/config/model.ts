/**
 * What a configuration file means, with every default filled in: the output of compile.ts. The keeper gets the
 * `vrrp` part of each instance; scripts and hooks stay with control.
 */

import type { HookKind } from "../events/vocabulary.ts";
import type { Micros } from "../lib/units.ts";
import type { HostConfig } from "../routing/host.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";

/** A place in the files that were read. Lines and columns count from 1. */
export interface SourceSpan {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters to underline. */
  readonly length: number;
}

/** A command as the file gives it, split as keepalived splits it; never passed to a shell. */
export interface Command {
  readonly argv: readonly string[];
  /** User and group names or numbers; null means the default of the file (script_user) or our own. */
  readonly user: string | null;
  readonly group: string | null;
  /** The text as written but for its secrets, for logs, journal and status. */
  readonly text: string;
}

export interface VrrpScriptConfig {
  readonly name: string;
  readonly command: Command;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly weight: number;
  readonly reverse: boolean;
  readonly rise: number;
  readonly fall: number;
  readonly initFail: boolean;
  /** Run once per tracking instance, with that instance's environment (`per_instance`, an extension). */
  readonly perInstance: boolean;
  readonly span: SourceSpan;
}

export interface InstanceConfig {
  readonly vrrp: VrrpInstanceConfig;
  readonly hooks: Readonly<Partial<Record<HookKind, Command>>>;
  /** Limit of an ordinary hook; unless given, half of the claim gate's, so that one that hangs does not starve it. */
  readonly hookTimeout: Micros;
  readonly span: SourceSpan;
}

export interface GlobalConfig {
  readonly routerId: string | null;
  readonly scriptUser: { readonly user: string; readonly group: string | null } | null;
  readonly enableScriptSecurity: boolean;
  readonly startupDelay: Micros;
  readonly processName: string | null;
}

export interface HoldfastConfig {
  readonly global: GlobalConfig;
  readonly scripts: readonly VrrpScriptConfig[];
  readonly instances: readonly InstanceConfig[];
  /** Static objects, link delays and netlink buffers. */
  readonly host: HostConfig;
}

export type Severity = "error" | "warning" | "info";

export interface Diagnostic {
  /** Stable id such as "unknown-keyword"; docs/diagnostics.md lists them. */
  readonly code: string;
  readonly severity: Severity;
  readonly span: SourceSpan | null;
  /** What is wrong, one sentence. */
  readonly message: string;
  /** What to write or do instead. */
  readonly remedy: string | null;
}
