/** Examples of what is wrong with the text itself: files, lines, braces, keywords and their values. */
import { example, inInstance, without } from "./example.ts";

export const READING = {
  "file-unreadable": without(
    "Without its file the daemon has nothing to keep; a start and a reload are refused.",
    "The path given with `-f`, or /etc/keepalived/keepalived.conf, does not exist or cannot be read. Correct the path or the permissions.",
  ),
  "include-unreadable": example(
    "What the file says is silently not there: an instance less, or a secret less.",
    " includea /etc/keepalived/vrrp.conf\n",
    {
      host: { files: { "/etc/keepalived/vrrp.conf": "" }, unreadable: ["/etc/keepalived/vrrp.conf"] },
      correctedHost: { files: { "/etc/keepalived/vrrp.conf": "" } },
      onHost: "The file may not be read by the user who runs the daemon; corrected by `chown` or `chmod`.",
    },
  ),
  "include-no-match": example(
    "A file that has to be there and is not was not deployed.",
    `
-includem vrrp.cnf
+includem vrrp.conf
`,
    {
      host: { files: { "/etc/keepalived/vrrp.conf": "" } },
      correctedHost: { files: { "/etc/keepalived/vrrp.conf": "" } },
    },
  ),
  "include-loop": example(
    "The circle is cut where it closes; what would follow there is read once only.",
    `
-include keepalived.conf
+include instances.conf
`,
    {
      host: { files: { "/etc/keepalived/instances.conf": "" } },
      correctedHost: { files: { "/etc/keepalived/instances.conf": "" } },
    },
  ),
  "include-missing": example(
    "Often meant, as in a folder of optional files; a typing mistake looks the same.",
    `
-include site.cnf
+include site.conf
`,
    {
      host: { files: { "/etc/keepalived/site.conf": "" } },
      correctedHost: { files: { "/etc/keepalived/site.conf": "" } },
    },
  ),
  "line-too-long": without(
    "The line has no effect, and a line of that length is rarely one that somebody wrote.",
    "A line of more than 65536 characters, mostly a binary file or a generated list. Split the line.",
  ),
  "nul-byte": example(
    "The line has no effect: the file was saved as UTF-16 or is no text.",
    `
-router_id \u0000
+! saved as UTF-8
`,
  ),
  "byte-order-mark": example(
    "keepalived takes the mark for a part of the first word and drops that block without a word; Holdfast skips it.",
    `
-\uFEFFglobal_defs {
+global_defs {
   router_id db1
 }
`,
  ),
  "too-large": without(
    "Beyond the limit nothing is read: the rest of the configuration is missing.",
    "More than 1000 files, 16 Mi characters, or 200000 lines made by loops and definitions. Shorten the loops.",
  ),
  "too-many": without(
    "The first 500 findings of each severity are shown; the others are found when these are mended.",
    "More than 500 findings of one severity, mostly because the file is of another program.",
  ),
  "unterminated-quote": example(
    "Everything behind the mark is one value; what was meant to follow is lost.",
    inInstance(`
-  notify "/etc/keepalived/notify.sh
+  notify "/etc/keepalived/notify.sh"`),
  ),
  "bad-definition": example(
    "The value is not what it looks like: the text on the first line and the lines below are joined.",
    `
-$PEERS=192.0.2.1 \\
-192.0.2.2
+$PEERS= \\
+192.0.2.1 \\
+192.0.2.2
`,
  ),
  "bad-loop": example(
    "The lines that the loop should write are missing.",
    inInstance(`
   virtual_ipaddress_excluded {
-    ~SEQ(n, one, 3) 192.0.2.2\${n}/24
+    ~SEQ(n, 1, 3) 192.0.2.2\${n}/24
   }`),
  ),
  "expansion-limit": example(
    "The line is left out: a definition that uses itself has no end.",
    `
-$NAME=db-$NAME
+$NAME=db-1
 global_defs {
   router_id $NAME
 }
`,
  ),
  "unexpected-brace": example(
    "From here on blocks are not nested as they look.",
    `
 global_defs {
   router_id db1
 }
-}
`,
  ),
  "missing-brace": example(
    "Everything below belongs to the block, so that instances may be taken for lines of another one.",
    `
 global_defs {
   router_id db1
+}
`,
  ),
  "unknown-keyword": example(
    "The line has no effect, as with keepalived, and nobody sees what is missing.",
    inInstance(`
-  priorty 150
+  priority 150`),
  ),
  "not-done-yet": example(
    "keepalived does something here that Holdfast does not do yet; the rest of the file works.",
    `
 global_defs {
-  enable_snmp_vrrp
 }
`,
  ),
  "safety-not-done": example(
    "The pair is less safe than the file says: what the line guards against is not guarded against.",
    inInstance(`
-  track_bfd {
-    BFD1
-  }`),
  ),
  refused: example(
    "The line has no effect and will have none; the message gives the reason and what to do instead.",
    `
 global_defs {
-  tmp_config_directory /run/keepalived
 }
`,
  ),
  "missing-argument": example(
    "The line is left out, and the default counts.",
    inInstance(`
-  priority
+  priority 150`),
  ),
  "extra-argument": example(
    "What stands behind the value looks as if it counted, and does not.",
    inInstance(`
-  priority 150 nopreempt
+  priority 150
+  nopreempt`),
  ),
  "bad-value": example(
    "The line is left out, and the default counts.",
    inInstance(`
-  priority high
+  priority 200`),
  ),
  "out-of-range": example(
    "The line is left out, and the default counts: here both hosts would have priority 100.",
    inInstance(`
-  priority 300
+  priority 200`),
  ),
  "not-a-block": example(
    "The words inside the braces are not read.",
    inInstance(`
-  priority 150 {
-  }
+  priority 150`),
  ),
  "block-expected": example(
    "The line is left out: the words behind the keyword are not what it takes.",
    inInstance(`
-  track_interface eth1
+  track_interface {
+    eth1
+  }`),
  ),
  "deprecated-name": example(
    "It works today; keepalived has renamed it, and its manual knows the new name only.",
    inInstance(`
-  vmac_garp_intvl 30
+  garp_extra_if 30`),
  ),
  deprecated: example(
    "It works today; keepalived advises against it, and its config test fails.",
    `
 vrrp_instance VI_1 {
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
 vrrp_sync_group G1 {
   group {
     VI_1
     VI_2
   }
-  global_tracking
+  sync_group_tracking_weight
 }
`,
  ),
  "unknown-script": example(
    "The check does not decide anything: a host whose database is dead goes on serving.",
    `
 vrrp_script check_db {
   script "/usr/local/bin/check_db"
 }
${inInstance(`
   track_script {
-    chk_database
+    check_db
   }`)}`,
  ),
  "script-missing-command": example(
    "There is nothing to run, so the check is left out and nothing that tracks it is checked.",
    `
 vrrp_script check_db {
   interval 2
+  script "/usr/local/bin/check_db"
 }
`,
  ),
  "duplicate-name": example(
    "The second block is left out: its addresses are served by nobody.",
    `
 vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
-vrrp_instance VI_1 {
+vrrp_instance VI_2 {
   interface eth0
   virtual_router_id 52
   virtual_ipaddress {
     192.0.2.11/24
   }
 }
`,
  ),
} as const;
