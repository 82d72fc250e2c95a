/**
 * The scripts that Redis pairs are run with everywhere, and what they do: a notify_backup that lets the own server follow the other one. Both
 * hosts run it when they start, because both are BACKUP then, and each follows the other for ever; whoever has just come back flushes the
 * good copy. Looks at what a script says, not at what it would do.
 */
import type { HookKind } from "../events/vocabulary.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { Command, HoldfastConfig, InstanceConfig } from "./model.ts";
import type { ConfigSource } from "./source.ts";

/** Larger is no notify script. */
const LONGEST = 200_000;
/** `redis-cli -h X -p Y SLAVEOF 10.0.0.2 6379`, also of a variable; not `NO ONE`. */
const FOLLOWS = /^(?![ \t]*#).*\b(?:slaveof|replicaof)\s+["']?(?!no\b)[\w.$:{-]/im;

export function lintRedisScripts(config: HoldfastConfig, source: ConfigSource, diagnostics: DiagnosticSink): void {
  for (const instance of config.instances) {
    if (instance.managesRedis !== null) continue;
    const kinds: readonly HookKind[] = ["notify_backup", "notify", "notify_master"];
    const found = kinds.find((kind) => letsFollow(instance.hooks[kind], source));
    if (found === undefined) continue;
    const { vrrp, hooks } = instance;
    const message =
      `${found} of ${vrrp.name} lets Redis follow the other host (SLAVEOF): both hosts are BACKUP when they start, also at a start of this daemon, ` +
      "and then follow each other for ever; a server that comes back empty or old is followed as well, and wipes the good copy";
    diagnostics.report("notify-backup-redis-circle", hooks[found]?.span ?? instance.span, message, remedyFor(instance));
  }
}

function letsFollow(command: Command | undefined, source: ConfigSource): boolean {
  if (command === undefined) return false;
  if (FOLLOWS.test(command.argv.join(" "))) return true;
  return command.argv.some((word) => {
    if (!word.startsWith("/") || source.script(word).file?.kind !== "file") return false;
    const text = source.readFile(word);
    return text.ok && text.value.length < LONGEST && FOLLOWS.test(text.value);
  });
}

function remedyFor({ vrrp }: InstanceConfig): string {
  const peer = vrrp.transport.kind === "unicast" ? (vrrp.transport.peers[0] ?? "OTHER-HOST") : "OTHER-HOST";
  return [
    "take the notify scripts out, and write:",
    "redis NAME {",
    "    server 127.0.0.1 6379",
    `    peer ${peer} 6379`,
    "}",
    `vrrp_instance ${vrrp.name} {`,
    "    manage_redis NAME",
    "    ...",
    "}",
  ].join("\n");
}
