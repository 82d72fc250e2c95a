import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startDaemon } from "../src/lab/daemon.ts";
import { type Lab, withLab } from "../src/lab/lab.ts";
import { ADMIN, MariadbServer } from "../src/lab/mariadb.ts";
import { LAB_DATA } from "../src/lab/paths.ts";
import { VrrpCluster } from "../src/lab/vrrp-cluster.ts";
import { DAEMON, describeLab } from "./support.ts";

const CONFIG_PATH = "/etc/keepalived/keepalived.conf";

/** A private /etc/keepalived with the unmodified file and a check script under the path it names. */
async function installed(lab: Lab, name: string) {
  const host = lab.host(name);
  const directory = join(host.directory, "etc-keepalived");
  mkdirSync(directory, { mode: 0o755 });
  copyFileSync(join(LAB_DATA, "keepalived/classic-pair.conf"), join(directory, "keepalived.conf"));
  copyFileSync(join(LAB_DATA, "checks/checkMySQL.py"), join(directory, "checkMySQL.py"));
  const credentials = `[client]\nuser=${ADMIN.user}\npassword=${ADMIN.password}\nprotocol=tcp\n`;
  writeFileSync(join(directory, "checkMySQL.cnf"), credentials, { mode: 0o600 });
  await host.bind(directory, "/etc/keepalived");
  const server = new MariadbServer(host, name === "db1" ? 1 : 2);
  await server.prepare();
  return { host, server };
}

describeLab("the administrator's file, unmodified (advert_int 5, interval 60)", () => {
  test("the host whose database does not answer is in FAULT, the other takes the address after Master_Down", () =>
    withLab(async (lab) => {
      const cluster = new VrrpCluster(lab);
      const [sick, sound] = [await installed(lab, "db1"), await installed(lab, "db2")];
      await sound.server.start();
      const started = performance.now();
      const start = (host: typeof sick.host) =>
        startDaemon(host, { kind: DAEMON, config: "", configFile: CONFIG_PATH });
      const [first, second] = [start(sick.host), start(sound.host)];
      await first.program.line(/vs_mysql_82.*failed/, { timeoutMs: 10_000 });
      await cluster.heldBy(["db2"], { timeoutMs: 25_000 });
      // Master_Down: 3 x 5 s and Skew_Time of 156/256 s in version 2.
      expect(performance.now() - started).toBeGreaterThan(15_609);
      // A regular stop releases the address; the sick host must not take it.
      await second.stop();
      expect(await cluster.holders()).toEqual([]);
      await first.stop();
      expect(readFileSync(join(LAB_DATA, "keepalived/classic-pair.conf"), "utf8")).toContain("interval 60");
    }));
});
