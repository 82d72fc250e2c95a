/**
 * What a transition asks of the engine. The list is ordered and the engine keeps the order:
 * renewal before the advert, advert before addresses, addresses before announcements, announcements before reports
 * (which start notify scripts); on the way down, the address goes before the priority-0 advert speaks of it,
 * so that the successor never overlaps.
 */
import type { VrrpReport } from "./reports.ts";

export type VrrpEffect =
  | { readonly kind: "send-advert" }
  /** Our own, lower priority, said after the addresses are gone: the winner announces itself again, and is the last to do so. */
  | { readonly kind: "send-yielded" }
  /** Priority 0: we resign (RFC 9568 section 5.2.4). */
  | { readonly kind: "send-resign" }
  | { readonly kind: "add-addresses" }
  | { readonly kind: "renew-lease" }
  | { readonly kind: "remove-addresses" }
  /** Gratuitous ARP for every address, `repeat` frames each. */
  | { readonly kind: "announce"; readonly repeat: number }
  /** One frame for every address, without a word: core/vrrp/echoes.ts. */
  | { readonly kind: "echo" }
  /** One frame per address on interfaces other than the instance's own (garp_extra_if). */
  | { readonly kind: "announce-elsewhere" }
  /** One frame for our own source address: unicast peers may have learnt another way to us while we were in FAULT. */
  | { readonly kind: "announce-source" }
  | { readonly kind: "ask-gate"; readonly which: "claim" | "release"; readonly gate: number }
  | { readonly kind: "cancel-gate"; readonly gate: number }
  | { readonly kind: "report"; readonly report: VrrpReport };
