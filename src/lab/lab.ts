/**
 * A small network of hosts: each a network, mount, process and host name namespace with one interface, eth0, on a bridge
 * ("the switch") that lives in the sandbox around them. Links can be cut at the switch, with or without the host
 * noticing. Each host has a /run of its own, and a /etc/keepalived when asked. It starts no daemon by itself.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enterArgv, type NamespaceTarget, REAP_FOR_EVER, Sandbox, spawnInside } from "./namespace.ts";
import {
  childrenOf,
  type ExecOptions,
  type ExecResult,
  execute,
  executeOrThrow,
  insidePids,
  outsidePid,
  RunningProgram,
  until,
} from "./processes.ts";

export interface HostSpec {
  readonly name: string;
  readonly address: string;
}

export interface Topology {
  readonly hosts: readonly HostSpec[];
  readonly prefixLength: number;
  /** Default route of every other host, when set. */
  readonly gateway: string | null;
}

export const VIP = "192.168.11.100";

/** Two database hosts, a client and a gateway, numbered as in the documentation's examples. */
export const PAIR_TOPOLOGY: Topology = {
  hosts: [
    { name: "db1", address: "192.168.11.81" },
    { name: "db2", address: "192.168.11.82" },
    { name: "client", address: "192.168.11.10" },
    { name: "gateway", address: "192.168.11.1" },
  ],
  prefixLength: 24,
  gateway: "192.168.11.1",
};

/** `carrier`: the host sees its cable pulled. `silent`: frames vanish in the switch and the host sees nothing. */
export type LinkFault = "carrier" | "silent";

export interface LabOptions {
  /** Leaves the lab running when this process ends; the caller ends it by the recorded process id. */
  readonly background?: boolean;
  /** Where files of this lab lie; a new temporary folder when not given. */
  readonly directory?: string;
}

export class LabHost implements NamespaceTarget {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
  readonly userNamespace: boolean;
  /** A folder of this host's own, seen under the same path inside and outside. */
  readonly directory: string;

  constructor(spec: HostSpec, target: NamespaceTarget, directory: string) {
    this.name = spec.name;
    this.address = spec.address;
    this.pid = target.pid;
    this.userNamespace = target.userNamespace;
    this.directory = directory;
  }

  exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return execute(enterArgv(this, argv), options);
  }

  execOrThrow(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    return executeOrThrow(enterArgv(this, argv), options);
  }

  spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): RunningProgram {
    return spawnInside(this, argv, env);
  }

  /** Starts a program that outlives its starter; process 1 of the host becomes its parent. */
  async spawnDetached(argv: readonly string[], logFile: string): Promise<void> {
    const script = 'log=$1; shift; exec setsid --fork "$@" </dev/null >>"$log" 2>&1';
    await this.execOrThrow(["sh", "-c", script, "sh", logFile, ...argv]);
  }

  /** Puts a folder over another path for this host alone, for example over /etc/keepalived. */
  async bind(source: string, target: string): Promise<void> {
    mkdirSync(source, { recursive: true });
    const script = `
      if [ ! -d "$2" ]; then
        parent=$(dirname "$2"); upper=$3/upper; work=$3/work; mkdir -p "$upper" "$work"
        mount -t overlay overlay -o "lowerdir=$parent,upperdir=$upper,workdir=$work" "$parent" && mkdir -p "$2" || exit 1
      fi
      mount --bind "$1" "$2"`;
    const scratch = mkdtempSync(join(this.directory, "overlay-"));
    await this.execOrThrow(["sh", "-c", script, "sh", source, target, scratch]);
  }

  /** The IPv4 addresses on eth0. */
  async addresses(): Promise<readonly string[]> {
    const text = await this.execOrThrow(["ip", "-4", "-o", "addr", "show", "dev", "eth0"]);
    return [...text.matchAll(/inet ([0-9.]+)/g)].map((match) => match[1] ?? "");
  }

  /** An address of either family on eth0. */
  async holds(address: string): Promise<boolean> {
    if (!address.includes(":")) return (await this.addresses()).includes(address);
    const text = await this.execOrThrow(["ip", "-6", "-o", "addr", "show", "dev", "eth0"]);
    return text.includes(` inet6 ${address}/`);
  }

  /** An IPv4 address on any interface: one with a virtual MAC has an interface of its own. */
  async carries(address: string): Promise<boolean> {
    return (await this.execOrThrow(["ip", "-4", "-o", "addr", "show"])).includes(` inet ${address}/`);
  }

  /** Translates the id that a program of this host wrote into its pid file. */
  outsidePid(insidePid: number): number | null {
    return outsidePid(this.pid, insidePid);
  }
}

export class Lab {
  readonly sandbox: Sandbox;
  readonly directory: string;
  readonly hosts: readonly LabHost[];
  readonly #ownsDirectory: boolean;

  constructor(
    sandbox: Sandbox,
    directory: string,
    options: { readonly hosts: readonly LabHost[]; readonly ownsDirectory: boolean },
  ) {
    this.sandbox = sandbox;
    this.directory = directory;
    this.hosts = options.hosts;
    this.#ownsDirectory = options.ownsDirectory;
  }

