/**
 * Known traps that are no mistakes of syntax: scripts that cannot run or that others may change, checks that notice
 * too late, leases that do not fit. Looks at the host through ConfigSource only; what it finds is a warning at most,
 * because a file may be tested away from the host it is for.
 */

import { FENCE_LATENESS, fenceCoversPeers } from "../vrrp/fence.ts";
import { KERNEL_LATENESS, leaseCoversPeers } from "../vrrp/lease.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { lintInterfaces } from "./lint-interfaces.ts";
import { lintManaged } from "./lint-managed.ts";
import { lintQuorum } from "./lint-quorum.ts";
import { lintRedisScripts } from "./lint-redis-scripts.ts";
import type { Command, HoldfastConfig, InstanceConfig } from "./model.ts";
import type { ConfigSource } from "./source.ts";

interface Use {
  readonly command: Command;
  readonly what: string;
  /** Without it, instances may not serve. */
  readonly vetoes: boolean;
}

export function lint(config: HoldfastConfig, source: ConfigSource, diagnostics: DiagnosticSink): void {
  const { scriptUser } = config.global;
  if (scriptUser !== null) lintOwner({ what: "script_user", ...scriptUser }, { source, diagnostics });
  const uses = commandsOf(config);
  const asRoot = uses.filter((use) => lintCommand(use, config, source, diagnostics));
  lintSecurity(asRoot, config, diagnostics);
  lintTracking(config, diagnostics);
  lintUnused(config, diagnostics);
  lintInterfaces(config, source, diagnostics);
  lintManaged(config, diagnostics);
  lintQuorum(config, diagnostics);
  lintRedisScripts(config, source, diagnostics);
  for (const instance of config.instances) {
    lintHookTimeout(instance, diagnostics);
    lintLease(instance, diagnostics);
    lintFence(instance, diagnostics);
    lintClosed(instance, diagnostics);
  }
}

function commandsOf(config: HoldfastConfig): readonly Use[] {
  const checks = config.scripts.map((script) => ({
    command: script.command,
    what: `check ${script.name}`,
    vetoes: config.global.scriptRules.unusable === "fault",
  }));
  const hooks = config.instances.flatMap(({ vrrp, hooks }) => hooksOf(vrrp.name, hooks));
  const ofGroups = config.groups.flatMap(({ name, hooks }) => hooksOf(name, hooks));
  return [...checks, ...hooks, ...ofGroups, ...lvsCommands(config), ...daemonCommands(config)];
}

function hooksOf(name: string, hooks: InstanceConfig["hooks"]): readonly Use[] {
  return Object.entries(hooks).map(([kind, command]) => ({ command, what: `${kind} of ${name}`, vetoes: false }));
}

function lvsCommands({ lvs }: HoldfastConfig): readonly Use[] {
  return lvs.servers.flatMap((server) => [
    ...optional({ what: `quorum_up of ${server.name}`, command: server.quorumUp }),
    ...optional({ what: `quorum_down of ${server.name}`, command: server.quorumDown }),
    ...server.realServers.flatMap((real) => [
      ...optional({ what: `notify_up of ${real.name}`, command: real.notifyUp }),
      ...optional({ what: `notify_down of ${real.name}`, command: real.notifyDown }),
      ...real.checkers.flatMap((checker) =>
        checker.kind === "misc" ? optional({ what: `MISC_CHECK of ${real.name}`, command: checker.command }) : [],
      ),
    ]),
  ]);
}

const optional = ({ what, command }: { readonly what: string; readonly command: Command | null }): readonly Use[] =>
  command === null ? [] : [{ what, command, vetoes: false }];

function daemonCommands({ global }: HoldfastConfig): readonly Use[] {
  const scriptsOf: (readonly [string, Command | undefined])[] = [
    ["startup_script", global.startupScript?.command],
    ["shutdown_script", global.shutdownScript?.command],
    ...global.notify.fifos.map(({ path, reader }) => [`the reader of ${path}`, reader ?? undefined] as const),
  ];
  return scriptsOf.flatMap(([what, command]) => (command === undefined ? [] : [{ what, command, vetoes: false }]));
}

