/**
 * A director, a second one, three servers, each a network namespace inside the virtual machine; the test itself is the client. Two networks:
 * clients' (10.1.0.0/24: client, directors) and servers' (10.0.0.0/24: everybody). With NAT servers answer through the first director, with DR
 * and TUN straight to the client. The client has several addresses, so that schedulers by source have something to tell apart.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { HOLDFAST_LAUNCHER } from "../../src/lab/paths.ts";
import { until } from "../../src/lab/processes.ts";

export const VIP = "10.1.0.100";
export const SERVERS = ["10.0.0.11", "10.0.0.12", "10.0.0.13"] as const;
/** Addresses of the client. */
export const SOURCES = Array.from({ length: 8 }, (_, at) => `10.1.0.${20 + at}`);
export const DIRECTORS = ["d1", "d2"] as const;
const NAMES = ["s1", "s2", "s3"] as const;
const PORTS = [80, 8080];

export const ip = (...words: string[]): string => execFileSync("ip", words, { encoding: "utf8" });
export const inside = (name: string, ...argv: string[]): string =>
  execFileSync("ip", ["netns", "exec", name, ...argv], { encoding: "utf8" });
export const set = (name: string, setting: string, value: string | number): string =>
  inside(name, "sh", "-c", `echo ${value} >/proc/sys/net/${setting}`);

/** Says its name at once, then repeats what it gets. */
const SERVER = `
const [name, ...ports] = process.argv.slice(2);
for (const port of ports) require("node:net").createServer((socket) => {
  socket.on("error", () => undefined);
  socket.write(name + "\\n");
  socket.pipe(socket);
}).listen(+port, "0.0.0.0");
require("node:fs").writeFileSync("/run/" + name + ".up", "");
`;

export type Method = "NAT" | "DR" | "TUN";

export class Stage {
  readonly #servers: ChildProcess[] = [];

  async open(): Promise<void> {
    for (const name of [...NAMES, ...DIRECTORS]) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
    }
    for (const bridge of ["clients", "servers"]) {
      ip("link", "add", bridge, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0");
      ip("link", "set", bridge, "up");
    }
    for (const address of ["10.1.0.9", ...SOURCES]) ip("addr", "add", `${address}/24`, "dev", "clients");
    ip("addr", "add", "10.0.0.9/24", "dev", "servers");
    for (const [at, name] of DIRECTORS.entries()) {
      this.#plug(name, "eth0", "clients", `10.1.0.${at + 1}`);
      this.#plug(name, "eth1", "servers", `10.0.0.${at + 1}`);
      set(name, "ipv4/ip_forward", 1);
    }
    for (const [at, name] of NAMES.entries()) this.#plug(name, "eth0", "servers", SERVERS[at] as string);
    // Answers with the virtual address come from the other network.
    for (const device of ["all", "servers", "clients"])
      writeFileSync(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, "0");
    writeFileSync("/run/server.cjs", SERVER);
    for (const name of NAMES) {
      const argv = ["netns", "exec", name, process.execPath, "/run/server.cjs", name, ...PORTS.map(String)];
      this.#servers.push(spawn("ip", argv, { stdio: "ignore" }));
    }
    const up = (): boolean =>
      NAMES.every((name) => execFileSync("ls", ["/run"], { encoding: "utf8" }).includes(`${name}.up`));
    await until(() => up() || undefined, "the servers listen", 60_000);
  }

  /** Makes the servers what the forwarding method needs; through the command for it. */
  prepare(method: Method): void {
    for (const name of NAMES) {
      const way = method === "NAT" ? "10.0.0.1" : "10.0.0.9";
      ip("-n", name, "route", "replace", "10.1.0.0/24", "via", way);
      if (method !== "NAT") inside(name, HOLDFAST_LAUNCHER, "realserver", "up", VIP, "--method", method.toLowerCase());
    }
  }

  unprepare(method: Method): void {
    if (method === "NAT") return;
    for (const name of NAMES)
      inside(name, HOLDFAST_LAUNCHER, "realserver", "down", VIP, "--method", method.toLowerCase());
  }

  /** The client learns at once who has the virtual address. */
  moveTo(director: (typeof DIRECTORS)[number]): void {
    for (const name of DIRECTORS) {
      const has = inside(name, "ip", "-o", "addr", "show", "dev", "eth0").includes(` ${VIP}/`);
      if (has && name !== director) ip("-n", name, "addr", "del", `${VIP}/32`, "dev", "eth0");
      if (!has && name === director) ip("-n", name, "addr", "add", `${VIP}/32`, "dev", "eth0");
    }
    ip("neigh", "flush", "dev", "clients");
  }

  close(): void {
    for (const server of this.#servers) server.kill("SIGKILL");
    for (const name of [...NAMES, ...DIRECTORS]) ip("netns", "del", name);
    for (const bridge of ["clients", "servers"]) ip("link", "del", bridge);
    for (const name of NAMES) rmSync(`/run/${name}.up`, { force: true });
  }

  #plug(name: string, device: string, bridge: string, address: string): void {
    ip("link", "add", `${name}${bridge}`, "type", "veth", "peer", "name", device, "netns", name);
    ip("link", "set", `${name}${bridge}`, "master", bridge, "up");
    ip("-n", name, "addr", "add", `${address}/24`, "dev", device);
    ip("-n", name, "link", "set", device, "up");
  }
}

/** An open connection to the virtual address, and who answers on it. */
export class Connection {
  readonly source: string;
  server = "";
  readonly #socket: Socket;
  #received = "";

  private constructor(socket: Socket, source: string) {
    this.#socket = socket;
    this.source = source;
    socket.on("data", (data: Buffer) => {
      this.#received += data.toString();
    });
    socket.on("error", () => undefined);
  }

  static async open(source: string, port = 80): Promise<Connection> {
    const socket = connect({ host: VIP, port, localAddress: source });
    const connection = new Connection(socket, source);
    const name = (): string | undefined =>
      connection.#received.endsWith("\n") ? connection.#received.trim() : undefined;
    connection.server = await until(name, `a server answers ${source}`, 10_000);
    connection.#received = "";
    return connection;
  }

  /** The server still repeats what it is told. */
  async answers(text: string): Promise<boolean> {
    this.#received = "";
    this.#socket.write(text);
    const end = performance.now() + 3_000;
    while (this.#received !== text && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    return this.#received === text;
  }

  close(): void {
    this.#socket.resetAndDestroy();
  }
}

/** Connections opened one after the other and held, from each source in turn. */
export async function openMany(number: number): Promise<readonly Connection[]> {
  const connections: Connection[] = [];
  for (let at = 0; at < number; at++) connections.push(await Connection.open(SOURCES[at % SOURCES.length] as string));
  return connections;
}

/** Connections of s1, s2 and s3. */
export function countServers(connections: readonly Connection[]): readonly number[] {
  return NAMES.map((name) => connections.filter(({ server }) => server === name).length);
}
