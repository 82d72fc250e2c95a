import { expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const BACKUP = `#!/bin/bash
REDISCLI="redis-cli"
echo "[backup]" >> $LOGFILE
sleep 15
$REDISCLI SLAVEOF $2 $3 >> $LOGFILE 2>&1
`;

const found = (script: string, lines = "notify_backup /etc/keepalived/scripts/redis_backup.sh") => {
  const conf = `redis cache {\n}\nvrrp_instance VI {\nstate BACKUP\ninterface eth0\nvirtual_router_id 1\npriority 100\n${lines}\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n`;
  const files = { "/k.conf": conf, "/etc/keepalived/scripts/redis_backup.sh": script };
  return loadConfig(memorySource(files), "/k.conf").diagnostics.filter(
    ({ code }) => code === "notify-backup-redis-circle",
  );
};

test("a notify_backup that issues SLAVEOF is a trap, and the block that replaces it is shown", () => {
  const [one] = found(BACKUP);
  expect(one?.message).toContain("follow each other for ever");
  expect(one?.remedy).toContain("manage_redis NAME");
});

test.each([
  ["one that promotes", "redis-cli SLAVEOF NO ONE\n"],
  ["one that only logs", "echo backup >> /tmp/log\n"],
  ["a comment", "# redis-cli slaveof 10.0.0.2 6379\n"],
])("%s is none", (_, script) => {
  expect(found(script)).toEqual([]);
});

test("written as a command, with REPLICAOF, it is the same; a managed server has no need of it", () => {
  const line = 'notify_backup "/usr/bin/redis-cli replicaof 10.0.0.2 6379"';
  expect(found("", line)).toHaveLength(1);
  expect(found("", `${line}\nmanage_redis cache`)).toEqual([]);
});
