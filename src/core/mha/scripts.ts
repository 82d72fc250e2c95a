/**
 * The arguments of the administrator's scripts, exactly those of MHA 0.58 in its order: such scripts are in use everywhere and read them by
 * name. Words, never a line of shell; secrets are in the words and are hidden where these are shown.
 */
import { hostInfo, type MhaServer } from "./config.ts";

/** What the ssh client is started with for a check, and towards a host that is known to answer. */
const SSH_QUIET = ["-o", "StrictHostKeyChecking=no", "-o", "PasswordAuthentication=no", "-o", "BatchMode=yes"];

export const sshAliveOptions = ({ ssh }: MhaServer): readonly string[] => [
  "-o",
  "StrictHostKeyChecking=no",
  "-o",
  "ServerAliveInterval=60",
  "-o",
  "ServerAliveCountMax=20",
  "-o",
  "StrictHostKeyChecking=no",
  "-o",
  "ConnectionAttempts=5",
  "-o",
  "PasswordAuthentication=no",
  "-o",
  "BatchMode=yes",
  ...ssh.options,
];

export const sshCheckOptions = ({ ssh }: MhaServer): readonly string[] => [
  ...SSH_QUIET,
  "-o",
  `ConnectTimeout=${ssh.timeout}`,
  ...ssh.options,
];

type Prefix = "orig_master_" | "new_master_" | "";

/** ssh_host, ssh_ip and ssh_port where they differ from what a script assumes; ssh_options for the first server of a call. */
function sshWords(
  server: MhaServer,
  prefix: Prefix,
  options: { readonly reachable: boolean } | null,
): readonly string[] {
  const { ssh } = server;
  const elsewhere = server.hostname !== ssh.host || server.ip !== ssh.ip;
  return [
    ...(elsewhere ? [`--${prefix}ssh_host=${ssh.host}`, `--${prefix}ssh_ip=${ssh.ip ?? ssh.host}`] : []),
    ...(ssh.port === 22 ? [] : [`--${prefix}ssh_port=${ssh.port}`]),
    ...(options === null || ssh.options.length === 0
      ? []
      : [`--ssh_options=${(options.reachable ? sshAliveOptions(server) : sshCheckOptions(server)).join(" ")}`]),
  ];
}

const place = (prefix: Prefix, { hostname, ip, port }: MhaServer): readonly string[] => [
  `--${prefix}host=${hostname}`,
  `--${prefix}ip=${ip ?? hostname}`,
  `--${prefix}port=${port}`,
];

export interface ScriptSetting {
  /** For servers that name no ssh_user. */
  readonly sshUser: string;
}

const sshUserOf = ({ ssh }: MhaServer, { sshUser }: ScriptSetting): string => ssh.user ?? sshUser;

export const ipFailoverStatus = (master: MhaServer, setting: ScriptSetting): readonly string[] => [
  "--command=status",
  `--ssh_user=${sshUserOf(master, setting)}`,
  ...place("orig_master_", master),
  ...sshWords(master, "orig_master_", { reachable: true }),
];

export const shutdownStatus = (master: MhaServer, setting: ScriptSetting): readonly string[] => [
  "--command=status",
  `--ssh_user=${sshUserOf(master, setting)}`,
  `--host=${master.hostname}`,
  `--ip=${master.ip ?? master.hostname}`,
  ...sshWords(master, "", { reachable: true }),
];

/** stopssh: somebody answers on the dead master's host, so that more can be done there than taking an address away. */
const stopWords = (master: MhaServer, reachable: boolean, setting: ScriptSetting): readonly string[] =>
  reachable ? ["--command=stopssh", `--ssh_user=${sshUserOf(master, setting)}`] : ["--command=stop"];

export const ipFailoverStop = (master: MhaServer, reachable: boolean, setting: ScriptSetting): readonly string[] => [
  ...place("orig_master_", master),
  ...stopWords(master, reachable, setting),
  ...sshWords(master, "orig_master_", { reachable }),
];

