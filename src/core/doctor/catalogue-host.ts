/** The daemon, the kernel it runs on, and what else is on the host. */
import type { CatalogueEntry } from "./catalogue-entry.ts";

export const HOST_FINDINGS = {
  // Kernel settings
  "rp-filter": {
    severity: "error",
    meaning: "The kernel drops packets by rp_filter while adverts arrive that no program is given.",
    why: "A sender whose address is not routed back by the same interface is taken for forged: the master is not heard.",
    fix: "Set rp_filter of the interface and of `all` to 2 or 0, or give both hosts addresses of one network.",
  },
  "arp-ignore": {
    severity: "error",
    meaning: "arp_ignore keeps the kernel from answering ARP for a virtual address.",
    why: "Clients find nobody behind the address once their ARP entry is old.",
    fix: "Put the address on the interface where clients are; arp_ignore 1 answers for what is on the interface itself, and leaves LVS-DR alone.",
  },
  "arp-filter": {
    severity: "note",
    meaning: "arp_filter is on: ARP is answered only by the interface that the route back to the asker leaves by.",
    why: "With two interfaces in one network the answer may come from the other one, or not at all.",
    fix: "Set arp_filter of the interface and of `all` to 0 unless it is meant.",
  },
  secondaries: {
    severity: "warning",
    meaning:
      "promote_secondaries is off, and a virtual address shares its prefix with another address of the interface.",
    why: "When the first address of a prefix goes, the kernel removes the others with it.",
    fix: "Set promote_secondaries to 1, or write the virtual address with /32.",
  },
  "ipv6-off": {
    severity: "error",
    meaning: "IPv6 is switched off on an interface that an IPv6 virtual router needs.",
    why: "Neither its adverts nor its addresses can be there.",
    fix: "Set disable_ipv6 of the interface to 0.",
  },
  "interface-missing": {
    severity: "error",
    meaning: "An instance's interface does not exist.",
    why: "The instance is in FAULT for as long.",
    fix: "Correct the name in the file, or create the interface.",
  },
  "interface-down": {
    severity: "error",
    meaning: "An instance's interface is down or has no carrier.",
    why: "The instance is in FAULT for as long.",
    fix: "Bring it up; without carrier look at cable, switch port or bond.",
  },
  "no-multicast": {
    severity: "error",
    meaning: "The interface is not able to send multicast, and the instance has no unicast_peer.",
    why: "Its adverts go nowhere.",
    fix: "Switch multicast on for the interface, or write unicast_peer.",
  },
  "group-not-joined": {
    severity: "warning",
    meaning: "The daemon runs, and nobody on this host has joined the multicast group of its adverts on the interface.",
    why: "Switches with IGMP or MLD snooping then send no adverts here.",
    fix: "Reload the daemon; where it stays so, restart it.",
  },
  "ipvs-missing": {
    severity: "error",
    meaning: "The file has a virtual_server, and the kernel has no IPVS.",
    why: "No connection is balanced.",
    fix: "Load the module ip_vs now and at every boot.",
  },
  // Addresses
  "vip-left-over": {
    severity: "error",
    meaning: "A virtual address is on this host although no instance holds it.",
    why: "Two hosts answer for it, or clients reach a server that is no writer.",
    fix: "`holdfast release-stale ADDRESS` removes it when that is safe; where no holdfast runs `ip addr del`.",
  },
  "vip-twice": {
    severity: "error",
    meaning: "More than one host answers for a virtual address.",
    why: "Clients reach now the one, now the other.",
    fix: "`holdfast doctor --vip ADDRESS` says who; on the wrong host `holdfast release-stale ADDRESS`, or `ip addr del` where no holdfast runs (it only ran keepalived).",
  },
  "vip-silent": {
    severity: "warning",
    meaning: "A master is heard, and nobody answers ARP or neighbour discovery for an address that it announces.",
    why: "Clients do not reach the address although VRRP is in order.",
    fix: "Look on the master: is the address on its interface, and does arp_ignore or a firewall keep it silent?",
  },
  "keepalived-runs": {
    severity: "error",
    meaning: "keepalived runs on this host beside Holdfast, or with addresses of the same file.",
    why: "Two programs add and remove the same addresses, and each takes the other for another host.",
    fix: "Stop and disable the one that is not wanted.",
  },
  "address-manager": {
    severity: "warning",
    meaning: "NetworkManager or systemd-networkd manages an interface of virtual addresses.",
    why: "When it configures the interface anew it removes addresses that it does not know.",
    fix: "systemd-networkd: KeepConfiguration=static in the interface's .network file. NetworkManager: leave the profile alone while the host serves, or set the interface unmanaged.",
  },
  // The daemon and its host
  "daemon-silent": {
    severity: "warning",
    meaning: "Something listens at the daemon's socket, and its API gives no usable answer.",
    why: "What this host holds is not known here, and no order reaches the daemon.",
    fix: "Its log says more; a control process that is stopped or overloaded answers nobody. Do not touch the addresses meanwhile.",
  },
  "daemon-absent": {
    severity: "warning",
    meaning: "The daemon does not run.",
    why: "This host would take over nothing.",
    fix: "Start it; its log or `systemctl status holdfast` says why it has ended.",
  },
  "config-errors": {
    severity: "warning",
    meaning: "The configuration file has errors.",
    why: "What is wrong is left out, and the next reload is refused.",
    fix: "`holdfast check FILE` says what to write instead.",
  },
  "journal-unwritable": {
    severity: "error",
    meaning: "The state directory cannot be written.",
    why: "Without its journal a managed group refuses every takeover.",
    fix: "Mount the file system for writing and give the directory to the daemon's user.",
  },
  "journal-space": {
    severity: "warning",
    meaning: "The file system of the state directory is nearly full.",
    why: "When it is full the journal cannot be written, and a managed group refuses every takeover.",
    fix: "Make room, or put the state directory elsewhere (--state-dir).",
  },
  capabilities: {
    severity: "error",
    meaning: "A process of the daemon lacks CAP_NET_ADMIN or CAP_NET_RAW.",
    why: "It can send no adverts or set no addresses.",
    fix: "Run it as root, or with the capabilities of the unit that is in the package.",
  },
  "open-files": {
    severity: "warning",
    meaning: "The daemon has used most of the files that it may open.",
    why: "At the limit no connection to a database and no check can be made, and checks fail.",
    fix: "Raise LimitNOFILE in the unit.",
  },
  "cpu-steal": {
    severity: "warning",
    meaning: "The hypervisor has given this machine's processors to others for a noticeable part of the time.",
    why: "Adverts leave late; when that is Master_Down_Interval late, the peer claims.",
    fix: "Reserve processors for the machine, or make advert_int longer.",
  },
  "late-scheduling": {
    severity: "warning",
    meaning: "A process of this host waited for a processor for a noticeable part of the shortest advert interval.",
    why: "Adverts leave late; when that is Master_Down_Interval late, the peer claims.",
    fix: "Find what keeps the processors busy; vrrp_rt_priority or a longer advert_int help as well.",
  },
  "clock-unsynchronised": {
    severity: "warning",
    meaning: "The host's clock is not synchronised.",
    why: "VRRP does not need it; auth_hmac with a time window, TLS and the comparison of two logs do.",
    fix: "Run chrony or systemd-timesyncd.",
  },
  "clock-offset": {
    severity: "warning",
    meaning: "The clocks of this host and of a peer differ.",
    why: "auth_hmac refuses adverts beyond its time window, and two logs cannot be laid side by side.",
    fix: "Synchronise both with the same servers.",
  },
  "access-denied": {
    severity: "error",
    meaning:
      "SELinux or AppArmor has denied something to the daemon or to what it runs: since the daemon's start, or, without a daemon, in the last hour.",
    why: "A check or a hook fails for a reason that its own output does not tell.",
    fix: "Allow that very access by a local policy; do not switch the protection off.",
  },
  "access-denied-before": {
    severity: "note",
    meaning:
      "SELinux or AppArmor denied something to the daemon or to what it runs, before this daemon was started or more than an hour ago.",
    why: "It may have been mended since; a check or a hook that runs seldom may meet it again.",
    fix: "Nothing, if it has been mended; otherwise allow that very access by a local policy.",
  },
  "unit-setting": {
    severity: "warning",
    meaning: "The systemd unit is set otherwise than the package has it, in a way that matters.",
    why: "A stop kills the keeper before it has released, a hang is not noticed, or the daemon may do more than it needs.",
    fix: "Correct it with `systemctl edit holdfast`.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
