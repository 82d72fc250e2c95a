// The password of the secondary check: never on a command line of ours, here or on the host that is asked.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { parseOptions } from "../core/mha/options.ts";
import { PASSWORD_VARIABLE, secondaryCall } from "../core/mha/scripts.ts";
import { commandNamed } from "./commands.ts";
import type { MhaEnvironment } from "./environment.ts";
import { secondaryCheck } from "./secondary-check.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "secondary-check-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const WORDS = ["--master_host=db1", "--master_user=mha", "--master_password=s3cr3t", "--ping_type=INSERT"];
const CALLER = { self: ["node", "holdfast"], password: "s3cr3t" };

it("our own program gets it in its environment, another script as MHA gives it", () => {
  const own = secondaryCall(["masterha_secondary_check", "-s", "other"], WORDS, CALLER);
  expect(own.argv.slice(0, 5)).toEqual(["node", "holdfast", "masterha_secondary_check", "-s", "other"]);
  expect(own.argv.join(" ")).not.toContain("s3cr3t");
  expect(own.env).toEqual({ [PASSWORD_VARIABLE]: "s3cr3t" });
  const other = secondaryCall(["/usr/local/bin/check"], WORDS, CALLER);
  expect(other).toEqual({ argv: ["/usr/local/bin/check", ...WORDS], env: {} });
});

it("from there it goes to the other host by standard input", async () => {
  const ssh = join(folder, "ssh");
  // The first question is whether the port is open (3), the second writes.
  const script = `#!/bin/sh
echo "$*" >>${folder}/words
case "$*" in *MYSQL_PWD*) cat >${folder}/input; exit 0 ;; esac
exit 3
`;
  writeFileSync(ssh, script);
  chmodSync(ssh, 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  vi.stubEnv(PASSWORD_VARIABLE, "s3cr3t");
  const command = commandNamed("masterha_secondary_check");
  if (command === undefined) throw new Error("no such command");
  const options = parseOptions(command, ["-s", "other", "--master_host=db1", "--ping_type=INSERT"]);
  if (!options.ok) throw new Error(options.error);
  const code = await secondaryCheck({ out: () => undefined } as unknown as MhaEnvironment, options.value);
  expect(code).toBe(3);
  expect(readFileSync(join(folder, "input"), "utf8")).toBe("s3cr3t\n");
  expect(readFileSync(join(folder, "words"), "utf8")).not.toContain("s3cr3t");
});
