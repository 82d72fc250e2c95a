// The API by HTTP on lab hosts: one host asks the other over the network with TLS and a token, and metrics follow a failover.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Daemon } from "../src/lab/daemon.ts";
import type { LabHost } from "../src/lab/lab.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { until } from "../src/lab/processes.ts";
import { holdfast, instanceWhen } from "./holdfast-client.ts";
import { describeStage } from "./stage.ts";

const instance = (priority: number): string => `
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    192.0.2.100/24
  }
}
`;

/** Asks as a program elsewhere would: url, token, certificate authority, method. Prints status and body. */
const ASK = `
const { request } = await import(process.argv[1].startsWith("https") ? "node:https" : "node:http");
const [url, token, ca, method] = process.argv.slice(1);
const { readFileSync } = await import("node:fs");
const headers = { ...(token && { authorization: "Bearer " + token }), "content-type": "application/json" };
const asked = request(url, { method, headers, servername: "db1", ...(ca && { ca: readFileSync(ca) }) }, (reply) => {
  process.stdout.write(reply.statusCode + "\\n");
  reply.pipe(process.stdout);
});
asked.end(method === "POST" ? "{}" : undefined);
`;

interface Question {
  readonly token?: string;
  readonly ca?: string;
  readonly method?: string;
}

async function ask(host: LabHost, url: string, { token = "", ca = "", method = "GET" }: Question = {}) {
  const argv = [process.execPath, "--input-type=module", "-e", ASK, url, token, ca, method];
  const { stdout, stderr } = await host.exec(argv);
  const [status = "", ...lines] = stdout.split("\n");
  return { status: Number(status), text: lines.join("\n"), stderr };
}

function certificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, "api.pem"), join(folder, "api.key")];
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=db1".split(" ");
  execFileSync("openssl", [...words, "-addext", "subjectAltName=DNS:db1", "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { cert, key };
}

const metric = async (daemon: Daemon, line: string): Promise<true | undefined> =>
  (await holdfast(daemon, "metrics")).stdout.includes(`${line}\n`) || undefined;

describeStage("the API by HTTP", (stage) => {
  test("the other host asks with TLS and a token, changes are in the journal, metrics follow a failover", async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-api-"));
    try {
      const { cert, key } = certificate(folder);
      const tokens = join(folder, "tokens");
      writeFileSync(tokens, "", { mode: 0o600 });
      const api = `api {
        listen 0.0.0.0 9180
        tls_cert ${cert}
        tls_key ${key}
        token_file ${tokens}
      }`;
      const db1 = stage.start("db1", instance(150) + api);
      await instanceWhen(db1, "VI_1", (view) => view.holding);
      const db2 = stage.start("db2", `${instance(100)}\napi {\nlisten 127.0.0.1 9180\n}`);
      await instanceWhen(db2, "VI_1", (view) => view.state === "BACKUP");
      const from = stage.host("db2");
      const words = ["token", "add", "alice", "--role", "admin", "--file", tokens];
      const admin = (await from.exec([process.execPath, HOLDFAST_PROGRAM, ...words])).stdout.trim();
      const url = `https://${stage.host("db1").address}:9180`;

      expect((await ask(from, `${url}/healthz`, { ca: cert })).status).toBe(200);
      expect((await ask(from, `${url}/metrics`, { ca: cert })).status).toBe(401);
      const metrics = await ask(from, `${url}/metrics`, { ca: cert, token: admin });
      expect(metrics.text).toContain('holdfast_vrrp_address{instance="VI_1",address="192.0.2.100"} 1');
      expect((await ask(from, `${url}/v1/reload`, { ca: cert, token: admin, method: "POST" })).status).toBe(200);
      const history = await holdfast(db1, "history", "--kind", "api-request");
      expect(history.stdout).toContain("alice at 192.168.11.82");
      expect(history.stdout).toContain("with 200: POST /v1/reload");
      expect(history.stdout).not.toContain(admin);

      // Beyond loopback it is not there.
      expect((await ask(stage.host("db1"), `http://${from.address}:9180/healthz`)).stderr).toContain("ECONNREFUSED");
      expect((await ask(from, "http://127.0.0.1:9180/readyz")).text).toBe("ready\n");
      await db1.stop();
      await until(
        () => metric(db2, 'holdfast_vrrp_address{instance="VI_1",address="192.0.2.100"} 1'),
        "db2 holds",
        20_000,
      );
      const after = await ask(from, "http://127.0.0.1:9180/metrics");
      expect(after.text).toMatch(/holdfast_vrrp_transitions_total\{instance="VI_1",to="MASTER",cause="[\w-]+"\} 1/);
      expect(after.text).toContain('holdfast_vrrp_priority_zero_received_total{instance="VI_1"} 1');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
