/**
 * One writer, three replicas, a director that balances reads over them, and a client: for `holdfast lab demo lvs`. The director holds the
 * reader's address by VRRP and forwards by DR, so every replica has that address on lo.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Daemon, startDaemon } from "./daemon.ts";
import type { Lab, LabHost, Topology } from "./lab.ts";
import { APPLICATION, CHECK, MariadbServer, replicateFrom } from "./mariadb.ts";
import { HOLDFAST_PROGRAM, PROJECT_ROOT } from "./paths.ts";
import { type RunningProgram, until } from "./processes.ts";
import type { ReadRecord } from "./reader.ts";

/** What of a server in `lvs status --json` is read here. */
export interface PoolMember {
  readonly server: string;
  readonly state: "up" | "drained" | "idle" | "down";
  readonly weight: number;
  readonly pool: {
    /** Unix time in milliseconds: when it came up or went down. */
    readonly since: number;
    readonly checkers: readonly { readonly checker: string; readonly ok: boolean | null; readonly finding: string }[];
  } | null;
}

/** The address that readers use. */
export const READ_VIP = "192.168.11.101";
const REPLICAS = ["r1", "r2", "r3"] as const;
export type ReplicaName = (typeof REPLICAS)[number];

/** Seconds. */
export const MAX_LAG = 3;
const SLOW_START = 5;
export const WEIGHT = 100;

export const LVS_TOPOLOGY: Topology = {
  hosts: [
    { name: "director", address: "192.168.11.80" },
    { name: "db1", address: "192.168.11.81" },
    { name: "r1", address: "192.168.11.91" },
    { name: "r2", address: "192.168.11.92" },
    { name: "r3", address: "192.168.11.93" },
    { name: "client", address: "192.168.11.10" },
  ],
  prefixLength: 24,
  gateway: null,
};

/** By default a server reserves 8 TiB of addresses for growth, more than a machine in a process has. */
const FEW_ADDRESSES = "\n[mysqld]\nloose_innodb_buffer_pool_size_max = 16M\n";

export class LvsScene {
  readonly lab: Lab;
  readonly writer: MariadbServer;
  readonly replicas: Readonly<Record<ReplicaName, MariadbServer>>;
  readonly reads: ReadRecord[] = [];
  #daemon: Daemon | null = null;
  #clients: readonly RunningProgram[] = [];

  constructor(lab: Lab) {
    this.lab = lab;
    this.writer = new MariadbServer(lab.host("db1"), 1);
    const replica = (name: ReplicaName): MariadbServer => new MariadbServer(lab.host(name), 2 + REPLICAS.indexOf(name));
    this.replicas = { r1: replica("r1"), r2: replica("r2"), r3: replica("r3") };
  }

  get names(): readonly ReplicaName[] {
    return REPLICAS;
  }

  get daemonLines(): readonly string[] {
    return this.#daemon?.program.lines.map(({ text }) => text) ?? [];
  }

  async startDatabases(): Promise<void> {
    const all = [this.writer, ...Object.values(this.replicas)];
    for (const server of all) {
      await server.prepare();
      writeFileSync(server.configFile, FEW_ADDRESSES, { flag: "a" });
    }
    await Promise.all(all.map((server) => server.start()));
    await this.writer.query("SET GLOBAL read_only = 0");
    for (const replica of Object.values(this.replicas)) await replicateFrom(replica, this.writer);
  }

  async startDirector(): Promise<void> {
    for (const { host } of Object.values(this.replicas)) await holdfast(host, ["realserver", "up", READ_VIP]);
    const director = this.lab.host("director");
    this.#daemon = startDaemon(director, { kind: "holdfast", config: configText(director) });
    await this.everyReplica("up");
  }

