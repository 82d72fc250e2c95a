/**
 * Reads the file of a server's credentials and the certificates it names, at every connection. Opens first and looks at the open file,
 * so that what was checked is what is read. No message repeats what a file holds.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { userInfo } from "node:os";
import type { TlsConfig } from "../core/database/config.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { type ClientOptions, credentialsProblem, parseOptionFile } from "../core/mysql/option-file.ts";

const LARGEST = 1024 * 1024;

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly options: ClientOptions;
}

/** Without a file, or without `user` in it: the name of the user that runs this process, as the mysql client does it. */
export async function readLogin(path: string | null): Promise<Result<Login, string>> {
  if (path === null) return ok({ user: ownName(), password: "", options: {} });
  const text = await readPrivate(path);
  if (!text.ok) return text;
  const parsed = parseOptionFile(text.value);
  if (!parsed.ok) return err(`${path}: ${parsed.error}`);
  const options = parsed.value;
  return ok({ user: options.user ?? ownName(), password: options.password ?? "", options });
}

function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the user database.
    return String(process.getuid?.() ?? "root");
  }
}

async function readPrivate(path: string): Promise<Result<string, string>> {
  // A FIFO in its place must not block.
  return withFile(path, async (file) => {
    const status = await file.stat();
    if (!status.isFile()) return err(`${path} is no regular file`);
    const problem = credentialsProblem(path, status.mode & 0o7777);
    if (problem !== null) return err(problem);
    if (status.size > LARGEST) return err(`${path} is larger than ${LARGEST} bytes`);
    return ok(await file.readFile("utf8"));
  });
}

type Opened = Awaited<ReturnType<typeof open>>;

async function withFile(
  path: string,
  use: (file: Opened) => Promise<Result<string, string>>,
): Promise<Result<string, string>> {
  let file: Opened | null = null;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await use(file);
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    return err(`${path} cannot be read (${typeof code === "string" ? code : "EIO"})`);
  } finally {
    await file?.close();
  }
}

export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The configuration's files; where it names none, those of the credentials file. */
export async function readTls(tls: TlsConfig, options: ClientOptions): Promise<Result<TlsMaterial, string>> {
  const paths = [
    ["ca", tls.ca ?? options.tlsCa],
    ["cert", tls.cert ?? options.tlsCert],
    ["key", tls.key ?? options.tlsKey],
  ] as const;
  const material: { ca?: string; cert?: string; key?: string } = {};
  for (const [name, path] of paths) {
    if (path === undefined) continue;
    const text = await withFile(path, async (file) => ok(await file.readFile("utf8")));
    if (!text.ok) return text;
    material[name] = text.value;
  }
  return ok(material);
}
