import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/core/config/load.ts";
import { memorySource } from "../../src/core/config/memory-source.ts";
import type { IpvsEventBody } from "../../src/core/events/ipvs-events.ts";
import { createLvs } from "../../src/engine/lvs/lvs.ts";
import { freshTable } from "../../src/engine/testing/fresh-table.ts";
import { HOLDFAST_LAUNCHER } from "../../src/lab/paths.ts";
import { sleep, until } from "../../src/lab/processes.ts";
import { createArena } from "../../src/linux/arena.ts";
import { createIpvsPort } from "../../src/linux/ipvs-opening.ts";
import { openIpvsPort } from "../../src/linux/ipvs-port.ts";
import { createTimers } from "../../src/linux/timers.ts";
import { CASES } from "./configurations.ts";

const opened = openIpvsPort(createArena());
if (!opened.ok) throw new Error(opened.error.what);
const ipvs = opened.value;
const FILE = "/run/k.conf";

/** A namespace has a table of its own: keepalived's is there, ours is here. */
const OTHER = "oracle";
const saved = (inside: readonly string[] = []): readonly string[] => {
  const [program = "ipvsadm", ...args] = [...inside, "ipvsadm", "-S", "-n"];
  return execFileSync(program, args, { encoding: "utf8" }).split("\n").filter(Boolean).sort();
};
/** Starting ipvsadm costs more than asking ourselves. */
const there = createIpvsPort(createArena(), OTHER);
function entriesThere(): number {
  const services = there.services();
  if (!services.ok) return 0;
  const servers = services.value.map(({ key }) => there.destinations(key));
  return servers.reduce((sum, read) => sum + (read.ok ? read.value.length : 0), services.value.length);
}
const theirs = (): readonly string[] => saved(["ip", "netns", "exec", OTHER]);

beforeAll(() => {
  mkdirSync("/run/keepalived", { recursive: true });
  execFileSync("ip", ["netns", "add", OTHER]);
  execFileSync("ip", ["-n", OTHER, "link", "set", "lo", "up"]);
});
afterAll(() => {
  execFileSync("ip", ["netns", "del", OTHER]);
});

async function ours(
  text: string,
): Promise<{ readonly table: readonly string[]; readonly events: readonly IpvsEventBody[] }> {
  const { config } = loadConfig(memorySource({ [FILE]: text }), FILE, { lint: false });
  const events: IpvsEventBody[] = [];
  const lvs = createLvs({ ipvs, timers: createTimers(), publish: (body) => events.push(body) });
  lvs.configure(config);
  lvs.want(freshTable(config));
  await until(() => lvs.table.settled || undefined, "the table settles", 10_000);
  const table = saved();
  await lvs.stop();
  await lvs.stopped?.();
  expect(saved()).toEqual([]);
  return { table, events };
}

async function keepalived(text: string, expected: readonly string[]): Promise<readonly string[]> {
  writeFileSync(FILE, text);
  const argv = [
    "netns",
    "exec",
    OTHER,
    "keepalived",
    "-n",
    "-l",
    "-C",
    "-f",
    FILE,
    "-p",
    "/run/k.pid",
    "-c",
    "/run/kc.pid",
  ];
  const daemon: ChildProcess = spawn("ip", argv, { stdio: "ignore" });
  const ended = new Promise((resolve) => daemon.on("exit", resolve));
  try {
    // A table that is not ours gets all the time in the world: then it is not a slow machine.
    const end = performance.now() + 20_000;
    while (entriesThere() !== expected.length && performance.now() < end) await sleep(50);
    return theirs();
  } finally {
    // It would take a second to end in order; its child ends with it.
    daemon.kill("SIGKILL");
    await ended;
    execFileSync("ip", ["netns", "exec", OTHER, "ipvsadm", "-C"]);
  }
}

describe("the same file gives the same table as with keepalived", () => {
  it.each(CASES)("$name", async ({ text }) => {
    const { table, events } = await ours(text);
    expect(events.filter(({ kind }) => kind === "ipvs-refused")).toEqual([]);
    expect(table).not.toEqual([]);
    expect(table).toEqual(await keepalived(text, table));
  });
});

describe("keepalived's processes one by one", () => {
  const FOLDER = "/run/part";
  const CONFIG = `
global_defs {
  lvs_flush_on_stop
}
vrrp_instance VI_1 {
  interface part0
  virtual_router_id 51
  priority 255
  virtual_ipaddress {
    10.6.0.100/32
  }
}
virtual_server 10.6.0.100 80 {
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  real_server 127.0.0.1 80 {
  }
}
`;

  async function during(letters: string, then: (lines: readonly string[]) => Promise<unknown>): Promise<void> {
    const argv = ["-n", "-D", ...letters.split(" "), "-f", FILE, "-p", `${FOLDER}/k.pid`, "-c", `${FOLDER}/c.pid`];
    const daemon = spawn(HOLDFAST_LAUNCHER, argv, { stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise((resolve) => daemon.on("exit", resolve));
    const lines: string[] = [];
    daemon.stderr.on("data", (bytes: Buffer) => void lines.push(...bytes.toString().split("\n")));
    try {
      await then(lines);
    } finally {
      daemon.kill("SIGTERM");
      await ended;
    }
  }
  const said = (lines: readonly string[], text: string) =>
    until(() => lines.some((one) => one.includes(text)) || undefined, text, 60_000);
  const inTable = () => until(() => saved().length === 2 || undefined, "the service is in the table", 60_000);

  it("-C serves without an instance, -I leaves the table at the stop, -P then leaves it alone", {
    timeout: 240_000,
  }, async () => {
    mkdirSync(FOLDER, { recursive: true });
    for (const words of [
      "link add part0 type veth peer name part1",
      "link set part1 up",
      "link set part0 up",
      "addr add 10.6.0.1/24 dev part0",
    ])
      execFileSync("ip", words.split(" "));
    writeFileSync(FILE, CONFIG);
    await during("-C -I", async (lines) => {
      await said(lines, "Gained quorum");
      await inTable();
      expect(readFileSync(`${FOLDER}/c.pid`, "utf8")).toBe(readFileSync(`${FOLDER}/k.pid`, "utf8"));
      expect(lines.join("\n")).not.toContain("(VI_1)");
    });
    expect(saved()).toHaveLength(2);
    await during("-P", async (lines) => {
      await said(lines, "(VI_1) Entering MASTER STATE");
      expect(existsSync(`${FOLDER}/c.pid`)).toBe(false);
    });
    expect(saved()).toHaveLength(2);
    await during("-C", (lines) => said(lines, "Gained quorum"));
    expect(saved()).toEqual([]);
    execFileSync("ip", ["link", "del", "part0"]);
  });
});
