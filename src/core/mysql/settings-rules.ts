/** Rules about the settings of a managed group: each finding says what, why it matters, and what to write. Pure; order is the file's. */
import { missingPrivileges } from "./privileges.ts";
import type { ServerSettings } from "./settings.ts";
import { versionInWords } from "./version.ts";

export interface SettingsFinding {
  readonly id: string;
  readonly severity: "error" | "warning" | "note";
  /** HOST:PORT; null: it is about the group. */
  readonly server: string | null;
  readonly what: string;
  readonly why: string;
  /** A statement, or lines of my.cnf. */
  readonly fix: string;
}

type Rule = (server: ServerSettings) => readonly SettingsFinding[];
type GroupRule = (servers: readonly ServerSettings[]) => readonly SettingsFinding[];

export function judgeSettings(servers: readonly ServerSettings[]): readonly SettingsFinding[] {
  return [
    ...GROUP_RULES.flatMap((rule) => rule(servers)),
    ...servers.flatMap((one) => RULES.flatMap((rule) => rule(one))),
  ];
}

const NONE: readonly SettingsFinding[] = [];
const SEVERITIES = { error: "error", warning: "warning", note: "note" } as const;

const on = (value: string | undefined): boolean => /^(on|1|yes)$/i.test(value ?? "");
const off = (value: string | undefined): boolean => value !== undefined && !on(value);

/** MySQL's new word and everybody's old one. */
function either({ variables }: ServerSettings, ...names: readonly string[]): { name: string; value: string } | null {
  for (const name of names) {
    const value = variables.get(name);
    if (value !== undefined) return { name, value };
  }
  return null;
}

const mayWrite = ({ role }: ServerSettings): boolean => role !== "replica";

const classic = ({ channels }: ServerSettings): boolean => channels.some(({ gtid }) => !gtid);

function about(
  server: ServerSettings,
  [id, severity]: readonly [string, keyof typeof SEVERITIES],
  [what, why, fix]: readonly [string, string, string],
): readonly SettingsFinding[] {
  return [{ id, severity, server: server.address, what, why, fix }];
}

const RULES: readonly Rule[] = [
  (one) =>
    one.variables.get("server_id") === "0"
      ? about(
          one,
          ["server-id", "error"],
          ["server_id is 0", "nobody can replicate from it", "server_id = N in my.cnf, another on each server"],
        )
      : NONE,
  (one) =>
    off(one.variables.get("log_bin")) && mayWrite(one)
      ? about(
          one,
          ["log-bin", "error"],
          [
            "it writes no binary log",
            "once it is the writer nobody can follow it, and its position cannot be recorded",
            "log_bin = NAME-bin in my.cnf, and a restart",
          ],
        )
      : NONE,
  (one) => {
    const updates = either(one, "log_replica_updates", "log_slave_updates");
    if (updates === null || on(updates.value) || !mayWrite(one)) return NONE;
    return about(
      one,
      ["log-updates", "warning"],
      [
        `${updates.name} is off`,
        "what it executes from the writer is not passed on to those that follow it, and is not in the log that they are compared by",
        `${updates.name} = ON in my.cnf, and a restart`,
      ],
    );
  },
  (one) => {
    const format = one.variables.get("binlog_format");
    if (format === undefined || format.toUpperCase() === "ROW" || !mayWrite(one)) return NONE;
    return about(
      one,
      ["binlog-format", "warning"],
      [
        `binlog_format is ${format}`,
        "statements that are not deterministic give other rows on the other server, and nobody notices",
        "SET GLOBAL binlog_format = 'ROW'; binlog_format = ROW in my.cnf",
      ],
    );
  },
  (one) => durability(one, "sync_binlog", "1"),
  (one) => durability(one, "innodb_flush_log_at_trx_commit", "1"),
  (one) =>
    one.version.product === "mysql" && off(one.variables.get("gtid_mode"))
      ? about(
          one,
          ["gtid-mode", "note"],
          [
            "gtid_mode is off",
            "by file and position a server that comes back stays in quarantine, and replicas are mapped only where that is exact",
            "gtid_mode = ON and enforce_gtid_consistency = ON in my.cnf of all servers (online: by the four steps of the manual)",
          ],
        )
      : NONE,
  (one) =>
    one.version.product === "mariadb" && off(one.variables.get("gtid_strict_mode"))
      ? about(
          one,
          ["gtid-strict", "warning"],
          [
            "gtid_strict_mode is off",
            "a transaction out of order, from a server that was behind a cut, is merged silently instead of stopping replication",
            "SET GLOBAL gtid_strict_mode = 1; gtid_strict_mode = 1 in my.cnf",
          ],
        )
      : NONE,
  (one) => {
    const skip = either(one, "skip_replica_start", "skip_slave_start");
    if (skip === null || !on(skip.value)) return NONE;
    const fix = `${skip.name} = OFF in my.cnf`;
    const replica = "after a restart it follows nobody, and no daemon starts the replication of a replica";
    if (!mayWrite(one)) return about(one, ["skip-start", "warning"], [`${skip.name} is on`, replica, fix]);
    const why =
      "after a restart it follows nobody until the writer's daemon has started its replication; a quarantine outlives a restart without it";
    return about(one, ["skip-start", "note"], [`${skip.name} is on`, why, fix]);
  },
  (one) => {
    const timeout = either(one, "replica_net_timeout", "slave_net_timeout");
    if (timeout === null || Number(timeout.value) <= 10) return NONE;
    return about(
      one,
      ["net-timeout", "warning"],
      [
        `${timeout.name} is ${timeout.value} s`,
        "so long a source that vanished without a word counts as connected, and the receiver does not look for it again",
        `SET GLOBAL ${timeout.name} = 4; ${timeout.name} = 4 in my.cnf`,
      ],
    );
  },
  (one) =>
    one.version.product === "mysql" && classic(one) && off(one.variables.get("relay_log_recovery"))
      ? about(
          one,
          ["relay-recovery", "warning"],
          [
            "relay_log_recovery is off, and a channel goes by file and position",
            "after a crash the position and the data may not fit, so that transactions are executed twice or not at all",
            "relay_log_recovery = ON in my.cnf, and a restart",
          ],
        )
      : NONE,
  semiSync,
  (one) =>
    Math.abs(one.clockAhead) > CLOCK_SECONDS
      ? about(
          one,
          ["clock", "warning"],
          [
            `its clock is ${Math.abs(one.clockAhead).toFixed(0)} s ${one.clockAhead > 0 ? "ahead of" : "behind"} this host's`,
            "lag is counted wrongly, and auth_hmac believes no advert that is older than time_window",
            "chronyc makestep, or systemctl enable --now systemd-timesyncd",
          ],
        )
      : NONE,
  (one) =>
    one.role === "replica" && one.closedBy === null
      ? about(
          one,
          ["replica-open", "error"],
          ["a replica is open for writes", "what is written there is nowhere else", "SET GLOBAL read_only = 1"],
        )
      : NONE,
  privileges,
  binlogPrivilege,
];

