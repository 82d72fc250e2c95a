/**
 * The native check against Oracle's MySQL: its login method, its TLS, its names for variables, statements and privileges. What both
 * products do alike is in mysql-check.lab.test.ts.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHECK } from "../src/lab/mariadb.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { instanceBlock } from "../src/lab/vrrp-cluster.ts";
import { instanceWhen, statusOf } from "./holdfast-client.ts";
import { MysqlServer, mysqlUnavailable } from "./mysql-server.ts";
import { describeStage, type Stage } from "./stage.ts";

const unavailable = mysqlUnavailable();
if (unavailable !== null) process.stderr.write(`needs MySQL: not run: the check of Oracle's MySQL (${unavailable})\n`);

describe.skipIf(unavailable !== null)("Oracle's MySQL", () => {
  describeStage("the check of a MySQL server", (stage: Stage) => {
    let server: MysqlServer;
    let credentials: string;

    const probe = async (...words: readonly string[]) => {
      const command = [process.execPath, HOLDFAST_PROGRAM, "probe", "mysql", "--defaults-file", credentials, "--json"];
      const { code, stdout } = await server.host.exec([...command, ...words]);
      return { code, ...(JSON.parse(stdout) as { readonly text: string | null; readonly version: string | null }) };
    };

    beforeAll(async () => {
      server = new MysqlServer(stage.host("db1"));
      await server.prepare();
      credentials = join(server.directory, "check.cnf");
      writeFileSync(credentials, `[client]\nuser=${CHECK.user}\npassword=${CHECK.password}\n`, { mode: 0o600 });
      await server.start();
    });

    afterAll(async () => {
      if (server.program?.running === true) await server.kill();
    });

    test("caching_sha2_password: in clear over TCP, over the socket, and over TLS with its own authority", async () => {
      const ca = join(server.dataDirectory, "ca.pem");
      // The first login of an account is the long one; the server keeps its hash afterwards.
      for (const words of [
        [],
        [],
        ["-S", server.socketPath],
        ["--tls", "required"],
        ["--tls", "verify-ca", "--tls-ca", ca],
      ]) {
        expect(await probe(...words), words.join(" ")).toMatchObject({
          code: 0,
          version: expect.stringMatching(/^MySQL \d+\.\d+\.\d+$/),
        });
        if (words.includes("-S")) await server.query("FLUSH PRIVILEGES");
      }
      // Nobody whom this host trusts has signed it, and the name in it is another.
      expect(await probe("--tls", "verify-ca")).toMatchObject({ code: 4, text: expect.stringContaining("TLS: ") });
      expect(await probe("-h", "localhost", "--tls", "verify-identity", "--tls-ca", ca)).toMatchObject({ code: 4 });
    });

    test("super_read_only, a channel that stands, and the privilege to see it, by its names", async () => {
      await server.query("SET GLOBAL super_read_only = ON");
      expect(await probe("--writable")).toMatchObject({ code: 1, text: "it takes no writes (super_read_only)" });
      await server.query("SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF");
      expect(await probe("--writable", "--replication")).toMatchObject({ code: 0 });
      await server.query("CHANGE REPLICATION SOURCE TO SOURCE_HOST='192.0.2.9', SOURCE_USER='x' FOR CHANNEL 'ring'");
      expect(await probe("--replication")).toMatchObject({
        code: 1,
        text: "replication of channel ring is broken: the SQL thread is stopped",
      });
      await server.query("RESET REPLICA ALL FOR CHANNEL 'ring'");
      await server.query(`REVOKE REPLICATION CLIENT ON *.* FROM '${CHECK.user}'@'%'`);
      expect(await probe("--replication")).toMatchObject({
        code: 1,
        text: expect.stringContaining("the privilege REPLICATION CLIENT is missing"),
      });
      expect(await probe()).toMatchObject({ code: 0 });
      await server.query(`GRANT REPLICATION CLIENT ON *.* TO '${CHECK.user}'@'%'`);
    });

    test("kill -9 is FAULT without waiting for the next look", async () => {
      const block = `mysql orders {\n    socket ${server.socketPath}\n    credentials ${credentials}\n    interval 60\n}\n`;
      const daemon = stage.start("db1", block + instanceBlock({ lines: ["track_mysql {", "    orders", "}"] }));
      await instanceWhen(daemon, "VI_1", (it) => it.holding);
      expect((await statusOf(daemon))?.mysql).toMatchObject([{ standing: "ok", trackedBy: [{ instance: "VI_1" }] }]);
      await server.kill();
      const fault = await instanceWhen(daemon, "VI_1", (it) => it.state === "FAULT" && !it.holding);
      expect(fault.faults).toMatchObject([{ trouble: { kind: "dead" } }]);
      await server.start();
      await instanceWhen(daemon, "VI_1", (it) => it.holding);
    });
  });
});
