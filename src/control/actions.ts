/** What the API asks of the daemon. Implemented by the control process, faked in tests. */
import type { Diagnostic } from "../core/config/model.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import type { CheckRun } from "./check-board.ts";

export interface ReloadOutcome {
  readonly outcome: "applied" | "unchanged" | "refused" | "would-apply";
  readonly changes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly detail: string;
}

export interface ControlActions {
  /** Asks the keeper; rejects or stays silent when the keeper does. */
  status(): Promise<readonly VrrpInstanceStatus[]>;
  reload(dryRun: boolean): Promise<ReloadOutcome>;
  /** When scripts ran last and run next. */
  checkRuns?(): readonly CheckRun[];
}
