import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOLDFAST_LAUNCHER } from "../../src/lab/paths.ts";
import { until } from "../../src/lab/processes.ts";
import { inside, ip } from "./stage.ts";

const VIP = "10.2.0.100";
const HOSTS = ["h1", "h2"] as const;
type Host = (typeof HOSTS)[number];
const addressOf = (host: Host): string => `10.2.0.${HOSTS.indexOf(host) + 1}`;

/** Each host is director and real server: the virtual address stands on lo all the time, and on eth0 while it is MASTER. */
const config = (host: Host): string => `
global_defs { script_user root
}
vrrp_instance VI {
  interface eth0
  version 3
  virtual_router_id 52
  priority ${host === "h1" ? 150 : 100}
  advert_int 0.5
  virtual_ipaddress { ${VIP}
  }
}
virtual_server ${VIP} 80 {
  protocol TCP
  lvs_sched rr
  lvs_method DR
  only_on_master VI
  ${HOSTS.map((one) => `real_server ${addressOf(one)} 80 { weight 1\n }`).join("\n  ")}
}
`;

const SERVER = `
require("node:net").createServer((socket) => {
  socket.on("error", () => undefined);
  socket.end(process.argv[2]);
}).listen(80, "0.0.0.0");
`;

const programs: ChildProcess[] = [];
const daemons = new Map<Host, ChildProcess>();

/** Its /run and /var/lib are its own. */
function startDaemon(host: Host): void {
  const file = `/run/two-${host}.conf`;
  writeFileSync(file, config(host));
  const script =
    'f=/tmp/$1.conf; cp "$2" "$f"; mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && exec "$3" run -n -f "$f"';
  const argv = ["netns", "exec", host, "unshare", "-m", "sh", "-c", script, "sh", host, file, HOLDFAST_LAUNCHER];
  const daemon = spawn("ip", argv, { stdio: ["ignore", "pipe", "pipe"] });
  writeFileSync(`/tmp/${host}.log`, "");
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream?.on("data", (data: Buffer) => appendFileSync(`/tmp/${host}.log`, data));
  }
  daemons.set(host, daemon);
}

async function stopDaemon(host: Host): Promise<void> {
  const daemon = daemons.get(host);
  if (daemon === undefined || daemon.exitCode !== null) return;
  const ended = new Promise((resolve) => daemon.on("exit", resolve));
  daemon.kill("SIGTERM");
  await ended;
}

const holds = (host: Host, device: string): boolean =>
  inside(host, "ip", "-o", "addr", "show", "dev", device).includes(` ${VIP}/`);
const tableOf = (host: Host): readonly string[] => inside(host, "ipvsadm", "-S", "-n").split("\n").filter(Boolean);
const log = (): string => HOSTS.map((host) => `-- ${host}\n${readFileSync(`/tmp/${host}.log`, "utf8")}`).join("\n");

async function masterIs(host: Host): Promise<void> {
  const there = (): boolean => holds(host, "eth0") && tableOf(host).length === 3;
  try {
    await until(() => there() || undefined, `${host} holds the address and has the table`, 60_000);
  } catch (error) {
    throw new Error(`${String(error)}\n${log()}`);
  }
}

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: VIP, port: 80, timeout: 5_000 });
    socket.on("data", (data: Buffer) => {
      text += data.toString();
    });
    socket.on("end", () => resolve(text));
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    socket.on("error", reject);
  });
}

async function askMany(times: number): Promise<Readonly<Record<string, number>>> {
  const seen: Record<string, number> = {};
  for (let at = 0; at < times; at++) {
    const name = await ask();
    seen[name] = (seen[name] ?? 0) + 1;
  }
  return seen;
}

beforeAll(() => {
  ip("link", "add", "site", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0");
  ip("link", "set", "site", "up");
  ip("addr", "add", "10.2.0.9/24", "dev", "site");
  writeFileSync("/run/two.cjs", SERVER);
  for (const host of HOSTS) {
    ip("netns", "add", host);
    ip("-n", host, "link", "set", "lo", "up");
    ip("link", "add", `site-${host}`, "type", "veth", "peer", "name", "eth0", "netns", host);
    ip("link", "set", `site-${host}`, "master", "site", "up");
    ip("-n", host, "addr", "add", `${addressOf(host)}/24`, "dev", "eth0");
    ip("-n", host, "link", "set", "eth0", "up");
    inside(host, HOLDFAST_LAUNCHER, "realserver", "up", VIP);
    programs.push(spawn("ip", ["netns", "exec", host, process.execPath, "/run/two.cjs", host], { stdio: "ignore" }));
  }
});
afterAll(async () => {
  for (const host of HOSTS) await stopDaemon(host);
  for (const program of programs) program.kill("SIGKILL");
  for (const host of HOSTS) ip("netns", "del", host);
  ip("link", "del", "site");
});

describe("two hosts that are each director and real server", () => {
  it("the MASTER spreads over both without a loop, the other has no table, and the address on lo stays through it all", async () => {
    for (const host of HOSTS) startDaemon(host);
    await masterIs("h1");
    expect(await askMany(8)).toEqual({ h1: 4, h2: 4 });
    expect(tableOf("h2")).toEqual([]);
    await stopDaemon("h1");
    expect(tableOf("h1")).toEqual([]);
    await masterIs("h2");
    ip("neigh", "flush", "dev", "site");
    expect(await askMany(8)).toEqual({ h1: 4, h2: 4 });
    startDaemon("h1");
    await masterIs("h1");
    await until(() => tableOf("h2").length === 0 || undefined, "h2 gives its table up", 20_000);
    ip("neigh", "flush", "dev", "site");
    expect(await askMany(8)).toEqual({ h1: 4, h2: 4 });
    for (const host of HOSTS) expect(holds(host, "lo")).toBe(true);
    expect(execFileSync("cat", ["/tmp/h1.log"], { encoding: "utf8" })).toContain("IPVS 1.2.1 is there");
  });
});
