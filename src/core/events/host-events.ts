/**
 * Events about the daemon as a guest of its host: notify FIFOs, mail, its own scripts, process settings, and resources
 * that run out. None of them changes what an instance does.
 */
import type { SettingOutcome } from "../link/keeper-settings.ts";
import type { CheckOutcome } from "./outcome.ts";

export type HostEventBody =
  | {
      readonly kind: "fifo";
      readonly path: string;
      /** `lost`: its reader does not keep up, and the newest line is dropped; `caught-up`: all that waited is written. */
      readonly action: "failed" | "lost" | "caught-up";
      /** Lines that were dropped since the pipe was last empty. */
      readonly lost: number;
      readonly detail: string;
    }
  | {
      readonly kind: "fifo-reader";
      readonly path: string;
      readonly command: string;
      readonly action: "started" | "ended";
      readonly outcome: CheckOutcome | null;
      readonly lastError: string | null;
      /** Seconds until it is started again; null: it is not. */
      readonly restartSeconds: number | null;
    }
  | {
      readonly kind: "mail";
      readonly server: string;
      /** `failed` is told once until a mail goes out again. */
      readonly action: "sent" | "failed" | "dropped";
      readonly subject: string;
      readonly detail: string;
    }
  | {
      readonly kind: "daemon-script";
      readonly script: "startup_script" | "shutdown_script";
      readonly command: string;
      readonly outcome: CheckOutcome;
      readonly lastError: string | null;
    }
  | { readonly kind: "keeper-settings"; readonly settings: readonly SettingOutcome[] }
  /** The keeper was late and raised its own priority. */
  | { readonly kind: "priority-raised"; readonly realtime: number; readonly lateMillis: number }
  /** An operator has had a left-over address removed from this host. */
  | {
      readonly kind: "stale-released";
      readonly address: string;
      readonly interfaces: readonly string[];
      /** What showed that it was one. */
      readonly proof: string;
    }
  /** The HTTP listener of the API; the Unix socket is no news. */
  | {
      readonly kind: "api-listener";
      readonly action: "listening" | "closed" | "failed";
      /** ADDRESS:PORT */
      readonly address: string;
      readonly tls: boolean;
      readonly detail: string;
    }
  /** Who asked for a change by HTTP, before it is done and with what came of it; and who was turned away. */
  | {
      readonly kind: "api-request";
      readonly action: "asked" | "answered" | "refused";
      /** Name of the token; null: without one. */
      readonly who: string | null;
      readonly from: string;
      readonly request: string;
      readonly detail: string;
      /** Further refusals to that address that are not told one by one. */
      readonly more: number;
    }
  /** A program could not be started because the host has run out of something; what it would have told stays as it was. */
  | {
      readonly kind: "shortage";
      readonly what: "processes" | "descriptors" | "memory";
      /** What could not be done. */
      readonly action: string;
      readonly over: boolean;
    };

const KINDS: ReadonlySet<string> = new Set<HostEventBody["kind"]>([
  "fifo",
  "fifo-reader",
  "mail",
  "daemon-script",
  "keeper-settings",
  "priority-raised",
  "shortage",
  "api-listener",
  "api-request",
  "stale-released",
]);

export const isHostEvent = (body: { readonly kind: string }): body is HostEventBody => KINDS.has(body.kind);
