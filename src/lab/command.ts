/**
 * `holdfast lab up|down|status|exec`: the standard pair, left running in the background to learn and rehearse on.
 * What runs is written into one state file; everything is ended by the process id recorded there, never by name.
 * One lab per state folder; HOLDFAST_LAB names another folder.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { DaemonKind } from "./daemon.ts";
import { createLab, LabHost, VIP } from "./lab.ts";
import { endSandbox, enterArgv, namespacesUnavailable } from "./namespace.ts";
import { DatabasePair } from "./pair.ts";
import { PROJECT_ROOT } from "./paths.ts";
import { LAB_PATH, startTime, until } from "./processes.ts";

export interface LabIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

interface LabState {
  readonly version: 1;
  readonly daemon: DaemonKind;
  readonly userNamespace: boolean;
  readonly sandbox: { readonly pid: number; readonly startTime: string };
  readonly hosts: readonly { readonly name: string; readonly address: string; readonly pid: number }[];
}

const USAGE = `Usage: holdfast lab COMMAND

  up [--daemon holdfast|keepalived]   start two database hosts (db1, db2), a client and a gateway, and stay in the
                                      background; db1 and db2 run MariaDB, replicating both ways, and the daemon
  status                              what runs, and who holds ${VIP}; exit code 1 when nothing runs
  exec HOST COMMAND...                run a command on a host; "holdfast" there asks the host's own daemon
  down                                end everything and remove its files
  demo mysql                          a pair that the daemon manages: its server is killed, cut off, moved by command, its
                                      daemon killed, while a client writes; about a minute, ends by itself
  demo redis [--with keepalived]      a Redis pair that the daemon manages: started cold, its daemon killed, cut off, out of
                                      FAULT, moved by command, while applications write; about two minutes, ends by
                                      itself. --with keepalived plays each once more with the usual scripts
  demo lvs                            reads spread over three replicas while one lags, one stops to replicate, one dies and comes
                                      back; in a virtual machine that has IPVS; three minutes, ends by itself
  demo mha                            one master, three replicas, an MHA configuration: the master is killed; half a minute,
                                      ends by itself

Files and logs lie in ~/.local/state/holdfast-lab, or where HOLDFAST_LAB says.

Examples:
  holdfast lab exec client mariadb -h ${VIP} -u app -plab-app shop
  holdfast lab exec db1 holdfast status
  holdfast lab exec db1 sh -c 'kill -9 $(pidof mariadbd)'
  holdfast lab exec db2 holdfast explain
`;

export function labDirectory(): string {
  const state = process.env.XDG_STATE_HOME ?? join(homedir(), ".local/state");
  return process.env.HOLDFAST_LAB ?? join(state, "holdfast-lab");
}

const stateFile = (): string => join(labDirectory(), "lab.json");

/** The recorded lab if it still runs; a reused process id does not count. */
function readState(): LabState | null {
  if (!existsSync(stateFile())) return null;
  const state = JSON.parse(readFileSync(stateFile(), "utf8")) as LabState;
  return startTime(state.sandbox.pid) === state.sandbox.startTime ? state : null;
}

export async function labUp(io: LabIo, kind: DaemonKind = "holdfast"): Promise<number> {
  if (readState() !== null) {
    io.err(`a lab runs already in ${labDirectory()}; end it with: holdfast lab down\n`);
    return 1;
  }
  const unavailable = await namespacesUnavailable();
  if (unavailable !== null) {
    io.err(`needs root: 1 not run (${unavailable})\n`);
    return 1;
  }
  const directory = labDirectory();
  // Only a folder that a lab made is ever emptied.
  if (existsSync(stateFile())) rmSync(directory, { recursive: true, force: true });
  else if (existsSync(directory) && readdirSync(directory).length > 0) {
    io.err(`${directory} holds files that no lab made; set HOLDFAST_LAB to another folder\n`);
    return 1;
  }
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const lab = await createLab(undefined, { background: true, directory });
  try {
    const state: LabState = {
      version: 1,
      daemon: kind,
      userNamespace: lab.sandbox.userNamespace,
      sandbox: { pid: lab.sandbox.pid, startTime: startTime(lab.sandbox.pid) ?? "" },
      hosts: lab.hosts.map(({ name, address, pid }) => ({ name, address, pid })),
    };
    writeFileSync(stateFile(), `${JSON.stringify(state, null, 2)}\n`);
    io.out("starting two MariaDB servers that replicate from each other\n");
    const pair = new DatabasePair(lab, [kind, kind]);
    await pair.startDatabases({ detached: true });
    io.out(`starting ${kind} on both hosts\n`);
    for (const node of pair.nodes) await pair.startDaemonDetached(node);
    const holder = await pair.holder(20_000);
    io.out(`${holder.host.name} holds ${VIP}. Files and logs: ${directory}\n`);
    io.out(`try: holdfast lab exec client mariadb -h ${VIP} -u app -plab-app shop\n`);
    return 0;
  } catch (error) {
    await lab.destroy();
    io.err(`the lab could not be started: ${error instanceof Error ? error.message : String(error)}\n`);
    io.err(`logs are in ${directory}\n`);
    return 1;
  }
}

