/** What a pool wants done, in order. The engine does it; the table is made anew from the pool whenever `table` is among them. */

import type { Command } from "../config/written.ts";
import type { LvsEventBody } from "../events/lvs-events.ts";
import type { MailAlert } from "../notify/mail-alert.ts";

export type ServerHook = "notify_up" | "notify_down" | "quorum_up" | "quorum_down";

export type PoolEffect =
  | { readonly kind: "event"; readonly body: LvsEventBody }
  /** The wanted IPVS table has changed. */
  | { readonly kind: "table" }
  | { readonly kind: "script"; readonly hook: ServerHook; readonly command: Command; readonly server: string }
  /** A line for notify_fifo and lvs_notify_fifo. */
  | { readonly kind: "line"; readonly line: string }
  /** Without the router's name, which the notifier puts before it. */
  | { readonly kind: "mail"; readonly alert: MailAlert };
