/** Examples about instances: identity, adverts, authentication, addresses. */
import { example, inInstance, without } from "./example.ts";

/** An instance of which every line is given. */
const whole = (lines: string): string => ` vrrp_instance VI_1 {
${lines.replace(/^\n/, "")}
 }
`;

const KEY = "0123456789abcdef".repeat(4);

export const INSTANCES = {
  "strict-reset": example(
    "The RFC does not know the setting, so strict mode takes it back and the file says something else than what runs.",
    inInstance(`
   version 2
   strict_mode on
   priority 255
-  state BACKUP
+  state MASTER`),
  ),
  "replaced-by-nftables": example(
    "The same is done with nftables; rules that were written by hand around keepalived's own chains are not found there.",
    `
 global_defs {
-  vrrp_iptables INPUT OUTPUT
+  nftables
 }
${inInstance("   no_accept")}`,
  ),
  "unicast-from-base": example(
    "Peers see adverts with the MAC address of the base interface; that works, and is not what use_vmac promises.",
    inInstance(`
   use_vmac
-  unicast_src_ip 192.0.2.1
-  unicast_peer {
-    192.0.2.2
-  }`),
  ),
  "strict-closes": example(
    "The address moves as it should, and nobody can connect to a service on it: made for routers, not for databases.",
    inInstance(`
-  strict_mode on
   priority 150`),
  ),
  "duplicate-vrid": example(
    "Both would answer to the same adverts; the second is left out and its addresses are served by nobody.",
    `
 vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
 vrrp_instance VI_2 {
   interface eth0
-  virtual_router_id 51
+  virtual_router_id 52
   virtual_ipaddress {
     192.0.2.11/24
   }
 }
`,
  ),
  "missing-vrid": example(
    "Without the number that names the group on the network the instance cannot run, and is left out.",
    whole(`
   interface eth0
+  virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }`),
  ),
  "missing-interface": example(
    "Nobody knows where adverts go out; the instance is left out.",
    whole(`
+  interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }`),
  ),
  "loopback-interface": example(
    "No peer hears adverts on the loopback interface: each host would serve.",
    whole(`
-  interface lo
+  interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }`),
  ),
  "unknown-interface": example(
    "The instance is in FAULT until the interface exists; mostly a name of another host or of before an upgrade.",
    whole(`
-  interface etho
+  interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }`),
    { host: { missing: ["etho"] }, correctedHost: { missing: ["etho"] }, onHost: "The host has eth0 and no etho." },
  ),
  "reload-interface": without(
    "A reload that takes an instance to an interface that is not there would give its address up; nothing is changed instead.",
    "A running daemon is reloaded with a file whose instance is on an interface that does not exist, without dynamic_interfaces. Create the interface first.",
  ),
  "dynamic-interface": example(
    "Meant, by dynamic_interfaces; said, because a mistyped name looks the same.",
    `
 global_defs {
   dynamic_interfaces
 }
 vrrp_instance VI_1 {
-  interface tun7
+  interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
`,
    { host: { missing: ["tun7"] }, correctedHost: { missing: ["tun7"] }, onHost: "The host has no tun7 yet." },
  ),
  "link-delay-long": example(
    "While the delay runs the peer has long taken over: two hosts would serve.",
    `
 interface_up_down_delays {
-  eth0 10
+  eth0 1
 }
${inInstance("   priority 150")}`,
  ),
  "master-clears-nopreempt": example(
    "The host takes the address back when it returns: one interruption more than necessary, and what nopreempt was to prevent.",
    inInstance(`
-  state MASTER
+  state BACKUP
   nopreempt`),
  ),
  adjusted: example(
    "What runs differs from what is written: the peer that reads the file with other eyes has another interval.",
    inInstance(`
   version 2
-  advert_int 1.4
+  advert_int 1`),
  ),
  "auth-too-long": example(
    "Both hosts compare eight characters only: a password that differs behind them is the same.",
    inInstance(`
   authentication {
     auth_type PASS
-    auth_pass example-password
+    auth_pass example1
   }`),
  ),
  "auth-ignored": example(
    "The adverts are not authenticated although the file says so.",
    inInstance(`
-  version 3
+  version 2
   authentication {
     auth_type PASS
     auth_pass example1
   }`),
  ),
  "ah-clears-master": example(
    "With AH a host first has to hear where the sequence numbers stand; the priority decides who begins.",
    inInstance(`
-  state MASTER
+  state BACKUP
   priority 150
   authentication {
     auth_type AH
     auth_pass example1
   }`),
  ),
  "auth-without-type": example(
    "The adverts are not authenticated although the file holds a password.",
    inInstance(`
   authentication {
+    auth_type PASS
     auth_pass example1
   }`),
  ),
  "ah-clears-owner": example(
    "With AH even the owner of the address first has to hear where the sequence numbers stand.",
    inInstance(`
   state MASTER
   priority 255
   authentication {
-    auth_type AH
+    auth_type PASS
     auth_pass example1
   }`),
  ),
  "hmac-unusable": example(
    "Unsigned among hosts that sign, the instance would be a second master; so it is left out.",
    inInstance(`
   version 3
   auth_hmac {
-    key 1 hex:0123
+    key 1 hex:${KEY}
     active_key 1
   }`),
  ),
  "bad-gateway": example(
    "The gateways decide whether this host is the one that is cut off; with a wrong list it refuses to serve, or never does.",
    inInstance(`
-  track_gateway 192.0.2.254 gw2
+  track_gateway 192.0.2.254 192.0.2.253`),
  ),
  "key-file-readable": example(
    "Whoever knows the key can be the master.",
    inInstance(`
   version 3
   auth_hmac {
     key 1 file:/etc/keepalived/vrrp51.key
     active_key 1
   }`),
    {
      host: { files: { "/etc/keepalived/vrrp51.key": KEY }, modes: { "/etc/keepalived/vrrp51.key": 0o644 } },
      correctedHost: { files: { "/etc/keepalived/vrrp51.key": KEY } },
      onHost: "The file of the key has mode 0644; corrected by `chmod 600 /etc/keepalived/vrrp51.key`.",
    },
  ),
  "no-virtual-address": example(
    "The instance elects a master of nothing.",
    whole(`
   interface eth0
   virtual_router_id 51
+  virtual_ipaddress {
+    192.0.2.10/24
+  }`),
  ),
  "duplicate-address": example(
    "One of the two lines has no effect: the address has one place in the advert, or none.",
    inInstance(`
   virtual_ipaddress_excluded {
-    192.0.2.10/24
+    192.0.2.11/24
   }`),
  ),
  "bad-address": example(
    "The line is left out: the address is served by nobody.",
    whole(`
   interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
-    192.0.2.300/24
+    192.0.2.30/24
   }`),
  ),
  "family-mismatch": example(
    "An instance speaks IPv4 or IPv6, not both; the address of the other family is left out.",
    inInstance(`
   virtual_ipaddress {
-    2001:db8::10/64
   }
+  virtual_ipaddress_excluded {
+    2001:db8::10/64
+  }`),
  ),
  "group-not-on-link": example(
    "Routers may carry the adverts further than the link: hosts elsewhere would take part.",
    `
 global_defs {
-  vrrp_mcast_group6 ff05::12
+  vrrp_mcast_group6 ff02::12
 }
`,
  ),
  "ipv6-version-2": example(
    "No RFC describes it; only keepalived and Holdfast understand each other.",
    whole(`
   interface eth0
   virtual_router_id 51
-  version 2
+  version 3
   virtual_ipaddress {
     fe80::10/64
     2001:db8::10/64
   }`),
  ),
  "autojoin-unicast": example(
    "Joining makes sense for multicast groups only; the address is left out.",
    whole(`
   interface eth0
   virtual_router_id 51
   virtual_ipaddress {
-    192.0.2.10/24 autojoin
+    192.0.2.10/24
   }`),
  ),
  "no-unicast-peer": example(
    "Adverts go to the multicast group, which is blocked where unicast was chosen: both hosts will be MASTER.",
    inInstance(`
   unicast_src_ip 192.0.2.1
   unicast_peer {
+    192.0.2.2
   }`),
  ),
  "ttl-range-empty": example(
    "None of the peer's adverts is believed: both hosts will be MASTER.",
    inInstance(`
   unicast_src_ip 192.0.2.1
   unicast_peer {
-    192.0.2.2 min_ttl 64 max_ttl 32
+    192.0.2.2 min_ttl 32 max_ttl 64
   }`),
  ),
  "peer-is-self": example(
    "A file copied from the other host: adverts to oneself, and none to the peer perhaps.",
    inInstance(`
   unicast_src_ip 192.0.2.1
   unicast_peer {
-    192.0.2.1
+    192.0.2.2
   }`),
  ),
  "lease-too-long": example(
    "After a host was killed its kernel keeps the address longer than the peer waits: both may answer for that long.",
    inInstance(`
   version 3
-  advert_int 0.1
+  advert_int 1`),
  ),
  "fence-too-long": example(
    "A peer takes over after the first missing advert, and the fence of a frozen host is still open.",
    inInstance(`
   fence strict
-  down_timer_adverts 1
+  down_timer_adverts 3`),
  ),
  "hook-outlasts-claim": example(
    "One hook that hangs makes the claim behind it fail: the takeover that was to be made safe does not happen.",
    inInstance(`
   notify_claim "/usr/local/bin/claim"
   claim_timeout 10
-  hook_timeout 30
+  hook_timeout 5`),
  ),
} as const;
