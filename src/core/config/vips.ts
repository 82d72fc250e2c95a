/**
 * virtual_ipaddress and virtual_ipaddress_excluded of one instance: which addresses adverts name, and which only move along. What one
 * line says is addresses.ts's business.
 */
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import { readAddresses } from "./addresses.ts";
import { type FamilyContext, fitsFamily } from "./family.ts";
import type { Settings } from "./settings.ts";
import type { Node } from "./tree.ts";

type Vips = Pick<VrrpInstanceConfig, "advertised" | "excluded">;

export function readVips(node: Node, settings: Settings, context: FamilyContext): Vips {
  const { name, family, diagnostics } = context;
  const advertised = readAddresses(settings.nodes("virtual_ipaddress"), diagnostics).filter((line) =>
    fitsFamily(context, line.address.address, line.node.span),
  );
  const excluded = readAddresses(settings.nodes("virtual_ipaddress_excluded"), diagnostics);
  // Lines that could not be used have been reported already.
  const lines = [...settings.nodes("virtual_ipaddress"), ...settings.nodes("virtual_ipaddress_excluded")];
  const meant = settings.has("no_virtual_ipaddress");
  if (!meant && lines.every((block) => (block.block ?? []).length === 0)) {
    diagnostics.report(
      "no-virtual-address",
      node.span,
      `${name} has no virtual address`,
      "write virtual_ipaddress { ADDRESS/PREFIX }",
    );
  }
  const both = excluded.filter((line) => advertised.some((other) => other.address.address === line.address.address));
  for (const line of both) {
    diagnostics.report(
      "duplicate-address",
      line.node.span,
      `${line.address.address} is advertised and excluded`,
      "remove one of the two lines",
    );
  }
  const most = ADVERTISED_MAX[family];
  const beyond = advertised[most];
  if (beyond !== undefined) {
    diagnostics.report(
      "adjusted",
      beyond.node.span,
      `${name} has ${advertised.length} addresses, an advert carries ${most}: the rest is not advertised`,
      "write the rest as virtual_ipaddress_excluded",
    );
  }
  const silent = [...advertised.slice(most), ...excluded.filter((line) => !both.includes(line))];
  return {
    advertised: advertised.slice(0, most).map((line) => line.address),
    excluded: silent.map((line) => line.address),
  };
}

/** The advert counts its addresses in one byte (RFC 9568 section 5.2.5); of IPv6 a packet of 1500 bytes takes 89, as keepalived counts. */
const ADVERTISED_MAX = { 4: 255, 6: 89 } as const;
