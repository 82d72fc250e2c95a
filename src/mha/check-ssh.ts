/** Whether every database host reaches every other by ssh without a password, as recovery by file and position needs it. */
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import { MhaError } from "./environment.ts";
import type { MhaLog } from "./log.ts";
import { onHost } from "./ssh.ts";

/** From here to every host: that is what a failover uses. Throws with the hosts that do not answer. */
export async function checkSshBetween(servers: readonly MhaServer[], log: MhaLog): Promise<void> {
  log.info("Starting SSH connection tests..");
  const outcomes = await Promise.all(
    servers.map(async (server) => {
      const result = await onHost(server, ["true"], { timeoutMillis: server.ssh.timeout * 1000 + 1_000 });
      if (result.code === 0) {
        log.info(` ssh to ${hostInfo(server)} ok.`);
        return null;
      }
      const why = result.problem ?? (result.stderr.trim().split("\n").at(-1) || `exit code ${result.code}`);
      return `${server.ssh.user ?? ""}@${server.ssh.ip ?? server.ssh.host} port ${server.ssh.port}: ${why}`;
    }),
  );
  const failed = outcomes.filter((outcome) => outcome !== null);
  if (failed.length > 0) throw new MhaError(`SSH connection failed: ${failed.join("; ")}`);
  log.info("All SSH connection tests passed successfully.");
}