/** True when the script exists and runs as root. */
function lintCommand(use: Use, config: HoldfastConfig, source: ConfigSource, diagnostics: DiagnosticSink): boolean {
  const path = use.command.argv[0] ?? "";
  lintOwner({ what: use.what, ...use.command }, { source, diagnostics });
  const status = source.script(path);
  if (status.file === null) {
    const effect = use.vetoes ? "; without it the instances that track it go to FAULT" : "; until then it does not run";
    const remedy = `install it, or correct the path${effect}`;
    diagnostics.report("script-not-found", use.command.span, `${use.what}: ${path} does not exist here`, remedy);
    return false;
  }
  if (status.file.kind !== "file" || (status.file.mode & 0o111) === 0) {
    const remedy = status.file.kind === "file" ? `chmod 755 ${status.path}` : "name a program";
    diagnostics.report(
      "script-not-executable",
      use.command.span,
      `${use.what}: ${status.path} cannot be executed`,
      remedy,
    );
    return true;
  }
  const root = ranByRoot(use.command, config);
  if (root && status.writableByOthers !== null) {
    diagnostics.report(
      "script-insecure",
      use.command.span,
      `${use.what}: others than root may change ${status.writableByOthers}, and root runs the script`,
      `chown root ${status.writableByOthers}; chmod go-w ${status.writableByOthers}; or name another script_user`,
    );
  }
  return root;
}

function ranByRoot(command: Command, config: HoldfastConfig): boolean {
  const user = command.user ?? config.global.scriptUser?.user ?? "root";
  return user === "root" || user === "0";
}

interface LintTools {
  readonly source: ConfigSource;
  readonly diagnostics: DiagnosticSink;
}

interface Owner extends Pick<Command, "user" | "group" | "span"> {
  readonly what: string;
}

/** keepalived looks up script_user whether a script needs it or not. */
function lintOwner({ what, user, group, span }: Owner, { source, diagnostics }: LintTools): void {
  if (user !== null && source.hasUser(user) === false) {
    diagnostics.report(
      "unknown-user",
      span,
      `${what}: user ${user} does not exist here`,
      `create it: useradd --system ${user}`,
    );
  }
  if (group !== null && source.hasGroup(group) === false) {
    diagnostics.report(
      "unknown-user",
      span,
      `${what}: group ${group} does not exist here`,
      `create it: groupadd --system ${group}`,
    );
  }
}

function lintSecurity(asRoot: readonly Use[], config: HoldfastConfig, diagnostics: DiagnosticSink): void {
  const first = asRoot.find((use) => ranByRoot(use.command, config));
  if (first === undefined || config.global.enableScriptSecurity) return;
  diagnostics.report(
    "script-security",
    first.command.span,
    `${first.what} runs as root and enable_script_security is not set`,
    "write enable_script_security into global_defs, or script_user with a user that is not root",
  );
}

const MISSED_ADVERTS = 3;

/** A file, process or server that nobody tracks is not watched, as with keepalived. */
function lintUnused(
  { files, processes, mysql, redis, instances, lvs }: HoldfastConfig,
  diagnostics: DiagnosticSink,
): void {
  const names = (list: "trackFiles" | "trackProcesses" | "trackMysql" | "trackRedis"): ReadonlySet<string> =>
    new Set(instances.flatMap(({ vrrp }) => vrrp[list].map(({ key }) => key)));
  const used = {
    files: new Set([...names("trackFiles"), ...checkedFiles(lvs)]),
    processes: names("trackProcesses"),
    mysql: names("trackMysql"),
    redis: names("trackRedis"),
  };
  for (const { name, span } of [
    ...files.filter((file) => !used.files.has(file.name)),
    ...processes.filter((process) => !used.processes.has(process.name)),
    ...mysql.filter((server) => !used.mysql.has(server.name)),
    ...redis.filter((server) => !used.redis.has(server.name)),
  ]) {
    diagnostics.report("unused-tracker", span, `nobody tracks ${name}; it is not watched`, null);
  }
}