  /** The writer of one row every 100 ms, and readers of the address. */
  async startClients(): Promise<void> {
    const client = this.lab.host("client");
    const start = (name: string, host: string, pause: string): RunningProgram => {
      const program = join(PROJECT_ROOT, `dist/lab/${name}.js`);
      return client.spawn([process.execPath, program, host, APPLICATION.user, APPLICATION.password, pause]);
    };
    const writer = start("writer", this.writer.host.address, "100");
    await until(async () => Number(await this.rows(this.writer)) > 0 || undefined, "a first row", 20_000);
    await this.caughtUp("r1", "r2", "r3");
    const reader = start("reader", READ_VIP, "20");
    reader.onLine(({ text }) => {
      if (text.startsWith("{")) this.reads.push(JSON.parse(text) as ReadRecord);
    });
    this.#clients = [writer, reader];
    await until(() => this.reads.some(({ ok }) => ok) || undefined, "a first read", 20_000);
  }

  async endClients(): Promise<void> {
    for (const client of this.#clients) {
      client.endInput();
      await client.exited;
    }
  }

  rows(server: MariadbServer): Promise<string> {
    return server.value("SELECT COUNT(*) FROM shop.orders");
  }

  async caughtUp(...names: readonly ReplicaName[]): Promise<void> {
    const rows = Number(await this.rows(this.writer));
    for (const name of names)
      await until(
        async () => Number(await this.rows(this.replicas[name])) >= rows || undefined,
        `${name} has caught up`,
        30_000,
      );
  }

  async members(): Promise<readonly PoolMember[]> {
    const { services } = JSON.parse(await this.order(["lvs", "status", "--json"])) as {
      readonly services: readonly { readonly servers: readonly PoolMember[] }[];
    };
    return services.flatMap(({ servers }) => servers);
  }

  /** A word to the director's daemon; what it printed. */
  async order(words: readonly string[]): Promise<string> {
    return await holdfast(this.lab.host("director"), [...words, "-p", this.#daemon?.pidFile ?? ""]);
  }

  async seen(name: ReplicaName, wanted: (view: PoolMember) => boolean, what: string): Promise<PoolMember> {
    const server = `${this.replicas[name].host.address}:3306`;
    const look = async (): Promise<PoolMember | undefined> => {
      // Until the daemon answers there is nothing to see.
      const members = await this.members().catch(() => []);
      return members.find((member) => member.server === server && wanted(member));
    };
    return await until(look, `${name} ${what}`, 40_000);
  }

  async everyReplica(state: PoolMember["state"]): Promise<void> {
    for (const name of REPLICAS) {
      const checked = ({ state: now, pool }: PoolMember): boolean => now === state && pool?.checkers[0]?.ok === true;
      await this.seen(name, checked, `is ${state}`);
    }
  }

  nameOf(server: number | null): ReplicaName | null {
    return server === null ? null : (REPLICAS[server - 2] ?? null);
  }
}

async function holdfast(host: LabHost, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.exec([process.execPath, HOLDFAST_PROGRAM, ...words], {
    timeoutMs: 30_000,
  });
  // lvs status ends with 1 when the kernel has refused something: the caller sees it in the answer.
  if (code === 0 || (code === 1 && stdout.startsWith("{"))) return stdout;
  throw new Error(`holdfast ${words.join(" ")} on ${host.name} ended with ${code}: ${stderr}`);
}

function configText(director: LabHost): string {
  const credentials = join(director.directory, "check.cnf");
  writeFileSync(credentials, `[client]\nuser = ${CHECK.user}\npassword = "${CHECK.password}"\n`, { mode: 0o600 });
  const servers = LVS_TOPOLOGY.hosts
    .filter(({ name }) => name.startsWith("r"))
    .map(({ address }) => replicaBlock(address));
  return `vrrp_instance VI_READ {
    interface eth0
    virtual_router_id 83
    priority 100
    advert_int 0.2
    virtual_ipaddress {
        ${READ_VIP}
    }
}
virtual_server ${READ_VIP} 3306 {
    delay_loop 0.5
    retry 1
    delay_before_retry 0.5
    lvs_sched wrr
    lvs_method DR
    protocol TCP
    slow_start ${SLOW_START}
${servers.join("")}}
`.replaceAll("CREDENTIALS", credentials);
}

const replicaBlock = (address: string): string => `    real_server ${address} 3306 {
        weight ${WEIGHT}
        MYSQL_CHECK {
            credentials CREDENTIALS
            connect_timeout 3
            max_lag ${MAX_LAG}
            rejoin_lag 1
        }
    }
`;
