/** Examples about managed databases, their peers, the peer link and the API. */
import { example } from "./example.ts";

const DATABASE = (lines: string): string => ` mysql orders {
${lines.replace(/^\n/, "")}
 }
`;

const managing = (lines: string): string => ` vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
${lines.replace(/^\n/, "")}
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
`;

const MANAGED = managing(`
   nopreempt
   manage_mysql orders`);

const KEY = "0123456789abcdef".repeat(4);
const TOKENS = `ops admin sha256:${"a".repeat(64)}\n`;
const API_HOST = {
  files: { "/etc/keepalived/api.pem": "", "/etc/keepalived/api.key": "", "/etc/keepalived/api.tokens": TOKENS },
};

export const DATABASES = {
  "unknown-managed": example(
    "Without its preparation the address would lead clients to a server that nobody opened; the instance is left out.",
    `
${DATABASE("   peer 192.0.2.2")}${managing(`
   nopreempt
-  manage_mysql order
+  manage_mysql orders`)}`,
  ),
  "managed-flawed": example(
    "What the unusable line was to prevent nobody knows; an instance that manages the block is left out.",
    `
${DATABASE(`
   peer 192.0.2.2
-  polcy consistency
+  policy consistency`)}${MANAGED}`,
  ),
  "safety-misspelt": example(
    "Without that line the instance would serve and nobody would open, close or ask the server behind it; it is left out.",
    `
${DATABASE("   peer 192.0.2.2")}${managing(`
   nopreempt
-  manage_mysq orders
+  manage_mysql orders`)}`,
  ),
  "replica-is-peer": example(
    "A server is either one that may become the writer, or one that follows it.",
    `
${DATABASE(`
   peer 192.0.2.2
-  replica 192.0.2.2
+  replica 192.0.2.3`)}${MANAGED}`,
  ),
  "peer-is-own": example(
    "A file copied from the other host: the server would ask and close itself.",
    `
${DATABASE(`
   server 192.0.2.1
-  peer 192.0.2.1
+  peer 192.0.2.2`)}${MANAGED}`,
  ),
  "managed-preempts": example(
    "When the host comes back a writer that works is closed once more.",
    `
${DATABASE("   peer 192.0.2.2")}${managing(`
+  nopreempt
   manage_mysql orders`)}`,
  ),
  "managed-twice": example(
    "Whichever instance gives its address up closes the server of the other.",
    `
${DATABASE("   peer 192.0.2.2")}${MANAGED} vrrp_instance VI_2 {
   interface eth1
   virtual_router_id 52
   nopreempt
-  manage_mysql orders
   virtual_ipaddress {
     198.51.100.10/24
   }
 }
`,
  ),
  "notify-backup-redis-circle": example(
    "Both hosts run it at their start and follow each other: no one takes writes, and what was written is lost.",
    `
 redis cache {
   peer 192.0.2.2
 }
${managing(`
   nopreempt
-  notify_backup "/usr/bin/redis-cli replicaof 192.0.2.2 6379"
+  manage_redis cache`)}`,
  ),
  "managed-alone": example(
    "A takeover asks and closes nobody: it is as safe as a script.",
    `
${DATABASE("+  peer 192.0.2.2")}${MANAGED}`,
  ),
  "managed-policy": example(
    "Not a fault: it says what a takeover may risk under the policy that is set, so that somebody decides it.",
    `
${DATABASE(`
   peer 192.0.2.2
   policy balanced`)}${managing(`
   nopreempt
-  manage_mysql orders
+  track_mysql {
+    orders
+  }`)}`,
    { onHost: "There is nothing to correct; the second file, which only tracks the server, has nothing to tell." },
  ),
  "credentials-unusable": example(
    "The check of the server fails until it is mended, so the host does not serve.",
    `
${DATABASE("   credentials /etc/keepalived/orders.cnf")}${managing(`
   track_mysql {
     orders
   }`)}`,
    {
      host: {
        files: { "/etc/keepalived/orders.cnf": "[client]\nuser=holdfast\n" },
        modes: { "/etc/keepalived/orders.cnf": 0o644 },
      },
      correctedHost: { files: { "/etc/keepalived/orders.cnf": "[client]\nuser=holdfast\n" } },
      onHost: "The file has mode 0644; corrected by `chmod 600 /etc/keepalived/orders.cnf`.",
    },
  ),
  "peer-link-unusable": example(
    "The daemon runs without the link: hosts ask each other nothing before they serve.",
    `
 peer_link {
   listen 192.0.2.1
-  peer 192.0.2.1
+  peer 192.0.2.2
   key 1 hex:${KEY}
   active_key 1
 }
`,
  ),
  "quorum-unusable": example(
    "The instances that it should guard are left out: without it they would serve where the file says that they must not.",
    `
 quorum_store etcd {
+  endpoint http://192.0.2.9:2379
 }
${DATABASE("   peer 192.0.2.2")}${MANAGED}`,
  ),
  "witness-unusable": example(
    "`holdfast witness` would have to believe whoever asks; it does not start.",
    `
 witness {
   listen 192.0.2.9
+  key 1 hex:${KEY}
   client 192.0.2.1 192.0.2.2
 }
`,
  ),
  "quorum-unused": example(
    "The store is asked by nobody: it concerns instances that manage a database.",
    `
 quorum_store etcd {
   endpoint http://192.0.2.9:2379
 }
${DATABASE("   peer 192.0.2.2")}${managing(`
   nopreempt
+  manage_mysql orders
-  track_mysql {
-    orders
-  }`)}`,
  ),
  "witness-open": example(
    "A key that leaks is enough to give any record to any host.",
    `
 witness {
   listen 192.0.2.9
   key 1 hex:${KEY}
+  client 192.0.2.1 192.0.2.2
 }
`,
  ),
  "witness-listen": example(
    "Hosts that ask at the first address find nobody there.",
    `
 witness {
-  listen 192.0.2.8
   listen 192.0.2.9
   key 1 hex:${KEY}
   client 192.0.2.1 192.0.2.2
 }
`,
  ),
  "witness-on-pair": example(
    "The host that has the witness wins every cut, and when it dies the other has nobody to ask.",
    `
 quorum_store witness {
-  endpoint 192.0.2.2
+  endpoint 192.0.2.9
   key 1 hex:${KEY}
   active_key 1
 }
${DATABASE("   peer 192.0.2.2")}${MANAGED}`,
  ),
  "quorum-ttl": example(
    "One answer of the store that is lost, and the address goes.",
    `
 quorum_store etcd {
   endpoint http://192.0.2.9:2379
-  ttl 2
+  ttl 4
 }
${DATABASE("   peer 192.0.2.2")}${MANAGED}`,
  ),
  "quorum-without-lease": example(
    "Nothing takes the address from a daemon that is frozen, and another may have its record by then.",
    `
 quorum_store etcd {
   endpoint http://192.0.2.9:2379
 }
${DATABASE("   peer 192.0.2.2")}${managing(`
   nopreempt
   manage_mysql orders
-  vip_lease off`)}`,
  ),
  "api-without-listen": example(
    "The block changes nothing: there is no API at any address.",
    `
 api {
+  listen 127.0.0.1 9180
 }
`,
  ),
  "api-needs-tls": example(
    "Others on the way would read and forge what is said; that listener is left out.",
    `
 api {
   listen 192.0.2.1 9180
   token_file /etc/keepalived/api.tokens
+  tls_cert /etc/keepalived/api.pem
+  tls_key /etc/keepalived/api.key
 }
`,
    { host: API_HOST, correctedHost: API_HOST },
  ),
  "api-needs-tokens": example(
    "Everybody could move the address; that listener is left out.",
    `
 api {
   listen 192.0.2.1 9180
   tls_cert /etc/keepalived/api.pem
   tls_key /etc/keepalived/api.key
+  token_file /etc/keepalived/api.tokens
 }
`,
    { host: API_HOST, correctedHost: API_HOST },
  ),
  "api-file-unusable": example(
    "Nobody gets in by it: a dashboard or a script finds a closed door.",
    `
 api {
   listen 127.0.0.1 9180
-  token_file /etc/keepalived/api.token
+  token_file /etc/keepalived/api.tokens
 }
`,
    { host: API_HOST, correctedHost: API_HOST },
  ),
} as const;