const checkedFiles = ({ servers }: HoldfastConfig["lvs"]): readonly string[] =>
  servers.flatMap(({ realServers }) =>
    realServers.flatMap(({ checkers }) => checkers.flatMap((one) => (one.kind === "file" ? [one.file] : []))),
  );

function lintTracking(config: HoldfastConfig, diagnostics: DiagnosticSink): void {
  for (const script of config.scripts) {
    const users = config.instances.filter((one) =>
      one.vrrp.trackScripts.some((tracked) => tracked.key.split("@")[0] === script.name),
    );
    if (users.length === 0) {
      diagnostics.report("unused-script", script.span, `no instance tracks ${script.name}; it is never run`, null);
      continue;
    }
    const noticed = script.interval * script.fall;
    const slow = users.find((one) => noticed > MISSED_ADVERTS * one.vrrp.advertInterval);
    if (slow === undefined) continue;
    diagnostics.report(
      "script-slow",
      script.span,
      `${script.name} may need ${noticed / 1e6} s to notice a failure; a dead host of ${slow.vrrp.name} is noticed after ${(MISSED_ADVERTS * slow.vrrp.advertInterval) / 1e6} s`,
      "a shorter interval, if the database can bear it",
    );
  }
}

function lintHookTimeout({ vrrp, hookTimeout, span }: InstanceConfig, diagnostics: DiagnosticSink): void {
  if (vrrp.claimGate === null || hookTimeout < vrrp.claimGate.timeout) return;
  diagnostics.report(
    "hook-outlasts-claim",
    span,
    `${vrrp.name}: hook_timeout ${hookTimeout / 1e6} s is not shorter than claim_timeout ${vrrp.claimGate.timeout / 1e6} s: notify_claim waits behind a hook that hangs until it is refused`,
    "remove hook_timeout (the default is half of claim_timeout), or make claim_timeout longer",
  );
}

function lintLease(instance: InstanceConfig, diagnostics: DiagnosticSink): void {
  const { vrrp, span } = instance;
  if (vrrp.fenceSpan !== null || vrrp.leaseSeconds === null || leaseCoversPeers(vrrp)) return;
  const patience = `${(vrrp.downTimerAdverts * vrrp.advertInterval) / 1e6} s`;
  diagnostics.report(
    "lease-too-long",
    span,
    `${vrrp.name}: the kernel keeps an address of a killed host for up to ${vrrp.leaseSeconds + KERNEL_LATENESS / 1e6} s, a peer waits ${patience}: both may answer for that long`,
    "write `fence strict`, or use slower adverts",
  );
}

function lintFence({ vrrp, span }: InstanceConfig, diagnostics: DiagnosticSink): void {
  if (vrrp.fenceSpan === null || fenceCoversPeers(vrrp)) return;
  const patience = `${(vrrp.downTimerAdverts * vrrp.advertInterval) / 1e6} s`;
  const silent = `${(vrrp.fenceSpan + FENCE_LATENESS) / 1e6} s`;
  diagnostics.report(
    "fence-too-long",
    span,
    `${vrrp.name}: the fence must stay open from advert to advert, so that a host that froze is silent after ${silent}; a peer waits ${patience}: both may answer for that long`,
    "use slower adverts, or a larger down_timer_adverts",
  );
}

/** The trap that catches most: the address moves as it should, and nobody can use it. */
function lintClosed({ vrrp, span }: InstanceConfig, diagnostics: DiagnosticSink): void {
  if (vrrp.filter?.closed !== true) return;
  const addresses = [...vrrp.advertised, ...vrrp.excluded].map(({ address }) => address).join(", ");
  diagnostics.report(
    "strict-closes",
    span,
    `${vrrp.name}: nobody can use a service on ${addresses}: while MASTER, nftables drops all traffic to and from it (no_accept, strict_mode or vrrp_strict)`,
    "for a database's address remove vrrp_strict, strict_mode and no_accept; they are for routers",
  );
}
