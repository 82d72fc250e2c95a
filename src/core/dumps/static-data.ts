/**
 * The sections that stand between the global definitions and the instances: pauses between gratuitous ARPs, static addresses, routes
 * and rules, and the groups that track them. As in keepalived a section without content is left out.
 */
import { type DumpInput, type DumpText, momentOfNothing } from "./input.ts";
import { routeText, ruleText } from "./routing-text.ts";
import { staticAddressText } from "./words.ts";

export function staticData(text: DumpText, input: DumpInput): void {
  spacing(text, input);
  const { addresses, routes, rules, groups } = input.config.host.statics;
  const section = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) text.section(title);
    for (const line of lines) text.line(2, line);
  };
  section(
    "Static Addresses",
    addresses.map((entry) => staticAddressText(entry)),
  );
  section("Static Routes", routes.map(routeText));
  section("Static Rules", rules.map(ruleText));
  if (groups.length > 0) text.section("Static Track groups");
  for (const { name, instances } of groups) {
    text.field(0, "Static Track Group", name);
    text.line(1, "VRRP member instances :");
    for (const instance of instances) text.line(2, instance);
  }
}

interface Shared {
  readonly number: number;
  readonly arp: number;
  readonly na: number;
  readonly interfaces: readonly string[];
}

/** garp_group is numbered from 1; interfaces that have the general pause each by itself are groups 0. */
function spacing(text: DumpText, { config }: DumpInput): void {
  const { arp, na, groups } = config.host.spacing;
  const named = groups.map((group, at): Shared => ({ ...group, number: at + 1 }));
  const taken = new Set(named.flatMap(({ interfaces }) => interfaces));
  const alone = arp === 0 && na === 0 ? [] : [...new Set(config.instances.map(({ vrrp }) => vrrp.interface))];
  const all = [
    ...named,
    ...alone.filter((name) => !taken.has(name)).map((name): Shared => ({ number: 0, arp, na, interfaces: [name] })),
  ];
  if (all.length > 0) text.section("Gratuitous ARP delays");
  for (const { number, arp: arpPause, na: naPause, interfaces } of all) {
    text.section(`GARP delay group ${number}`);
    // When the next frame may leave is the keeper's business.
    if (arpPause > 0) text.field(0, "GARP interval", arpPause / 1e6);
    if (arpPause > 0) text.line(0, `GARP next time ${momentOfNothing}`);
    if (naPause > 0) text.field(0, "GNA interval", naPause / 1e6);
    if (naPause > 0) text.line(0, `GNA next time ${momentOfNothing}`);
    text.line(0, "Interfaces");
    // keepalived's list of them is the reverse of the file's; the order says nothing.
    for (const name of interfaces) text.raw(`  ${name}`);
  }
}