/** Less than a typical step of a clock that is kept. */
const CLOCK_SECONDS = 2;

function durability(one: ServerSettings, name: string, wanted: string): readonly SettingsFinding[] {
  const value = one.variables.get(name);
  if (value === undefined || value === wanted || !mayWrite(one)) return NONE;
  return about(
    one,
    ["durability", "warning"],
    [
      `${name} is ${value}`,
      "a crash of its host loses commits that clients were told of, while a follower may have them",
      `SET GLOBAL ${name} = ${wanted}; ${name} = ${wanted} in my.cnf`,
    ],
  );
}

/** Milliseconds: a whole day; whoever waits that long does not fall back by itself. */
const NO_FALLBACK = 86_400_000;

function semiSync(one: ServerSettings): readonly SettingsFinding[] {
  if (!mayWrite(one)) return NONE;
  const timeout = either(one, "rpl_semi_sync_source_timeout", "rpl_semi_sync_master_timeout");
  if (timeout === null) {
    return about(
      one,
      ["semi-sync", "note"],
      [
        "semi-synchronous replication is not there",
        "what was committed just before a crash may be on that server alone",
        one.version.product === "mariadb"
          ? "rpl_semi_sync_slave_enabled = 1 in my.cnf (it is built in)"
          : "plugin-load-add = semisync_source.so and semisync_replica.so, rpl_semi_sync_replica_enabled = 1 in my.cnf",
      ],
    );
  }
  const found: SettingsFinding[] = [];
  const add = (...finding: Parameters<typeof about> extends [unknown, ...infer Rest] ? Rest : never): void => {
    found.push(...about(one, ...finding));
  };
  const acker = either(one, "rpl_semi_sync_replica_enabled", "rpl_semi_sync_slave_enabled");
  if (acker !== null && !on(acker.value)) {
    add(
      ["semi-sync-acker", "warning"],
      [
        `${acker.name} is off`,
        "as the standby it acknowledges nothing, so the writer's commits wait for nobody",
        `SET GLOBAL ${acker.name} = 1, then STOP and START of the I/O thread; ${acker.name} = 1 in my.cnf`,
      ],
    );
  }
  if (Number(timeout.value) < NO_FALLBACK) {
    add(
      ["semi-sync-timeout", "warning"],
      [
        `${timeout.name} is ${timeout.value} ms`,
        "after that long without an acknowledgement commits go on alone, without a word; the daemon does that itself, tells it, and only when the gateway answers",
        `SET GLOBAL ${timeout.name} = 4294967295; the same in my.cnf`,
      ],
    );
  }
  const point = either(one, "rpl_semi_sync_source_wait_point", "rpl_semi_sync_master_wait_point");
  if (point !== null && point.value.toUpperCase() !== "AFTER_SYNC") {
    add(
      ["semi-sync-point", "warning"],
      [
        `${point.name} is ${point.value}`,
        "other sessions see a commit before anybody has acknowledged it",
        `SET GLOBAL ${point.name} = 'AFTER_SYNC'`,
      ],
    );
  }
  return found;
}

