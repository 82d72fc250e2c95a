/**
 * The catalogue of diagnostics: one code, one severity, one sentence for the manual. docs/diagnostics.md is made from
 * this table.
 */
import type { Severity } from "./model.ts";

interface CodeEntry {
  readonly severity: Severity;
  readonly meaning: string;
  /** Whether keepalived's config test ends with 5 for it (6 for `script-security`). */
  readonly failsConfigTest: boolean;
}

const entry = (severity: Severity, meaning: string, failsConfigTest = severity === "error"): CodeEntry => ({
  severity,
  meaning,
  failsConfigTest,
});

/** A warning that keepalived's config test counts as an error. */
const strict = (meaning: string): CodeEntry => entry("warning", meaning, true);

export const DIAGNOSTIC_CODES = {
  // Reading
  "file-unreadable": entry("error", "The configuration file cannot be read."),
  "include-unreadable": entry(
    "error",
    "A file named by includer, includeb or includea cannot be read or does not exist.",
  ),
  "include-no-match": entry("error", "The pattern of includem, includew, includeb or includea matches no file."),
  "include-loop": entry("error", "A file includes itself, or files are nested deeper than the limit."),
  "include-missing": entry("info", "A plain include names no file that exists; keepalived says nothing here."),
  "line-too-long": entry("error", "A line is longer than the limit and is ignored."),
  "nul-byte": entry("error", "A line holds a NUL byte and is ignored."),
  "byte-order-mark": strict("A file begins with a byte order mark, as some editors write it; it is skipped."),
  "too-large": entry("error", "The files, or what definitions and loops make of them, exceed the limit."),
  "too-many": entry("info", "The list of diagnostics was cut; shown with the severity of what is missing."),
  "unterminated-quote": entry("error", "A quotation mark is not closed on its line."),
  "bad-definition": entry("error", "A `$NAME=` line is malformed."),
  "bad-loop": entry("error", "A `~SEQ` or `~LST` line is malformed."),
  "expansion-limit": entry("error", "Definitions refer to each other too deeply."),
  "unexpected-brace": entry("error", "A brace stands where none can stand."),
  "missing-brace": entry("error", "A block is never closed."),
  // Keywords
  "unknown-keyword": entry("error", "The word is no keyword here."),
  "not-done-yet": entry("warning", "A keyword of keepalived that is accepted and has no effect yet."),
  "safety-not-done": entry("warning", "A keyword that changes how safe the pair is, and has no effect yet."),
  refused: entry("warning", "A keyword of keepalived that Holdfast will not do; the message gives the reason."),
  "missing-argument": entry("error", "A keyword lacks its value."),
  "extra-argument": entry("warning", "Words after the value are ignored, as keepalived ignores them."),
  "bad-value": entry("error", "A value is not of the kind the keyword takes."),
  "out-of-range": entry("error", "A number is outside the range of the keyword."),
  "not-a-block": entry("error", "A keyword that opens no block is followed by `{`."),
  "block-expected": entry("error", "A keyword that needs a `{ }` block has none."),
  "strict-reset": entry("error", "strict_mode resets a setting that the RFC does not know."),
  "replaced-by-nftables": entry("info", "A firewall of another kind is asked for; nftables does the same.", true),
  "unicast-from-base": strict("use_vmac with unicast peers: adverts leave by the base interface."),
  "strict-closes": entry("warning", "strict_mode or no_accept closes the addresses: nobody can use a service on them."),
  // Meaning
  "duplicate-name": entry("error", "Two blocks of one kind have the same name."),
  "duplicate-vrid": entry("error", "Two instances use the same virtual_router_id on one interface."),
  "missing-vrid": entry("error", "An instance has no virtual_router_id and is left out."),
  "missing-interface": entry("error", "An instance has no interface and is left out."),
  "loopback-interface": entry("error", "An instance is on the loopback interface and is left out."),
  "no-mail-server": entry("warning", "Mail is asked for, and no smtp_server is named: none is sent."),
  "no-mail-recipient": strict("A notification_email block is empty: no mail is sent."),
  "unknown-interface": strict("The interface does not exist on this host."),
  "reload-interface": entry(
    "error",
    "A reload gives an instance an interface that the host has not, without dynamic_interfaces: nothing is changed.",
    false,
  ),
  "unknown-script": strict("track_script names a script that is not defined before the instance."),
  "unknown-user": strict("A script is to run as a user or group that does not exist."),
  "unknown-processor": strict("vrrp_cpu_affinity names a processor that this host has not."),
  "script-missing-command": entry("error", "A vrrp_script has no script line."),
  "unused-script": entry("info", "A vrrp_script that no instance tracks is never run."),
  "master-clears-nopreempt": strict(
    "nopreempt or preempt_delay together with state MASTER: they are cleared, as keepalived does.",
  ),
  adjusted: strict("A value was changed to one that the protocol can carry."),
  "auth-too-long": strict("auth_pass is longer than 8 characters; the rest is cut off."),
  "auth-ignored": strict(
    "The kind of authentication does not exist there (version 3, IPv6, beside auth_hmac) and is ignored.",
  ),
  "auth-without-type": entry(
    "warning",
    "An authentication block without auth_type: there is none, as with keepalived.",
  ),
  "ah-clears-master": strict("state MASTER together with auth_type AH: it is cleared, as keepalived does."),
  "ah-clears-owner": entry("warning", "The same for an owner (priority 255), of which keepalived says nothing."),
  "hmac-unusable": entry(
    "error",
    "auth_hmac lacks a usable key; the instance is left out, because unsigned it would be a second master.",
  ),
  "bad-gateway": entry(
    "error",
    "track_gateway names something that is no address, or gateway_quorum more than there are.",
  ),
  "peer-link-unusable": entry(
    "error",
    "peer_link lacks a usable key, its own address or a peer; the daemon runs without the link.",
  ),
  "quorum-unusable": entry(
    "error",
    "quorum_store lacks an endpoint or names files that cannot be used; instances that manage a database are left out.",
  ),
  "witness-unusable": entry(
    "error",
    "witness lacks a usable key or the address to listen at, or a client is no address; `holdfast witness` does not start.",
  ),
  "witness-open": entry("warning", "witness names no client: whoever proves a key may write every record."),
  "witness-listen": entry("warning", "witness has several lines `listen`: it listens at the last one."),
  "quorum-unused": entry("info", "quorum_store is given, and no instance manages a database."),
  "witness-on-pair": entry(
    "warning",
    "The witness of quorum_store is on a host of the pair: its word is no third vote.",
  ),
  "quorum-ttl": entry("warning", "ttl of quorum_store is so short that one lost answer takes the address away."),
  "quorum-without-lease": entry("warning", "vip_lease off beside quorum_store: a frozen host keeps its address."),
  "key-file-readable": entry("warning", "Somebody but root may read a file that holds a key."),
  "no-virtual-address": strict("An instance has no virtual_ipaddress."),
  "duplicate-address": entry("warning", "The same virtual address is given twice."),
  "unknown-tracked": strict(
    "track_file, track_process, track_mysql or track_redis names something that is not defined above.",
  ),
  "track-incomplete": strict("A track_file without `file`, or a vrrp_track_process without `process`, is left out."),
  "unknown-managed": entry(
    "error",
    "manage_mysql or manage_redis names no block that is defined above; the instance is left out.",
  ),
  "managed-flawed": entry(
    "error",
    "manage_mysql names a mysql block with lines that cannot be used; the instance is left out.",
  ),
  "safety-misspelt": entry(
    "error",
    "A keyword of Holdfast's own safety (manage_mysql, auth_hmac ...) is misspelt; the instance is left out.",
  ),
  "replica-is-peer": entry("error", "A replica of a managed group is also its server or one of its peers."),
  "peer-is-own": entry("error", "A peer of a managed group is this host's own server, or the virtual address."),
  "managed-preempts": entry("warning", "A managed instance preempts: its address comes back by priority alone."),
  "managed-twice": entry("warning", "Two instances manage the same server: one closes it under the other."),
  "notify-backup-redis-circle": entry(
    "warning",
    "A notify script lets Redis follow the other host (SLAVEOF, REPLICAOF): both hosts run it at their start, and follow each other.",
  ),
  "managed-alone": entry("warning", "A managed server has no peer: nobody is asked or closed before it opens."),
  "managed-policy": entry("info", "What a takeover of a managed server may risk, in words."),
  "unused-tracker": entry(
    "info",
    "A track_file, vrrp_track_process, mysql or redis that nobody tracks is not watched.",
  ),
  "credentials-unusable": entry(
    "error",
    "The credentials file of a mysql or redis block cannot be read, or others than its owner may open it: its check fails until that is mended.",
  ),
  "api-without-listen": entry("warning", "A block api names no address to listen at: it changes nothing."),
  "api-needs-tls": entry(
    "error",
    "The API listens at an address that others reach, without TLS; that listener is left out.",
  ),
  "api-needs-tokens": entry(
    "error",
    "The API listens at an address that others reach, without token_file; that listener is left out.",
  ),
  "api-file-unusable": entry(
    "error",
    "A certificate, key or token file of the API cannot be used: nobody gets in by it.",
  ),
  "unknown-member": strict("A sync group names an instance that does not exist; it goes without it."),
  "member-twice": strict("An instance belongs to one sync group only; the second mention is ignored."),
  "group-too-small": strict("A sync group has fewer than two members: there is nothing to keep together."),
  "group-weight-ignored": entry(
    "warning",
    "A member of a sync group tracks something with a weight; it is ignored unless sync_group_tracking_weight is set.",
  ),
  "group-priorities": entry(
    "warning",
    "Members of one sync group have different priorities: two hosts may each win only a part of it.",
  ),
  "deprecated-name": entry("warning", "An old name of a keyword; it works."),
  deprecated: strict("An old keyword that keepalived advises against; it works."),
  "bad-address": entry("error", "The text is not an address."),
  "family-mismatch": entry("error", "An address is of another family than its instance and is left out."),
  "bad-server-group": entry("error", "A line of a virtual_server_group cannot be read, or the group is of no use."),
  "bad-server": entry("error", "A virtual, real or sorry server cannot be told from its first line and is left out."),
  "server-family": entry("error", "A real server or a group is of another address family than its virtual server."),
  "server-adjusted": strict("A setting of a virtual server is missing or impossible, and another one is used instead."),
  "duplicate-server": entry("error", "A virtual or real server is given twice."),
  "no-real-server": entry("error", "A virtual server has no real server and is left out."),
  "checker-unusable": entry("error", "A checker, or a word of it, cannot be used."),
  "regex-unusable": entry("error", "A regular expression of HTTP_GET or SSL_GET cannot be used."),
  "group-not-on-link": strict("An IPv6 multicast group that routers may pass on; keepalived uses it, too."),
  "ipv6-version-2": entry("warning", "An IPv6 instance has version 2, which no RFC describes for IPv6."),
  "bad-route": entry("error", "A word of a route is not understood; the message says whether the route is left out."),
  "bad-rule": entry("error", "A word of a routing rule is not understood; the rule is left out."),
  "metric-raised": entry("info", "A time of a route is shorter than the kernel's least; keepalived raises it too."),
  "unknown-name": entry(
    "error",
    "A routing table, protocol, scope, DS field or group has no such name in iproute2's files.",
  ),
  "route-not-tracked": strict("A route names no interface: that somebody deletes it is not noticed."),
  "rule-no-preference": strict("A routing rule names no preference and gets one by its place in the file."),
  "deprecated-word": strict("An old word of keepalived that works and has a successor."),
  "unknown-track-group": strict("track_group cannot be used there, or names a group that is not defined above."),
  "autojoin-unicast": entry("warning", "autojoin of an address that is no multicast group is left out."),
  "dynamic-interface": entry("info", "An interface does not exist yet; dynamic_interfaces says that this is meant."),
  "link-delay-long": entry("warning", "A link delay is longer than a peer waits for adverts; it is shortened."),
  "no-unicast-peer": strict("unicast_peer is empty."),
  "ttl-range-empty": strict("min_ttl of a unicast peer is above its max_ttl: none of its adverts is believed."),
  "peer-is-self": entry("warning", "unicast_peer contains the own unicast_src_ip."),
  // Two files: holdfast check A B
  "pair-missing": entry("error", "An instance is in one host's file only: nobody takes its addresses over.", false),
  "pair-vrid": entry("error", "The hosts give an instance different virtual_router_ids: both will be MASTER.", false),
  "pair-version": entry("error", "The hosts speak different versions of VRRP: neither hears the other.", false),
  "pair-interval": entry(
    "error",
    "Different advert_int in version 2: such adverts are dropped, both will be MASTER.",
    false,
  ),
  "pair-interval-v3": entry("warning", "Different advert_int in version 3: a backup goes by the master's."),
  "pair-transport": entry(
    "error",
    "One host sends to unicast peers, the other to a multicast group, or the groups differ.",
    false,
  ),
  "pair-auth": entry("error", "Authentication differs between the hosts: neither believes the other.", false),
  "pair-addresses": entry(
    "error",
    "The hosts have different virtual addresses: some are gone after a takeover.",
    false,
  ),
  "pair-owners": entry("error", "Both hosts have priority 255: both will be MASTER.", false),
  "pair-priority": entry("info", "Both hosts have the same priority: their addresses decide who begins."),
  "pair-preempt": entry("warning", "nopreempt on one host only: the other takes the address back."),
  "pair-managed": entry("error", "One host manages its database for an instance, the other does not.", false),
  "pair-quorum": entry("error", "quorum_store differs between the hosts: two stores, or two ideas of one.", false),
  // Lint
  "script-security": strict("Scripts run as root and enable_script_security is not set; the config test ends with 6."),
  "script-not-found": strict("The script does not exist on this host."),
  "script-not-executable": entry("warning", "The script cannot be executed."),
  "script-insecure": entry("warning", "Somebody but root may change a script that runs as root."),
  "script-no-timeout": entry("info", "A check without timeout may hang as long as its interval."),
  "script-slow": entry("info", "The check notices a failure later than a peer would notice a dead host."),
  "hook-outlasts-claim": entry(
    "warning",
    "hook_timeout is not shorter than claim_timeout: one hook that hangs makes the claim behind it fail.",
  ),
  "lease-too-long": entry(
    "warning",
    "Adverts are so frequent that the kernel's whole-second address lifetime outlasts them.",
  ),
  "fence-too-long": entry(
    "warning",
    "With `fence strict` a host that froze is silent only after a peer has taken over: down_timer_adverts or advert_int is too small.",
  ),
} as const satisfies Record<string, CodeEntry>;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;

export function severityOf(code: DiagnosticCode): Severity {
  return DIAGNOSTIC_CODES[code].severity;
}

export function failsConfigTest(code: string): boolean {
  return Object.hasOwn(DIAGNOSTIC_CODES, code) && DIAGNOSTIC_CODES[code as DiagnosticCode].failsConfigTest;
}