export async function labDown(io: LabIo): Promise<number> {
  const state = readState();
  if (state === null) {
    io.out("no lab runs\n");
    rmSync(stateFile(), { force: true });
    return 0;
  }
  const { pid, startTime: born } = state.sandbox;
  endSandbox(pid);
  await until(() => startTime(pid) !== born || undefined, "the lab ends", 10_000);
  rmSync(labDirectory(), { recursive: true, force: true, maxRetries: 5 });
  io.out("the lab is gone\n");
  return 0;
}

export async function labStatus(io: LabIo): Promise<number> {
  const state = readState();
  if (state === null) {
    io.out("no lab runs; start one with: holdfast lab up\n");
    return 1;
  }
  io.out(`lab with ${state.daemon} in ${labDirectory()}\n`);
  for (const record of state.hosts) {
    const target = { pid: record.pid, userNamespace: state.userNamespace };
    const host = new LabHost(record, target, join(labDirectory(), record.name));
    const addresses: readonly string[] = await host.addresses().catch(() => []);
    const note = addresses.includes(VIP) ? "  holds the virtual address" : "";
    io.out(`  ${record.name.padEnd(8)} ${addresses.join(", ") || "does not answer"}${note}\n`);
  }
  return 0;
}

export async function labExec(io: LabIo, hostName: string, argv: readonly string[]): Promise<number> {
  const state = readState();
  const host = state?.hosts.find((candidate) => candidate.name === hostName);
  if (state === null || host === undefined) {
    const known = state?.hosts.map((candidate) => candidate.name).join(", ");
    io.err(
      known === undefined
        ? "no lab runs; start one with: holdfast lab up\n"
        : `no host "${hostName}"; hosts: ${known}\n`,
    );
    return 1;
  }
  const [program = "", ...args] = enterArgv({ pid: host.pid, userNamespace: state.userNamespace }, argv);
  // The host's own daemon, and the command that asks it.
  const socket = join(labDirectory(), host.name, "daemon/holdfast.sock");
  const env = { ...process.env, PATH: `${LAB_PATH}:${PROJECT_ROOT}`, HOLDFAST_SOCKET: socket };
  const child = spawn(program, args, { stdio: "inherit", env });
  return await new Promise((resolve) => {
    child.on("error", (error) => {
      io.err(`${error.message}\n`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** The words behind `holdfast lab`; returns the exit code. */
export async function runLabCommand(words: readonly string[], io: LabIo): Promise<number> {
  const [command, ...rest] = words;
  const wantsHelp = [command, rest[0]].some((word) => word === "--help" || word === "-h") || command === "help";
  if (wantsHelp) {
    io.out(USAGE);
    return 0;
  }
  if (command === "up") {
    const kind = daemonOption(rest);
    if (kind !== null) return await labUp(io, kind);
  } else if (command === "down" && rest.length === 0) {
    return await labDown(io);
  } else if (command === "status" && rest.length === 0) {
    return await labStatus(io);
  } else if (command === "demo" && Object.hasOwn(DEMOS, rest.join(" "))) {
    return (await DEMOS[rest.join(" ")]?.(io)) ?? 1;
  } else if (command === "exec" && rest.length >= 2) {
    return await labExec(io, rest[0] ?? "", rest.slice(1));
  }
  io.err(USAGE);
  return 2;
}

const DEMOS: Readonly<Record<string, (io: LabIo) => Promise<number>>> = {
  lvs: async (io) => await (await import("./lvs-demo.ts")).demoLvs(io.out),
  mha: async (io) => await (await import("./mha-demo.ts")).demoMha(io.out),
  mysql: (io) =>
    inNamespaces(io, async () => await (await import("./demo.ts")).runDemo({ kind: "holdfast", managed: true })),
  redis: (io) => inNamespaces(io, async () => await (await import("./incidents/demo.ts")).demoRedis(["holdfast"])),
  "redis --with keepalived": (io) =>
    inNamespaces(io, async () => await (await import("./incidents/demo.ts")).demoRedis(["holdfast", "keepalived"])),
};

async function inNamespaces(io: LabIo, body: () => Promise<number>): Promise<number> {
  const unavailable = await namespacesUnavailable();
  if (unavailable === null) return await body();
  io.err(`needs root: 1 not run (${unavailable})\n`);
  return 1;
}

function daemonOption(words: readonly string[]): DaemonKind | null {
  if (words.length === 0) return "holdfast";
  const [value, ...rest] = words
    .flatMap((word) => (word.startsWith("--daemon=") ? ["--daemon", word.slice(9)] : word))
    .slice(1);
  if (rest.length > 0 || !words[0]?.startsWith("--daemon")) return null;
  return value === "holdfast" || value === "keepalived" ? value : null;
}
