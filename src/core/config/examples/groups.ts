/** Examples about sync groups, trackers, scripts, and what runs beside the instances. */
import { example, inInstance } from "./example.ts";

const TWO = ` vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
 vrrp_instance VI_2 {
   interface eth1
   virtual_router_id 52
   virtual_ipaddress {
     198.51.100.10/24
   }
 }
`;

const group = (lines: string): string => `${TWO} vrrp_sync_group G1 {
   group {
${lines.replace(/^\n/, "")}
   }
 }
`;

const CHECK = ` vrrp_script check_db {
   script "/usr/local/bin/check_db"
   interval 1
   timeout 1
 }
`;

const tracked = (head: string): string =>
  `${head}${inInstance(`
   track_script {
     check_db
   }`)}`;

const SECURE = ` global_defs {
   enable_script_security
   script_user root
 }
`;

export const GROUPS = {
  "unknown-member": example(
    "The group goes without it: the instance that was meant moves alone.",
    group(`
     VI_1
     VI_2
-    VI_3`),
  ),
  "member-twice": example(
    "Only the first group has it; the second moves without it.",
    `${group(`
     VI_1
     VI_2`)} vrrp_sync_group G2 {
   group {
-    VI_2
+    VI_3
+    VI_4
   }
 }
`,
  ),
  "group-too-small": example(
    "There is nothing to keep together; mostly a name is missing.",
    group(`
     VI_1
+    VI_2`),
  ),
  "group-weight-ignored": example(
    "The check changes nothing: members that weigh differently would be torn apart.",
    `
${CHECK} vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
   track_script {
-    check_db weight -20
+    check_db
   }
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
 vrrp_instance VI_2 {
   interface eth1
   virtual_router_id 52
   virtual_ipaddress {
     198.51.100.10/24
   }
 }
 vrrp_sync_group G1 {
   group {
     VI_1
     VI_2
   }
 }
`,
  ),
  "group-priorities": example(
    "If each of two hosts is higher in one member, neither gets the whole group by its priority.",
    `
 vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
   priority 150
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
 vrrp_instance VI_2 {
   interface eth1
   virtual_router_id 52
-  priority 100
+  priority 150
   virtual_ipaddress {
     198.51.100.10/24
   }
 }
 vrrp_sync_group G1 {
   group {
     VI_1
     VI_2
   }
 }
`,
  ),
  "no-mail-server": example(
    "Somebody waits for mails that are never sent.",
    `
 global_defs {
   notification_email {
     ops@example.com
   }
+  smtp_server 192.0.2.25
 }
`,
  ),
  "no-mail-recipient": example(
    "Somebody waits for mails that are never sent.",
    `
 global_defs {
   notification_email {
+    ops@example.com
   }
   smtp_server 192.0.2.25
 }
`,
  ),
  "unknown-user": example(
    "The script cannot be run, and what cannot be run counts as failed.",
    `
 global_defs {
-  script_user keepalvied
+  script_user keepalived
 }
`,
    {
      host: { missing: ["keepalvied"] },
      correctedHost: { missing: ["keepalvied"] },
      onHost: "The host has the user keepalived.",
    },
  ),
  "unknown-processor": example(
    "The process runs where the kernel likes, not where it was to be kept free.",
    `
 global_defs {
-  vrrp_cpu_affinity 8
+  vrrp_cpu_affinity 3
 }
`,
    { host: { missing: ["8"] }, correctedHost: { missing: ["8"] }, onHost: "The host has the processors 0 to 3." },
  ),
  "unused-script": example(
    "The check looks as if it guarded something, and is never run.",
    `
${CHECK}${inInstance(`
+  track_script {
+    check_db
+  }
   priority 150`)}`,
  ),
  "unknown-tracked": example(
    "What was to decide decides nothing.",
    `
 track_file maintenance {
   file /run/maintenance
 }
${inInstance(`
   track_file {
-    maintainance
+    maintenance
   }`)}`,
  ),
  "track-incomplete": example(
    "It is left out, and with it what tracks it.",
    `
 track_file maintenance {
+  file /run/maintenance
 }
`,
  ),
  "unused-tracker": example(
    "It looks as if it guarded something, and is not watched.",
    `
 track_file maintenance {
   file /run/maintenance
 }
${inInstance(`
+  track_file {
+    maintenance
+  }
   priority 150`)}`,
  ),
  "script-security": example(
    "Who may change a script that root runs is root. keepalived's config test ends with 6 for it.",
    `
+global_defs {
+  enable_script_security
+  script_user root
+}
${tracked(CHECK)}`,
  ),
  "script-not-found": example(
    "The check counts as failed, so the instance goes to FAULT; a notify script is not run.",
    `
${SECURE} vrrp_script check_db {
-  script "/usr/local/bin/chekc_db"
+  script "/usr/local/bin/check_db"
   timeout 1
 }
`,
    { host: { missing: ["/usr/local/bin/chekc_db"] }, correctedHost: { missing: ["/usr/local/bin/chekc_db"] } },
  ),
  "script-not-executable": example(
    "As a script that does not exist: the check counts as failed.",
    `${SECURE}${tracked(CHECK)}`,
    {
      host: { modes: { "/usr/local/bin/check_db": 0o644 } },
      onHost: "The script has mode 0644; corrected by `chmod 755 /usr/local/bin/check_db`.",
    },
  ),
  "script-insecure": example(
    "Whoever may write the script, or a folder above it, is root.",
    `${SECURE}${tracked(CHECK)}`,
    {
      host: { writable: ["/usr/local/bin/check_db"] },
      onHost: "The script belongs to the user deploy; corrected by `chown root /usr/local/bin/check_db`.",
    },
  ),
  "script-no-timeout": example(
    "A check that hangs counts as failed only when its interval is over.",
    `
 vrrp_script check_db {
   script "/usr/local/bin/check_db"
   interval 5
+  timeout 2
 }
`,
  ),
  "script-slow": example(
    "A dead database is noticed later than a dead host would be; often meant, to spare the database.",
    `
 vrrp_script check_db {
   script "/usr/local/bin/check_db"
-  interval 10
+  interval 1
   timeout 1
-  fall 3
+  fall 2
 }
${inInstance(`
   track_script {
     check_db
   }`)}`,
  ),
  "bad-route": example(
    "The route is left out or lacks the word; the service is not reached by it.",
    inInstance(`
   virtual_routes {
-    203.0.113.0/24 via 192.0.2.254 metrik 10
+    203.0.113.0/24 via 192.0.2.254 dev eth0 metric 10
   }`),
  ),
  "bad-rule": example(
    "The rule is left out, so traffic takes the main table.",
    inInstance(`
   virtual_rules {
-    from 192.0.2.10 lookupp 100 preference 1000
+    from 192.0.2.10 lookup 100 preference 1000
   }`),
  ),
  "metric-raised": example(
    "The kernel takes no less; the file says something else than what runs.",
    inInstance(`
   virtual_routes {
-    203.0.113.0/24 via 192.0.2.254 dev eth0 rto_min 50ms
+    203.0.113.0/24 via 192.0.2.254 dev eth0 rto_min 200ms
   }`),
  ),
  "unknown-name": example(
    "The line is left out: iproute2's files on this host do not know the name.",
    inInstance(`
   virtual_routes {
-    203.0.113.0/24 via 192.0.2.254 dev eth0 table services
+    203.0.113.0/24 via 192.0.2.254 dev eth0 table 100
   }`),
  ),
  "route-not-tracked": example(
    "When somebody deletes the route nobody notices.",
    inInstance(`
   virtual_routes {
-    203.0.113.0/24 via 192.0.2.254
+    203.0.113.0/24 via 192.0.2.254 dev eth0
   }`),
  ),
  "rule-no-preference": example(
    "Its place among the rules depends on the order of the file; a reload may change it.",
    inInstance(`
   virtual_rules {
-    from 192.0.2.10 lookup 100
+    from 192.0.2.10 lookup 100 preference 1000
   }`),
  ),
  "deprecated-word": example(
    "It works today; keepalived has renamed it, and its config test fails.",
    inInstance(`
   virtual_routes {
-    203.0.113.0/24 gw 192.0.2.254 dev eth0
+    203.0.113.0/24 via 192.0.2.254 dev eth0
   }`),
  ),
  "unknown-track-group": example(
    "No instance reacts when the static route is lost.",
    `
 track_group services {
   group {
     VI_1
   }
 }
 static_routes {
-  203.0.113.0/24 via 192.0.2.254 dev eth0 track_group servces
+  203.0.113.0/24 via 192.0.2.254 dev eth0 track_group services
 }
${inInstance("   priority 150")}`,
  ),
} as const;
