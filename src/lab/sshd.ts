/** A private ssh server on a host of the lab, for one key, with no password and nobody's own configuration. Ends with its host. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { executeOrThrow, type RunningProgram, until } from "./processes.ts";

/** Makes a key pair once; the path of the private half. */
export async function sshKey(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "id");
  if (!existsSync(path)) await executeOrThrow(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]);
  return path;
}

/** `perl` is a directory of Perl modules for programs that are started through it. */
export async function startSshd(host: LabHost, key: string, perl: string | null = null): Promise<RunningProgram> {
  const directory = join(host.directory, "sshd");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const hostKey = await sshKey(directory);
  chmodSync(hostKey, 0o600);
  const config = join(directory, "sshd_config");
  const lines = [
    "Port 22",
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${key}.pub`,
    `PidFile ${directory}/pid`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "UseDNS no",
    "MaxStartups 100",
    "Subsystem sftp /usr/lib/openssh/sftp-server",
    ...(perl === null ? [] : [`SetEnv PERL5LIB=${perl}`]),
    "",
  ];
  writeFileSync(config, lines.join("\n"));
  // Where it locks itself in before a login; every host has a /run of its own.
  await host.execOrThrow(["mkdir", "-p", "-m", "0755", "/run/sshd"]);
  const program = host.spawn(["/usr/sbin/sshd", "-D", "-e", "-f", config]);
  await until(
    () => program.lines.some(({ text }) => text.includes("Server listening")) || undefined,
    `sshd on ${host.name}`,
    5_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${program.text}`);
  });
  return program;
}

/** Options of the client that needs nothing of its user's. */
export const sshClientOptions = (key: string): string => `-i ${key} -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
