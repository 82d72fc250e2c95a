/** Examples about virtual servers, their real servers and checkers. */
import { example } from "./example.ts";

const service = (lines: string): string => ` virtual_server 192.0.2.10 80 {
   lvs_sched rr
   lvs_method NAT
   protocol TCP
${lines.replace(/^\n/, "")}
 }
`;

const REAL = `   real_server 198.51.100.1 80 {
     TCP_CHECK {
     }
   }`;

const GROUP = (lines: string): string => ` virtual_server_group web {
${lines.replace(/^\n/, "")}
 }
`;

export const SERVICES = {
  "bad-server-group": example(
    "The line, or the group, serves nobody.",
    `
${GROUP(`
   192.0.2.10 80
-  192.0.2.11 http80
+  192.0.2.11 80`)}`,
  ),
  "bad-server": example(
    "The server is left out: the others carry its load.",
    `
${service(`
${REAL}
-  real_server 198.51.100.300 80 {
+  real_server 198.51.100.30 80 {
     TCP_CHECK {
     }
   }`)}`,
  ),
  "server-family": example(
    "The kernel cannot forward from one family to the other by NAT or DR; the server is left out.",
    `
${service(`
${REAL}
-  real_server 2001:db8::1 80 {
+  real_server 198.51.100.2 80 {
     TCP_CHECK {
     }
   }`)}`,
  ),
  "server-adjusted": example(
    "What runs differs from what is written, or was not written and guessed.",
    `
${service(`
-  quorum 5
+  quorum 1
${REAL}`)}`,
  ),
  "duplicate-server": example(
    "The second one is left out, with its weight and its checkers.",
    `
${service(`
${REAL}
-  real_server 198.51.100.1 80 {
+  real_server 198.51.100.2 80 {
     TCP_CHECK {
     }
   }`)}`,
  ),
  "no-real-server": example(
    "There is nothing to forward to; the virtual server is left out.",
    `
${service(`
   delay_loop 5
+  real_server 198.51.100.1 80 {
+    TCP_CHECK {
+    }
+  }`)}`,
  ),
  "checker-unusable": example(
    "The server is not checked, or counts as failed; the message says which.",
    `
${service(`
   real_server 198.51.100.1 80 {
     HTTP_GET {
+      url {
+        path /health
+      }
     }
   }`)}`,
  ),
  "regex-unusable": example(
    "The answer of the server is not compared with it.",
    `
${service(`
   real_server 198.51.100.1 80 {
     HTTP_GET {
       url {
         path /health
-        regex "ok("
+        regex "ok"
       }
     }
   }`)}`,
  ),
} as const;
