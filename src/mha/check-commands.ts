/** masterha_check_repl and masterha_check_ssh. */
import type { Options } from "../core/mha/options.ts";
import { checkServers } from "./check.ts";
import { checkSshBetween } from "./check-ssh.ts";
import { type MhaEnvironment, MhaError, wordsOf } from "./environment.ts";
import { openLog } from "./log.ts";
import { placeOf } from "./manager.ts";
import { loadConfig } from "./settings.ts";

/** Seconds. */
const LAG_IN_ORDER = 30;

export async function checkRepl(env: MhaEnvironment, options: Options): Promise<number> {
  const place = placeOf(options);
  const config = await loadConfig(place);
  const log = openLog(env.out, null, config.application.logLevel);
  try {
    const { cluster } = await checkServers(
      { env, log, config },
      {
        skipSsh: options.flag("skip_check_ssh"),
        ignoreFail: options.flag("ignore_fail_on_start"),
        health: options.number("seconds_behind_master") ?? LAG_IN_ORDER,
      },
    );
    cluster.close();
    env.out("\nMySQL Replication Health is OK.\n");
    return 0;
  } catch (error) {
    if (!(error instanceof MhaError)) throw error;
    log.error(wordsOf(error));
    env.out("\nMySQL Replication Health is NOT OK!\n");
    return 1;
  }
}

export async function checkSsh(env: MhaEnvironment, options: Options): Promise<number> {
  const config = await loadConfig(placeOf(options));
  const log = openLog(env.out, null, config.application.logLevel);
  try {
    await checkSshBetween(
      config.servers.filter((server) => !server.skipInitSshCheck),
      log,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof MhaError)) throw error;
    log.error(wordsOf(error));
    return 1;
  }
}
