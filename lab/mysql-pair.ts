/** Two servers of Oracle's MySQL that replicate from each other, and the daemons that manage them. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon } from "../src/lab/daemon.ts";
import { MANAGER } from "../src/lab/mariadb.ts";
import { until } from "../src/lab/processes.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { MYSQLBINLOG, MysqlServer } from "./mysql-server.ts";
import type { Stage } from "./stage.ts";

const SEMI_SYNC = [
  "--plugin-load-add=semisync_source.so",
  "--plugin-load-add=semisync_replica.so",
  "--rpl-semi-sync-replica-enabled=1",
  "--rpl-semi-sync-source-timeout=4294967295",
];

export const optionsOf = (id: number, gtid: boolean): readonly string[] => [
  `--log-bin=m${id}-bin`,
  "--super-read-only=ON",
  "--replica-net-timeout=2",
  `--gtid-mode=${gtid ? "ON" : "OFF"}`,
  `--enforce-gtid-consistency=${gtid ? "ON" : "OFF"}`,
];

export interface MysqlPairOptions {
  readonly gtid: boolean;
  readonly semiSync: boolean;
  readonly more?: readonly string[];
}

export async function startMysqlPair(
  stage: Stage,
  { gtid, semiSync, more = [] }: MysqlPairOptions,
  servers: MysqlServer[],
): Promise<readonly [MysqlServer, MysqlServer]> {
  const options = (id: number): readonly string[] => [...optionsOf(id, gtid), ...(semiSync ? SEMI_SYNC : []), ...more];
  const pair = [
    new MysqlServer(stage.host("db1"), 1, options(1)),
    new MysqlServer(stage.host("db2"), 2, options(2)),
  ] as const;
  servers.splice(0, servers.length, ...pair);
  for (const server of pair) {
    rmSync(server.directory, { recursive: true, force: true });
    await server.prepare();
    const text = `[client]\nuser = ${MANAGER.user}\npassword = "${MANAGER.password}"\n`;
    writeFileSync(join(server.directory, "manager.cnf"), text, { mode: 0o600 });
  }
  await Promise.all(pair.map((server) => server.start()));
  const [one, two] = pair;
  await one.replicateFrom(two, gtid);
  await two.replicateFrom(one, gtid);
  for (const server of pair) {
    const runs = async () => (await server.replica()).match(/_Running: Yes/g)?.length === 2 || undefined;
    await until(runs, `${server.host.name} replicates`, 15_000);
  }
  return pair;
}

export function manageMysql(stage: Stage, own: MysqlServer, peer: MysqlServer, lines: readonly string[] = []): Daemon {
  return stage.start(own.host.name, managedMysql(own, peer, lines));
}

/** The file of the daemon that manages `own`. */
export function managedMysql(own: MysqlServer, peer: MysqlServer, lines: readonly string[] = []): string {
  const block = [
    "mysql orders {",
    `    server 127.0.0.1 3306`,
    `    peer ${peer.host.address} 3306`,
    ...lines,
    `    credentials ${own.directory}/manager.cnf`,
    `    mysqlbinlog ${MYSQLBINLOG}`,
    "}",
    "",
  ].join("\n");
  const priority = own.serverId === 1 ? 100 : 90;
  return block + instanceBlock({ priority, advertSeconds: 0.5, nopreempt: true, lines: ["manage_mysql orders"] });
}
