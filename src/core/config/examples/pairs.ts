/** Examples of two files that do not fit: the first is this host's, in its faulty and corrected form, the second the other host's. */
import { example, sideOf } from "./example.ts";

const host = (lines: string, address = "192.0.2.10/24"): string => ` vrrp_instance VI_1 {
   interface eth0
${lines.replace(/^\n/, "")}
   virtual_ipaddress {
     ${address}
   }
 }
`;

const pair = (why: string, lines: string, other: string) =>
  example(why, host(lines), { peer: sideOf(host(other), "corrected") });

export const PAIRS = {
  "pair-missing": example(
    "Nobody takes its addresses over.",
    `${host("   virtual_router_id 51\n   priority 150")}-vrrp_instance VI_2 {
-  interface eth1
-  virtual_router_id 52
-  virtual_ipaddress {
-    198.51.100.10/24
-  }
-}
`,
    { peer: sideOf(host("   virtual_router_id 51\n   priority 100"), "corrected") },
  ),
  "pair-vrid": pair(
    "The hosts do not hear each other as one group: both will be MASTER.",
    `
-  virtual_router_id 52
+  virtual_router_id 51
   priority 150`,
    "   virtual_router_id 51\n   priority 100",
  ),
  "pair-version": pair(
    "Neither hears the other: both will be MASTER.",
    `
   virtual_router_id 51
-  version 3
+  version 2
   priority 150`,
    "   virtual_router_id 51\n   version 2\n   priority 100",
  ),
  "pair-interval": pair(
    "Version 2 drops adverts with another interval: both will be MASTER.",
    `
   virtual_router_id 51
   version 2
-  advert_int 2
+  advert_int 1
   priority 150`,
    "   virtual_router_id 51\n   version 2\n   advert_int 1\n   priority 100",
  ),
  "pair-interval-v3": pair(
    "How long a takeover takes depends on who was master.",
    `
   virtual_router_id 51
   version 3
-  advert_int 2
+  advert_int 1
   priority 150`,
    "   virtual_router_id 51\n   version 3\n   advert_int 1\n   priority 100",
  ),
  "pair-transport": pair(
    "Neither hears the other: both will be MASTER.",
    `
   virtual_router_id 51
-  unicast_src_ip 192.0.2.1
-  unicast_peer {
-    192.0.2.2
-  }
   priority 150`,
    "   virtual_router_id 51\n   priority 100",
  ),
  "pair-auth": pair(
    "Neither believes the other: both will be MASTER.",
    `
   virtual_router_id 51
   version 2
   authentication {
     auth_type PASS
-    auth_pass example1
+    auth_pass example2
   }
   priority 150`,
    "   virtual_router_id 51\n   version 2\n   authentication {\n     auth_type PASS\n     auth_pass example2\n   }\n   priority 100",
  ),
  "pair-addresses": example(
    "An address is gone after a takeover.",
    ` vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
   priority 150
   virtual_ipaddress {
     192.0.2.10/24
-    192.0.2.11/24
   }
 }
`,
    { peer: sideOf(host("   virtual_router_id 51\n   priority 100"), "corrected") },
  ),
  "pair-owners": pair(
    "255 says that the address is the host's own; both will be MASTER.",
    `
   virtual_router_id 51
-  priority 255
+  priority 200`,
    "   virtual_router_id 51\n   priority 255",
  ),
  "pair-priority": pair(
    "The hosts' own addresses decide who begins; often meant.",
    `
   virtual_router_id 51
-  priority 100
+  priority 150`,
    "   virtual_router_id 51\n   priority 100",
  ),
  "pair-preempt": pair(
    "The other host takes the address back when it returns.",
    `
   virtual_router_id 51
   priority 150
+  nopreempt`,
    "   virtual_router_id 51\n   priority 100\n   nopreempt",
  ),
  "pair-managed": example(
    "A takeover by one of the hosts prepares the database, one by the other does not.",
    ` mysql orders {
   peer 192.0.2.2
 }
${host(`
   virtual_router_id 51
   priority 150
   nopreempt
+  manage_mysql orders`)}`,
    {
      peer: sideOf(
        ` mysql orders {
   peer 192.0.2.1
 }
${host("   virtual_router_id 51\n   priority 100\n   nopreempt\n   manage_mysql orders")}`,
        "corrected",
      ),
    },
  ),
  "pair-quorum": example(
    "Each host's word is confirmed by a store that knows nothing of the other's.",
    ` quorum_store etcd {
-  endpoint http://192.0.2.8:2379
+  endpoint http://192.0.2.9:2379
 }
 redis cache {
   peer 192.0.2.2
 }
${host("   virtual_router_id 51\n   priority 150\n   nopreempt\n   manage_redis cache")}`,
    {
      peer: sideOf(
        ` quorum_store etcd {
   endpoint http://192.0.2.9:2379
 }
 redis cache {
   peer 192.0.2.1
 }
${host("   virtual_router_id 51\n   priority 100\n   nopreempt\n   manage_redis cache")}`,
        "corrected",
      ),
    },
  ),
} as const;