  host(name: string): LabHost {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) {
      throw new Error(`the lab has no host "${name}"; it has ${this.hosts.map((host) => host.name).join(", ")}`);
    }
    return found;
  }

  async cutLink(name: string, fault: LinkFault = "carrier"): Promise<void> {
    const port = portOf(this.host(name).name);
    const change = fault === "carrier" ? ["down"] : ["nomaster"];
    await this.#switch(["ip", "link", "set", port, ...change]);
  }

  async restoreLink(name: string): Promise<void> {
    const port = portOf(this.host(name).name);
    await this.#switch(["ip", "link", "set", port, "master", "br0", "up"]);
  }

  #switch(argv: readonly string[]): Promise<string> {
    return executeOrThrow(enterArgv(this.sandbox, argv));
  }

  /** Ends everything inside, then removes the lab's files. Safe to call twice and after a failure. */
  async destroy(): Promise<void> {
    await this.sandbox.destroy();
    if (this.#ownsDirectory) rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function createLab(topology: Topology = PAIR_TOPOLOGY, options: LabOptions = {}): Promise<Lab> {
  const ownsDirectory = options.directory === undefined;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "holdfast-lab-"));
  const sandbox = await Sandbox.create({ background: options.background === true });
  try {
    await executeOrThrow(enterArgv(sandbox, ["sh", "-c", SWITCH_SCRIPT]));
    const hosts: LabHost[] = [];
    for (const spec of topology.hosts) hosts.push(await createHost(sandbox, spec, { topology, directory }));
    return new Lab(sandbox, directory, { hosts, ownsDirectory });
  } catch (error) {
    await sandbox.destroy();
    if (ownsDirectory) rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Runs a test's body on a lab that is gone afterwards, whatever happened. */
export async function withLab<T>(body: (lab: Lab) => Promise<T>, topology: Topology = PAIR_TOPOLOGY): Promise<T> {
  const lab = await createLab(topology);
  try {
    return await body(lab);
  } finally {
    await lab.destroy();
  }
}

const portOf = (host: string): string => `sw-${host}`;

// Multicast snooping off: VRRP's group needs no querier, as on a switch that floods link-local groups (RFC 4541).
const SWITCH_SCRIPT = `
  set -e
  echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true
  ip link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  ip link set br0 up`;

// Processes of one host see, and can kill, those of that host alone.
const HOLDER_FLAGS = ["-mnu", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];

const HOLDER_SCRIPT = `
  mount --make-rprivate / || exit 1
  mount -t tmpfs tmpfs /run || exit 1
  umount -l /sys 2>/dev/null; mount -t sysfs sysfs /sys 2>/dev/null
  hostname "$1"
  mount --bind "$2" /etc/hosts 2>/dev/null
  : >/run/resolv.conf; mount --bind /run/resolv.conf "$(readlink -f /etc/resolv.conf)" 2>/dev/null
  echo ready
  ${REAP_FOR_EVER}`;

const HOST_SCRIPT = `
  set -e
  { echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; } 2>/dev/null || true
  { echo 1 > /proc/sys/net/ipv4/ip_unprivileged_port_start; } 2>/dev/null || true
  ip link set lo up
  ip addr add "$1" brd + dev eth0
  ip link set eth0 up
  if [ -n "$2" ]; then ip route add default via "$2"; fi`;

async function createHost(
  sandbox: Sandbox,
  spec: HostSpec,
  context: { readonly topology: Topology; readonly directory: string },
): Promise<LabHost> {
  const directory = join(context.directory, spec.name);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  // Hosts know each other by name, and no lookup ever waits for a name server that cannot be reached.
  const names = join(directory, "hosts");
  const lines = context.topology.hosts.map((host) => `${host.address}\t${host.name}`);
  writeFileSync(names, `127.0.0.1\tlocalhost\n${lines.join("\n")}\n`);
  const holder = new RunningProgram(
    enterArgv(sandbox, ["unshare", ...HOLDER_FLAGS, "bash", "-c", HOLDER_SCRIPT, "holder", spec.name, names]),
    { entered: true, ownSession: true },
  );
  await holder.line(/^ready$/, { timeoutMs: 20_000 });
  const unshare = await holder.pid();
  const pid = await until(() => childrenOf(unshare)[0], `${spec.name} has a first process`, 5_000);
  const target = { pid, userNamespace: sandbox.userNamespace };
  holder.detach();
  const port = portOf(spec.name);
  const pidInSandbox = String(insidePids(pid)[1]);
  await executeOrThrow(
    enterArgv(sandbox, ["ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pidInSandbox]),
  );
  await executeOrThrow(enterArgv(sandbox, ["ip", "link", "set", port, "master", "br0", "up"]));
  const gateway = context.topology.gateway === spec.address ? "" : (context.topology.gateway ?? "");
  const host = new LabHost(spec, target, directory);
  await host.execOrThrow(["sh", "-c", HOST_SCRIPT, "sh", `${spec.address}/${context.topology.prefixLength}`, gateway]);
  await until(async () => (await host.holds(spec.address)) || undefined, `${spec.name} has its address`, 5_000);
  return host;
}
