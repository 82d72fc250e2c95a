/**
 * Lets a server execute a binary log file: mysqlbinlog and the mysql client, as MHA does it, but over the network and without a password on
 * a command line. Session variables, GTIDs and character sets are what mysqlbinlog prints; nothing of it is ours.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import { MhaError } from "./environment.ts";

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

const program = ({ clientBindir }: MhaServer, name: string): string =>
  clientBindir === null ? name : join(clientBindir, name);

/** As an option file writes a value. */
const optionValue = (value: string): string => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** Throws with what the programs say when not everything was executed. */
export async function applyFile(server: MhaServer, file: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "mha-apply-"));
  try {
    const options = join(directory, "client.cnf");
    const lines = [
      "[client]",
      `host=${server.ip ?? server.hostname}`,
      `port=${server.port}`,
      "protocol=tcp",
      "loose-get-server-public-key",
    ];
    lines.push(`user=${optionValue(server.user)}`, `password=${optionValue(server.password)}`, "");
    writeFileSync(options, lines.join("\n"), { mode: 0o600 });
    const [reader, client] = await runPipe(
      [program(server, "mysqlbinlog"), ...(server.disableLogBin ? ["--disable-log-bin"] : []), file],
      [program(server, "mysql"), `--defaults-file=${options}`, "--binary-mode", "--max-allowed-packet=1G"],
      server.clientLibdir === null ? {} : { LD_LIBRARY_PATH: server.clientLibdir },
    );
    if (reader.code === 0 && client.code === 0) return;
    const said = [errorsIn(client.said), reader.said].filter((text) => text !== "").join("; ");
    throw new MhaError(
      `Applying ${file} on ${hostInfo(server)} failed: ${said || `exit codes ${reader.code} and ${client.code}`}`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The client prints the statement before its error, and with it the rows: they are nobody's business who reads a log. */
const errorsIn = (said: string): string =>
  said
    .split("\n")
    .filter((line) => /^(ERROR|mysql|mariadb)\b/.test(line))
    .join("; ");

async function runPipe(
  first: readonly string[],
  second: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<readonly [Ended, Ended]> {
  const [reader = "", ...readerArgs] = first;
  const [client = "", ...clientArgs] = second;
  const source = spawn(reader, readerArgs, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const target = spawn(client, clientArgs, { stdio: ["pipe", "ignore", "pipe"], env: { ...process.env, ...env } });
  // A client that has ended takes nothing more: its own word says why.
  target.stdin.on("error", () => source.kill());
  source.stdout.pipe(target.stdin);
  source.on("error", () => target.stdin.end());
  return Promise.all([endOf(source, reader), endOf(target, client)]);
}

function endOf(child: ReturnType<typeof spawn>, name: string): Promise<Ended> {
  return new Promise((resolve) => {
    let said = "";
    child.stderr?.on("data", (data: Buffer) => {
      said = `${said}${data.toString()}`.slice(-2_000);
    });
    child.on("error", (error) =>
      resolve({ code: null, said: `${name} cannot be started (${error.message}); client_bindir names its directory` }),
    );
    child.on("close", (code) => resolve({ code, said: said.trim() }));
  });
}
