/** Events of the IPVS table: what the kernel took, refused, or had lost. Those of checks and pools are the checks' own. */
import type { ServiceKey } from "../lvs/config.ts";

export type IpvsEventBody =
  /** `absent`: the kernel has no IPVS; everything else runs. `ready` tells what was found there at the start. */
  | {
      readonly kind: "ipvs";
      readonly state: "ready" | "absent";
      /** "1.2.1"; empty when absent. */
      readonly version: string;
      /** Services of ours that were there already and are kept with their connections. */
      readonly adopted: number;
      /** Services that nothing in the file names: they are left alone. */
      readonly foreign: number;
      readonly detail: string;
    }
  /** The kernel's table was not as it was left: somebody else has changed it, and it was put right. */
  | {
      readonly kind: "ipvs-repaired";
      readonly services: number;
      /** One of the repairs, as an order. */
      readonly example: string;
      /** Seconds that it waits before the next look, longer with every repair in a row. */
      readonly waitSeconds: number;
    }
  /** The kernel refused; it is tried again. */
  | {
      readonly kind: "ipvs-refused";
      readonly service: ServiceKey | null;
      readonly order: string;
      readonly errno: string;
      readonly remedy: string;
      readonly retrySeconds: number;
    }
  /** A service whose orders were refused is as it should be. */
  | { readonly kind: "ipvs-accepted"; readonly service: ServiceKey }
  /** What was done to the table as a whole. */
  | { readonly kind: "ipvs-table"; readonly action: "flushed" | "emptied"; readonly services: number }
  | {
      readonly kind: "ipvs-sync";
      readonly role: "master" | "backup";
      readonly action: "started" | "stopped" | "failed";
      readonly interface: string;
      readonly id: number;
      readonly detail: string;
    };

const KINDS: ReadonlySet<string> = new Set<IpvsEventBody["kind"]>([
  "ipvs",
  "ipvs-repaired",
  "ipvs-refused",
  "ipvs-accepted",
  "ipvs-table",
  "ipvs-sync",
]);

export const isIpvsEvent = (body: { readonly kind: string }): body is IpvsEventBody => KINDS.has(body.kind);
