/**
 * Exports transactions with the server's own tool, mysqlbinlog or mariadb-binlog, which reads the binary log through the server, wherever
 * that is. The password goes to it in a private file that lives as long as the program; nothing goes through a shell. Its text is handed on
 * line by line, so a large transaction fills the disk at worst and never the memory.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { BinlogRange } from "../../core/mysql/binlog.ts";
import type { Product } from "../../core/mysql/version.ts";
import type { BinlogExport, BinlogExporter } from "../../ports/binlog-export.ts";
import { type Login, readLogin } from "../credentials.ts";

const NAMES: Readonly<Record<Product, readonly string[]>> = {
  mariadb: ["mariadb-binlog", "mysqlbinlog"],
  mysql: ["mysqlbinlog"],
};
const WHERE: Readonly<Record<Product, string>> = {
  mariadb: "install mariadb-client, or name the program with `mysqlbinlog PATH` in the mysql block",
  mysql: "install the client programs of MySQL, or name the program with `mysqlbinlog PATH` in the mysql block",
};
const VERSION_MILLIS = 10_000;
/** A server in foreign hands names its logs as it likes: one that begins with - would be an option, such as --result-file. */
const LOG_NAME = /^[^-/\s][^/\s]*$/;

/** `directory` is made when it is needed, for root alone. */
export function createBinlogExporter(directory: string): BinlogExporter {
  return {
    async run(order) {
      const strange = order.ranges.find(({ file }) => !LOG_NAME.test(file));
      if (strange !== undefined)
        return err(`the server calls a binary log ${JSON.stringify(strange.file)}: no such name is asked for`);
      const program = await findProgram(order);
      if (!program.ok) return program;
      const login = await readLogin(order.server.credentials);
      if (!login.ok) return login;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const options = join(directory, `.login-${randomBytes(8).toString("hex")}`);
        try {
          await writeFile(options, loginText(login.value), { mode: 0o600, flag: "wx" });
          return await exportAll(order, directory, { program: program.value, options, login: login.value });
        } finally {
          await rm(options, { force: true });
        }
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return err(`${directory}: the transactions cannot be exported (${code ?? message})`);
      }
    },
  };
}

const run = promisify(execFile);

/** The tool of one product does not understand all of the other's log. */
async function findProgram({ product, program }: BinlogExport): Promise<Result<string, string>> {
  const wrong: string[] = [];
  for (const name of program === null ? NAMES[product] : [program]) {
    const said = await run(name, ["--version"], { timeout: VERSION_MILLIS }).catch(() => null);
    if (said === null) continue;
    if (/mariadb/i.test(said.stdout) === (product === "mariadb")) return ok(name);
    wrong.push(`${name} is the one of ${product === "mariadb" ? "MySQL" : "MariaDB"}`);
  }
  const what = program ?? NAMES[product][0] ?? "";
  return err(`${wrong[0] ?? `${what} cannot be run`}: ${WHERE[product]}`);
}

/** Values in quotes keep spaces and #; a backslash begins an escape there. */
function loginText({ user, password }: Login): string {
  const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\")}"`;
  return `[client]\nuser = ${quoted(user)}\npassword = ${quoted(password)}\n`;
}

interface Tool {
  readonly program: string;
  readonly options: string;
  readonly login: Login;
}

async function exportAll(order: BinlogExport, directory: string, tool: Tool): Promise<Result<string | null, string>> {
  const path = order.file === null ? null : join(directory, order.file);
  const out = path === null ? null : createWriteStream(path, { flags: "wx", mode: 0o600 });
  if (out !== null) await once(out, "open");
  try {
    for (const line of order.head) await write(out, `-- ${line}`);
    for (const range of order.ranges) {
      const done = await exportOne(order, { range, tool, out });
      if (!done.ok) return done;
    }
  } finally {
    if (out !== null) await new Promise<void>((resolve) => out.end(resolve));
  }
  if (path !== null) {
    const file = await open(path, "r");
    await file.sync().finally(() => file.close());
  }
  return ok(path);
}

interface Piece {
  readonly range: BinlogRange;
  readonly tool: Tool;
  readonly out: WriteStream | null;
}

async function exportOne(order: BinlogExport, { range, tool, out }: Piece): Promise<Result<void, string>> {
  const env = { ...process.env, MYSQL_PWD: undefined };
  const child = spawn(tool.program, argumentsOf(order, range, tool), { stdio: ["ignore", "pipe", "pipe"], env });
  const said = lastWords(child);
  const ended = new Promise<string | null>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)));
  });
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      await write(out, order.line(line));
    }
  } finally {
    // A full disk ends the loop; the program must not go on into a pipe that nobody reads.
    if (child.exitCode === null) child.kill("SIGTERM");
  }
  const problem = await ended;
  if (problem === null) return ok(undefined);
  return err(`${tool.program} on ${range.file}: ${said() === "" ? problem : said()}`);
}

async function write(out: WriteStream | null, text: string): Promise<void> {
  if (out === null) return;
  if (out.errored) throw out.errored;
  if (!out.write(`${text}\n`)) await once(out, "drain");
}

function lastWords({ stderr }: Pick<ChildProcess, "stderr">): () => string {
  let text = "";
  stderr?.setEncoding("utf8").on("data", (part: string) => {
    text = (text + part).slice(-4_096);
  });
  return () =>
    text
      .split("\n")
      .filter((line) => line.trim() !== "" && !/^(\S+: )?\[?warning\]?:?/i.test(line))
      .at(-1)
      ?.trim() ?? "";
}

function argumentsOf(
  order: BinlogExport,
  { file, from, to }: BinlogRange,
  { options, login }: Tool,
): readonly string[] {
  const { socket, host, port } = order.server.address;
  const where = socket === null ? [`--host=${host}`, `--port=${port}`, "--protocol=tcp"] : [`--socket=${socket}`];
  return [
    `--defaults-file=${options}`,
    ...where,
    ...tlsArguments(order, login),
    "--read-from-remote-server",
    "--verbose",
    `--start-position=${from}`,
    `--stop-position=${to}`,
    file,
  ];
}

/** The files of the configuration; where it names none, those of the credentials file. */
function tlsArguments({ product, server: { tls } }: BinlogExport, { options }: Login): readonly string[] {
  const given = [
    ["ca", tls.ca ?? options.tlsCa],
    ["cert", tls.cert ?? options.tlsCert],
    ["key", tls.key ?? options.tlsKey],
  ] as const;
  const files = given.flatMap(([name, path]) => (path === undefined ? [] : [`--ssl-${name}=${path}`]));
  if (product === "mysql") {
    // Without TLS caching_sha2_password asks for the server's key, as the daemon's own connection does.
    return tls.mode === "off"
      ? ["--ssl-mode=DISABLED", "--get-server-public-key"]
      : [`--ssl-mode=${tls.mode.replaceAll("-", "_").toUpperCase()}`, ...files];
  }
  if (tls.mode === "off") return ["--skip-ssl"];
  return ["--ssl", ...files, ...(tls.mode === "verify-identity" ? ["--ssl-verify-server-cert"] : [])];
}