function privileges(one: ServerSettings): readonly SettingsFinding[] {
  const missing = one.privileges === null ? [] : missingPrivileges(one.version, one.privileges);
  if (missing.length === 0) return NONE;
  const list = missing.join(", ");
  return about(
    one,
    ["privileges", "error"],
    [
      `the daemons' account lacks ${list}`,
      "a claim stops where it is needed, or a server that is alive cannot be closed, which refuses the claim",
      `GRANT ${list} ON *.* TO ...`,
    ],
  );
}

/** Reading a binary log over the network is what a replica does, and asks for a replica's privilege. */
function binlogPrivilege(one: ServerSettings): readonly SettingsFinding[] {
  const held = one.privileges;
  const names = ["ALL PRIVILEGES", "SUPER", "REPLICATION SLAVE", "REPLICATION REPLICA"];
  if (held === null || one.role === "replica" || names.some((name) => held.has(name))) return NONE;
  return about(
    one,
    ["binlog-privilege", "warning"],
    [
      "the daemons' account lacks REPLICATION SLAVE",
      "`holdfast rejoin` cannot export what this server has too many when it returns, nor `holdfast skip` show a transaction of MySQL",
      "GRANT REPLICATION SLAVE ON *.* TO ...",
    ],
  );
}

const GROUP_RULES: readonly GroupRule[] = [
  (servers) =>
    sharing(servers, "server_id").map(([value, names]) => ({
      id: "server-id-shared",
      severity: "error",
      server: null,
      what: `server_id ${value} is that of ${names}`,
      why: "each throws away what the other has written, because it takes it for its own",
      fix: "server_id = N in my.cnf, another on each server",
    })),
  (servers) =>
    sharing(servers.filter(mayWrite), "log_bin_basename", (path) => path.replace(/^.*\//, "")).map(
      ([value, names]) => ({
        id: "binlog-name",
        severity: servers.some(classic) ? "error" : "note",
        server: null,
        what: `the binary logs of ${names} are both called ${value}`,
        why: "whoever follows by file and position reads on in the wrong server's log without an error",
        fix: "log_bin = m1-bin and m2-bin in my.cnf",
      }),
    ),
  (servers) => {
    const versions = new Set(servers.filter(mayWrite).map(({ version }) => versionInWords({ ...version, patch: 0 })));
    if (versions.size < 2) return NONE;
    return [
      {
        id: "versions",
        severity: "warning",
        server: null,
        what: `the servers are of different versions: ${[...versions].join(", ").replaceAll(".0,", ",").replace(/\.0$/, "")}`,
        why: "an older server does not understand everything that a newer one writes: the way back after a takeover may be closed",
        fix: "upgrade the standby first, move the writer there, then upgrade the other, without a long time between",
      },
    ];
  },
  (servers) => differing(servers.filter(mayWrite), "gtid_mode", "one of them cannot follow the other by GTID"),
  (servers) => differing(servers, "lower_case_table_names", "names of tables that one accepts the other does not find"),
  (servers) =>
    differing(servers.filter(mayWrite), "event_scheduler", "events run with one writer and not with the other"),
  (servers) => {
    const steps = servers.filter(mayWrite).map(({ variables }) => variables.get("auto_increment_increment") ?? "1");
    if (steps.every((step) => step === "1")) return NONE;
    return [
      {
        id: "auto-increment",
        severity: "note",
        server: null,
        what: `auto_increment_increment is ${steps.join(" and ")}`,
        why: "only one server takes writes, so keys cannot meet; after a split brain rows of both would be merged without a word",
        fix: "auto_increment_increment = 1 and auto_increment_offset = 1 on all, unless the application counts on it",
      },
    ];
  },
];

/** Values of a variable that several servers have, with their addresses. */
function sharing(
  servers: readonly ServerSettings[],
  name: string,
  form: (value: string) => string = (value) => value,
): readonly (readonly [string, string])[] {
  const by = new Map<string, string[]>();
  for (const { variables, address } of servers) {
    const value = form(variables.get(name) ?? "");
    if (value !== "" && value !== "0") by.set(value, [...(by.get(value) ?? []), address]);
  }
  return [...by].filter(([, names]) => names.length > 1).map(([value, names]) => [value, names.join(" and ")] as const);
}

function differing(servers: readonly ServerSettings[], name: string, why: string): readonly SettingsFinding[] {
  const known = servers.flatMap(({ variables, address }) => {
    const value = variables.get(name);
    return value === undefined ? [] : [{ address, value }];
  });
  if (new Set(known.map(({ value }) => value.toUpperCase())).size < 2) return NONE;
  const what = `${name} differs: ${known.map(({ address, value }) => `${value} on ${address}`).join(", ")}`;
  return [{ id: "differs", severity: "warning", server: null, what, why, fix: `the same ${name} in my.cnf of all` }];
}
