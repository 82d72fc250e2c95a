/**
 * Reads the two configuration files, what init_conf_load_script prints, and the addresses of hosts. Everything that is wrong is reported
 * at once.
 */
import { lookup } from "node:dns/promises";
import { existsSync, readFileSync } from "node:fs";
import { duplicate, type MhaConfig, type MhaServer, parseMhaConfig } from "../core/mha/config.ts";
import { MhaError, wordsOf } from "./environment.ts";
import { runProgram } from "./programs.ts";

export const GLOBAL_CONF = "/etc/masterha_default.cnf";

export interface ConfigPlace {
  readonly conf: string;
  readonly globalConf: string;
}

/** The configuration with all addresses; throws MhaError. */
export async function loadConfig(
  place: ConfigPlace,
  told: (text: string) => void = () => undefined,
): Promise<MhaConfig> {
  const app = { path: place.conf, text: readText(place.conf) };
  const hasGlobal = existsSync(place.globalConf);
  if (!hasGlobal) told(`Global configuration file ${place.globalConf} not found. Skipping.`);
  const global = hasGlobal ? { path: place.globalConf, text: readText(place.globalConf) } : null;
  const first = parsed(parseMhaConfig(app, global));
  const script = first.application.scripts.initConf;
  if (script === null) return withAddresses(first);
  const printed = await runProgram(script, { timeoutMillis: 30_000 });
  if (printed.code !== 0) {
    throw new MhaError(
      `init_conf_load_script failed (${printed.problem ?? `exit code ${printed.code}`}): ${printed.stderr.trim()}`,
    );
  }
  return withAddresses(parsed(parseMhaConfig(app, global, printed.stdout.toString())));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new MhaError(`Configuration file ${path} cannot be read: ${wordsOf(error)}`);
  }
}

function parsed(result: ReturnType<typeof parseMhaConfig>): MhaConfig {
  if (!result.ok) throw new MhaError(result.error.join("\n"));
  return result.value;
}

async function withAddresses(config: MhaConfig): Promise<MhaConfig> {
  const [servers, binlogServers] = await Promise.all([
    Promise.all(config.servers.map(withAddress)),
    Promise.all(config.binlogServers.map(withAddress)),
  ]);
  const twice = duplicate(servers);
  if (twice !== null) throw new MhaError(`${twice}; every server is named once`);
  return { ...config, servers, binlogServers };
}

async function withAddress(server: MhaServer): Promise<MhaServer> {
  const ip = server.ip ?? (await addressOf(server.hostname));
  if (ip === null)
    throw new MhaError(`Failed to get IP address on host ${server.hostname} (block ${server.id}); set ip=`);
  const { ssh } = server;
  return {
    ...server,
    ip,
    ssh: { ...ssh, ip: ssh.ip ?? (ssh.host === server.hostname ? ip : await addressOf(ssh.host)) },
  };
}

const LOOKUP_MILLIS = 5_000;

/** IPv4 first, as most replication is set up; null when the name means nothing. */
export async function addressOf(host: string): Promise<string | null> {
  if (/^[\d.]+$|:/.test(host)) return host;
  const late = new Promise<null>((resolve) => setTimeout(resolve, LOOKUP_MILLIS, null).unref());
  const found = lookup(host, { order: "ipv4first" }).then(
    ({ address }) => address,
    () => null,
  );
  return Promise.race([found, late]);
}
