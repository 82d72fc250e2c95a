/** Events of virtual servers, real servers and their checkers. `service` and `server` are names as keepalived writes them. */
import type { ConnectProblem, Finding } from "../lvs/findings.ts";
import type { CheckOutcome } from "./outcome.ts";

export type CheckerKindName = "tcp" | "http" | "smtp" | "dns" | "misc" | "ping" | "udp" | "file" | "mysql" | "redis";

interface OfServer {
  readonly service: string;
  readonly server: string;
}

export type LvsEventBody =
  /** A checker's result that counts. */
  | (OfServer & {
      readonly kind: "checker";
      readonly checker: CheckerKindName;
      readonly up: boolean;
      readonly finding: Finding;
      /** Further checks that failed as well; null: the first failure counted. */
      readonly afterRetries: number | null;
      /** Its command, page or host; "" when its server says all. */
      readonly target: string;
    })
  /** A page of a server that is down is as wanted again; all of them must be. */
  | (OfServer & { readonly kind: "page-passed"; readonly by: "status" | "digest" | "regex"; readonly path: string })
  /** A failure that does not count yet, for log_all_failures. */
  | (OfServer & {
      readonly kind: "checker-failing";
      readonly checker: CheckerKindName;
      readonly finding: Finding;
      readonly retry: number;
      readonly retries: number;
      readonly target: string;
    })
  /** ha_suspend, or the start of the checks. */
  | (OfServer & { readonly kind: "checker-activity"; readonly active: boolean; readonly starting: boolean })
  /** A real server has come into the pool or left it; `inhibit`: by its weight. */
  | (OfServer & {
      readonly kind: "real-server";
      readonly up: boolean;
      readonly inhibit: boolean;
      /** What its checker found; null at a reload. */
      readonly cause: Finding | null;
    })
  | (OfServer & {
      readonly kind: "real-server-weight";
      readonly from: number;
      readonly to: number;
      readonly alive: boolean;
    })
  /** A stop or a reload takes it out. */
  | (OfServer & { readonly kind: "real-server-removed"; readonly stopping: boolean; readonly inhibited: boolean })
  | {
      readonly kind: "quorum";
      readonly service: string;
      readonly up: boolean;
      readonly starting: boolean;
      readonly quorum: number;
      readonly hysteresis: number;
      readonly threshold: number;
      readonly weight: number;
    }
  /** All live servers come or go because the sorry server goes or comes. */
  | { readonly kind: "pool"; readonly service: string; readonly adding: boolean }
  | (OfServer & { readonly kind: "sorry-server"; readonly up: boolean; readonly inhibit: boolean })
  | (OfServer & {
      readonly kind: "server-script";
      readonly hook: "notify_up" | "notify_down" | "quorum_up" | "quorum_down";
      readonly command: string;
      readonly outcome: CheckOutcome;
      readonly lastError: string | null;
      readonly durationMillis: number;
    });

export type { ConnectProblem };

const KINDS: ReadonlySet<string> = new Set<LvsEventBody["kind"]>([
  "checker",
  "page-passed",
  "checker-failing",
  "checker-activity",
  "real-server",
  "real-server-weight",
  "real-server-removed",
  "quorum",
  "pool",
  "sorry-server",
  "server-script",
]);

export const isLvsEvent = (body: { readonly kind: string }): body is LvsEventBody => KINDS.has(body.kind);