export const shutdownStop = (master: MhaServer, reachable: boolean, setting: ScriptSetting): readonly string[] => [
  ...stopWords(master, reachable, setting),
  ...place("", master),
  ...(master.pidFile === null ? [] : [`--pid_file=${master.pidFile}`]),
  ...sshWords(master, "", { reachable }),
];

export interface Pair {
  readonly orig: MhaServer;
  readonly next: MhaServer;
}

export const ipFailoverStart = (
  { orig, next }: Pair,
  reachable: boolean,
  setting: ScriptSetting,
): readonly string[] => [
  "--command=start",
  `--ssh_user=${sshUserOf(next, setting)}`,
  ...place("orig_master_", orig),
  ...place("new_master_", next),
  `--new_master_user=${next.user}`,
  ...sshWords(orig, "orig_master_", { reachable }),
  ...sshWords(next, "new_master_", null),
  `--new_master_password=${next.password}`,
];

export function onlineChange(
  command: "stop" | "start",
  { orig, next }: Pair,
  setting: ScriptSetting & { readonly staysAsReplica: boolean },
): readonly string[] {
  return [
    `--command=${command}`,
    ...place("orig_master_", orig),
    `--orig_master_user=${orig.user}`,
    ...place("new_master_", next),
    `--new_master_user=${next.user}`,
    `--orig_master_ssh_user=${sshUserOf(orig, setting)}`,
    `--new_master_ssh_user=${sshUserOf(next, setting)}`,
    ...sshWords(orig, "orig_master_", { reachable: true }),
    ...sshWords(next, "new_master_", null),
    ...(setting.staysAsReplica ? ["--orig_master_is_new_slave"] : []),
    `--orig_master_password=${orig.password}`,
    `--new_master_password=${next.password}`,
  ];
}

export const secondaryCheck = (master: MhaServer, pingType: string, setting: ScriptSetting): readonly string[] => [
  `--user=${sshUserOf(master, setting)}`,
  `--master_host=${master.hostname}`,
  `--master_ip=${master.ip ?? master.hostname}`,
  `--master_port=${master.port}`,
  `--master_user=${master.user}`,
  `--master_password=${master.password}`,
  `--ping_type=${pingType}`,
  ...(master.ssh.options.length === 0 ? [] : [`--options=${sshCheckOptions(master).join(" ")}`]),
];

/** In the environment of a program of ours, instead of an option. */
export const PASSWORD_VARIABLE = "HOLDFAST_MASTER_PASSWORD";

/**
 * How the script of that setting is called. The program of MHA's name is this one (`self` starts it): there the password does not have to stand on a
 * command line, where all users of the host see it. Other scripts read it where MHA puts it.
 */
export function secondaryCall(
  [name = "", ...rest]: readonly string[],
  words: readonly string[],
  { self, password }: { readonly self: readonly string[]; readonly password: string },
): { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  if (name !== "masterha_secondary_check") return { argv: [name, ...rest, ...words], env: {} };
  const open = words.filter((word) => !/^--\w*password=/.test(word));
  return { argv: [...self, name, ...rest, ...open], env: { [PASSWORD_VARIABLE]: password } };
}

export interface Report {
  readonly dead: MhaServer;
  /** Null: nobody was opened. */
  readonly next: MhaServer | null;
  readonly recovered: readonly MhaServer[];
  readonly subject: string;
  readonly body: string;
}

export const reportWords = ({ dead, next, recovered, subject, body }: Report, conf: string): readonly string[] => [
  `--orig_master_host=${dead.hostname}`,
  ...(next === null
    ? []
    : [
        `--new_master_host=${next.hostname}`,
        `--new_slave_hosts=${recovered.map(({ hostname }) => hostname).join(",")}`,
      ]),
  `--conf=${conf}`,
  `--subject=${subject}`,
  `--body=${body}`,
];

/** For the log: without what follows a password option. */
export const shownWords = (words: readonly string[]): string =>
  words.map((word) => word.replace(/^(--\w*password=).*$/s, "$1xxx")).join(" ");

/** Subject of the report, before it is known who follows. */
export const reportSubject = (application: string, dead: MhaServer): string =>
  `${application}: MySQL Master failover ${hostInfo(dead)}`;
