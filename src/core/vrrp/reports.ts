/** What the state machine says happened. describe.ts turns these into words; nobody else does. */
import type { IpAddress } from "../lib/ip.ts";
import type { Cause } from "./causes.ts";
import type { VrrpPhaseName, VrrpStateName } from "./state.ts";

export type VrrpReport =
  /** A state of keepalived's was entered: this is what notify scripts hear of. */
  | {
      readonly kind: "state";
      readonly from: VrrpStateName;
      readonly to: VrrpStateName;
      readonly cause: Cause;
      readonly priority: number;
      /** Priority 0 was sent with it; a claim that fails resigns too, although its state was BACKUP. */
      readonly resigned?: true;
    }
  /** preparing, claiming or releasing began or ended without a change of state. */
  | {
      readonly kind: "phase";
      readonly from: VrrpPhaseName;
      readonly to: VrrpPhaseName;
      readonly cause: Cause;
      readonly resigned?: true;
    }
  | { readonly kind: "priority"; readonly from: number; readonly to: number }
  | {
      readonly kind: "lower-priority-advert";
      readonly source: IpAddress;
      readonly priority: number;
      /** Our own, which is higher. */
      readonly ours: number;
      readonly state: "BACKUP" | "MASTER";
    }
  /** Another host is configured as owner of the addresses (priority 255), too. */
  | { readonly kind: "two-owners"; readonly source: IpAddress }
  | { readonly kind: "faults"; readonly faults: readonly import("./causes.ts").Fault[] }
  /** Addresses are in the kernel and the first burst is out: clients can reach us. */
  | { readonly kind: "announced"; readonly addresses: readonly IpAddress[] };
