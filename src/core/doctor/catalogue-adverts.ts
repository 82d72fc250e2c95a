/** Adverts, and the packet filters in their way. */
import type { CatalogueEntry } from "./catalogue-entry.ts";

export const ADVERT_FINDINGS = {
  // Adverts
  "advert-none": {
    severity: "error",
    meaning: "Nobody's adverts of a virtual router are heard, and this host sends none.",
    why: "Nobody serves its addresses, or the adverts of the one who does are lost on the way: then this host claims them as well.",
    fix: "Start the daemon on the other host, or see why it does not serve; if it does, look for a firewall, a wrong VLAN or a switch that loses multicast between the two.",
  },
  "advert-unheard": {
    severity: "error",
    meaning: "A peer's daemon says over the peer link that it is MASTER, and its adverts do not arrive.",
    why: "When Master_Down_Interval is over, both hosts hold the addresses.",
    fix: "Let IP protocol 112 through on both hosts and on what lies between them; where a switch loses multicast, write unicast_peer.",
  },
  "advert-blocked-in": {
    severity: "error",
    meaning: "Adverts arrive at the interface, and the kernel gives them to no program.",
    why: "The daemon does not hear a master that is alive, and claims its addresses.",
    fix: "Take away the rule that the finding firewall-in names, or see rp-filter.",
  },
  "advert-blocked-out": {
    severity: "error",
    meaning: "This host is MASTER, and none of its adverts leaves the interface.",
    why: "Every other host believes that the master is dead, and claims the addresses.",
    fix: "Take away the rule that the finding firewall-out names.",
  },
  "advert-refused": {
    severity: "error",
    meaning:
      "Adverts of another host are heard that the daemon has to refuse: version, authentication, interval, TTL, destination.",
    why: "What is refused does not count as heard: both hosts become MASTER.",
    fix: "Make the two files agree: `holdfast check THIS OTHER` names each difference.",
  },
  "advert-differs": {
    severity: "warning",
    meaning:
      "Adverts are obeyed, although they say something else than this host's file: the list of addresses, the interval of version 3.",
    why: "After a takeover other addresses are served, or other timers count.",
    fix: "Make the two files agree: `holdfast check THIS OTHER` names each difference.",
  },
  "vrid-differs": {
    severity: "error",
    meaning: "Another host announces an address of ours under another virtual_router_id.",
    why: "The two do not know of each other: both hold the address at the same time.",
    fix: "Write the same virtual_router_id on both hosts.",
  },
  "vrid-shared": {
    severity: "error",
    meaning: "Another virtual router on this network has the same virtual_router_id and quite other addresses.",
    why: "Each takes the other for its master or its backup: one of the two serves nothing.",
    fix: "Give one of the two pairs another virtual_router_id, 1 to 255, on both of its hosts.",
  },
  "two-masters": {
    severity: "error",
    meaning: "This host and another one are MASTER of the same virtual router.",
    why: "Clients reach now the one, now the other; a database takes writes on both.",
    fix: "`holdfast status` on both says who will let go; the finding that names what blocks the adverts says why they do not see each other.",
  },
  // Packet filter
  "firewall-in": {
    severity: "error",
    meaning: "A rule of the packet filter drops adverts (IP protocol 112, or AH 51) that come in.",
    why: "A master that is not heard is a dead master: this host claims the addresses beside it.",
    fix: "Accept the protocol in front of the rule, and in the file that the rules are loaded from.",
  },
  "firewall-out": {
    severity: "error",
    meaning: "A rule of the packet filter drops adverts that go out.",
    why: "As MASTER this host would not be heard, and another one would claim the addresses as well.",
    fix: "Accept the protocol in front of the rule, and in the file that the rules are loaded from.",
  },
  "firewall-peer-link": {
    severity: "warning",
    meaning: "A rule of the packet filter drops connections of the peer link.",
    why: "The daemons cannot ask each other: no directed release, no warning of a split brain, no epochs of the peer.",
    fix: "Accept the port of peer_link from and to the peer.",
  },
  "firewall-perhaps": {
    severity: "note",
    meaning: "A rule may drop adverts; it depends on what a listing does not tell, such as a mark or a rate.",
    why: "A limit that fits today's adverts may not fit a failover with many of them.",
    fix: "Accept the protocol in front of the rule where it is in doubt.",
  },
  // Test with the peer
  "peer-deaf": {
    severity: "error",
    meaning: "A test advert of this host does not reach the peer's daemon.",
    why: "As MASTER this host would not be heard there, and the peer would claim the addresses as well.",
    fix: "Run `holdfast doctor` on the peer, which names its own rule; otherwise look at what lies between the two.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
