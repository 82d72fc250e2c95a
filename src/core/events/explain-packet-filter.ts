/** What was made in the kernel beside addresses, in words: virtual interfaces, and rules of the packet filter. */
import { unreachable } from "../lib/assert.ts";
import type { HoldfastEventBody } from "./vocabulary.ts";

export function virtualInterfaceInWords(body: Extract<HoldfastEventBody, { kind: "virtual-interface" }>): string {
  switch (body.action) {
    case "made":
      return `Success creating VMAC interface ${body.interface}`;
    case "removed":
      return `Success removing VMAC interface ${body.interface}`;
    case "failed":
      return `Unable to create VMAC interface ${body.interface}: ${body.detail}`;
    default:
      return unreachable(body.action);
  }
}

export function firewallInWords({ action, detail }: Extract<HoldfastEventBody, { kind: "firewall" }>): string {
  switch (action) {
    case "restored":
      return "nftables rules of the virtual addresses were removed by somebody else and are set again";
    case "failed":
      return `nftables rules of the virtual addresses could not be set, so no_accept and virtual MAC are not protected: ${detail}`;
    case "fence-restored":
      return "the nftables tables of `fence strict` were removed by somebody else and are set again";
    case "fence-failed":
      return `the fence of \`fence strict\` could not be set; an address without it is not taken: ${detail}`;
    case "swept":
      return `removed nftables tables left by an earlier daemon: ${detail}`;
    default:
      return unreachable(action);
  }
}
