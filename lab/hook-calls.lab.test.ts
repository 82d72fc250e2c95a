/**
 * The same file of more than forty instances run by keepalived 2.2.7 and by Holdfast, each alone on a host of a lab of its own, through
 * the same life: start, a file that turns against them, a link that goes and comes, a reload, a stop. Every notify script of every
 * instance is called as often, in the same order and with the same arguments.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DaemonKind, startDaemon } from "../src/lab/daemon.ts";
import { createLab, type Lab, type LabHost } from "../src/lab/lab.ts";
import { sleep, until } from "../src/lab/processes.ts";
import { GLOBALS, NotifyRecorder } from "../src/lab/vrrp-cluster.ts";
import { describeHoldfast } from "./support.ts";

interface HookCase {
  readonly title: string;
  readonly lines: readonly string[];
  readonly priority?: number;
  readonly state?: "BACKUP" | "MASTER";
  readonly version?: 2 | 3;
  readonly vips?: readonly string[];
  readonly interface?: string;
  /** A number in the file is FAULT for it. */
  readonly faultsByFile?: true;
  /** eth1 down is FAULT for it. */
  readonly faultsByLink?: true;
  /** Never MASTER at all. */
  readonly never?: true;
  /** Not in the file after the reload. */
  readonly removed?: true;
}

const block = (keyword: string, ...lines: readonly string[]): readonly string[] => [`${keyword} {`, ...lines, "}"];
const FILE = { lines: block("track_file", "turn"), faultsByFile: true } as const;
const LINK = { lines: block("track_interface", "eth1"), faultsByLink: true } as const;

/** What decides which hooks run when; hooks themselves come in the mixtures below. */
const LIVES: readonly HookCase[] = [
  { title: "plain", lines: [] },
  { title: "v2", lines: [], version: 2 },
  { title: "nopreempt", lines: ["nopreempt"] },
  { title: "preempt_delay", lines: ["preempt_delay 1"] },
  { title: "state MASTER", lines: [], state: "MASTER" },
  { title: "state MASTER, owner", lines: [], state: "MASTER", priority: 255 },
  { title: "owner without state MASTER", lines: [], priority: 255 },
  { title: "lowest priority", lines: [], priority: 1 },
  { title: "PASS", lines: block("authentication", "auth_type PASS", "auth_pass 1111"), version: 2 },
  { title: "AH", lines: block("authentication", "auth_type AH", "auth_pass 1111"), version: 2 },
  { title: "unicast", lines: block("unicast_peer", "192.168.11.82") },
  { title: "excluded addresses only beside one", lines: block("virtual_ipaddress_excluded", "10.8.8.8/32") },
  { title: "file of weight 0", ...FILE },
  { title: "file of weight 0, v2", ...FILE, version: 2 },
  { title: "file of weight 0, nopreempt", ...FILE, lines: ["nopreempt", ...FILE.lines] },
  { title: "file of weight 0, preempt_delay", ...FILE, lines: ["preempt_delay 1", ...FILE.lines] },
  { title: "file of weight 0, state MASTER", ...FILE, state: "MASTER" },
  { title: "file of weight 0, owner", ...FILE, state: "MASTER", priority: 255 },
  { title: "file with a weight", lines: block("track_file", "turn weight -2") },
  { title: "file with a reverse weight", lines: block("track_file", "turn weight 2 reverse") },
  { title: "tracked interface", ...LINK },
  { title: "tracked interface, nopreempt", ...LINK, lines: ["nopreempt", ...LINK.lines] },
  { title: "tracked interface with a weight", lines: block("track_interface", "eth1 weight 20") },
  { title: "on the interface that goes", lines: [], interface: "eth1", faultsByLink: true },
  { title: "on it, dont_track_primary", lines: ["dont_track_primary"], interface: "eth1" },
  { title: "file and interface", lines: [...FILE.lines, ...LINK.lines], faultsByFile: true, faultsByLink: true },
  { title: "script that fails", lines: block("track_script", "never"), never: true },
  { title: "script that succeeds", lines: block("track_script", "always") },
  { title: "script that fails with a weight", lines: block("track_script", "never weight -10") },
  { title: "removed by the reload", lines: [], removed: true },
  { title: "removed by the reload, tracking", ...FILE, removed: true },
  { title: "garp settings", lines: ["garp_master_delay 1", "garp_master_repeat 1"] },
  { title: "higher interval and down_timer_adverts", lines: ["down_timer_adverts 2"] },
  { title: "notify_priority_changes", lines: ["notify_priority_changes", ...block("track_file", "turn weight -2")] },
  { title: "IPv6", lines: [], vips: ["fe80::5:1/64"] },
  { title: "IPv6, file of weight 0", ...FILE, vips: ["fe80::5:2/64"] },
  { title: "two addresses", lines: [], vips: ["192.168.11.201", "192.168.11.202"] },
  { title: "promote_secondaries", lines: ["promote_secondaries"] },
  { title: "ttl of unicast", lines: ["unicast_ttl 64", ...block("unicast_peer", "192.168.11.82")] },
  { title: "mcast_src_ip", lines: ["mcast_src_ip 192.168.11.81"] },
  { title: "no_accept", lines: ["no_accept"] },
  { title: "virtual MAC", lines: ["use_vmac"] },
  { title: "virtual MAC, file of weight 0", ...FILE, lines: ["use_vmac", ...FILE.lines] },
];

const nameOf = (index: number): string => `VI_${index + 1}`;

function instance(it: HookCase, index: number, script: string): string {
  const name = nameOf(index);
  const call = (keyword: string): string => `${keyword} "${script} ${keyword} ${name}"`;
  // In turn: everything, the general one alone, the specific ones alone.
  const general = index % 3 === 2 ? [] : [`notify "${script} notify_${name}"`];
  const specific =
    index % 3 === 1 ? [] : ["notify_master", "notify_backup", "notify_fault", "notify_stop"].map((word) => call(word));
  const lines = [
    `state ${it.state ?? "BACKUP"}`,
    `interface ${it.interface ?? "eth0"}`,
    `version ${it.version ?? 3}`,
    `virtual_router_id ${index + 1}`,
    `priority ${it.priority ?? 100 + index}`,
    "advert_int 1",
    ...block("virtual_ipaddress", ...(it.vips ?? [`192.168.11.${101 + index}`])),
    ...it.lines,
    ...general,
    ...specific,
  ];
  return [`vrrp_instance ${name} {`, ...lines.map((line) => `    ${line}`), "}", ""].join("\n");
}

const TRACKERS = (turn: string): string => `track_file turn {
    file ${turn}
    weight 0
}
vrrp_script never {
    script "/bin/false"
    interval 1
    timeout 1
}
vrrp_script always {
    script "/bin/true"
    interval 1
    timeout 1
}
`;

class Life {
  readonly #host: LabHost;
  readonly #recorder: NotifyRecorder;
  readonly #turn: string;
  #said = (): string => "";

  constructor(lab: Lab) {
    const host = lab.host("db1");
    this.#host = host;
    this.#recorder = new NotifyRecorder(host);
    this.#turn = join(host.directory, "turn");
  }

  #config(after: boolean): string {
    const blocks = LIVES.map((it, index) =>
      after && it.removed === true ? "" : instance(it, index, this.#recorder.script),
    );
    return TRACKERS(this.#turn) + blocks.join("");
  }

  /** Calls of one instance that speak of this state; a specific hook and the general one both do. */
  #times(index: number, state: string): number {
    const name = nameOf(index);
    const word = `notify_${state.toLowerCase()} ${name}`;
    const lines = this.#recorder.lines;
    const specific = lines.filter((line) => line === word).length;
    const general = lines.filter((line) => line.startsWith(`notify_${name} `) && line.includes(` ${state} `)).length;
    return index % 3 === 2 ? specific : index % 3 === 1 ? general : Math.min(specific, general);
  }

  /** Every chosen instance has been told this state so often. */
  async #all(state: string, times: number, chosen: (it: HookCase) => boolean): Promise<void> {
    const missing = () =>
      LIVES.flatMap((it, index) =>
        chosen(it) && this.#times(index, state) < times ? [`${nameOf(index)} ${it.title}`] : [],
      );
    await until(() => missing().length === 0 || undefined, `${state}, ${times} times`, 40_000).catch((error) => {
      throw new Error(`${String(error)}: not ${missing().join(", ")}\n${this.#said().slice(-4_000)}`);
    });
    // A call too many would come now.
    await sleep(500);
  }

  async run(kind: DaemonKind): Promise<readonly string[]> {
    const host = this.#host;
    await host.execOrThrow(["sh", "-c", LINK_SCRIPT]);
    const turn = (value: number): void => writeFileSync(this.#turn, `${value}\n`);
    turn(0);
    const configFile = join(host.directory, "hooks.conf");
    writeFileSync(configFile, GLOBALS + this.#config(false));
    const daemon = startDaemon(host, { kind, config: "", configFile });
    this.#said = () => daemon.program.text;
    const able = (it: HookCase): boolean => it.never !== true;
    await this.#all("MASTER", 1, able);
    await this.#all("FAULT", 1, (it) => it.never === true);
    turn(9);
    await this.#all("FAULT", 1, (it) => it.faultsByFile === true);
    turn(0);
    await this.#all("MASTER", 2, (it) => it.faultsByFile === true);
    await host.execOrThrow(["ip", "link", "set", "eth1", "down"]);
    await this.#all("FAULT", 1, (it) => it.faultsByLink === true);
    await host.execOrThrow(["ip", "link", "set", "eth1", "up"]);
    await this.#all("MASTER", 2, (it) => it.faultsByLink === true);
    writeFileSync(configFile, GLOBALS + this.#config(true));
    await daemon.program.signal("SIGHUP");
    const gone = LIVES.flatMap((it, index) => (it.removed === true ? [`192.168.11.${101 + index}`] : []));
    const left = async () => {
      const held = await host.addresses();
      return gone.every((address) => !held.includes(address)) || undefined;
    };
    await until(left, `${kind}: the removed ones have gone`, 15_000);
    // A removed instance is told nothing unless it asks for it; what came all the same would be here by now.
    await sleep(1_000);
    await daemon.stop();
    await this.#all("STOP", 1, (it) => able(it) && it.removed !== true);
    return this.#recorder.lines;
  }
}

const LINK_SCRIPT = `
for name in all default eth0; do echo 0 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done
ip link add eth1 type veth peer name eth1peer && ip link set eth1peer up && ip link set eth1 up
ip addr add 192.168.12.81/24 dev eth1
while ip -6 -o addr show tentative | grep -q .; do sleep 0.1; done`;

/** The calls of one hook of one instance, in their order: different hooks run at once, and who writes first is chance. */
function callsOf(lines: readonly string[], index: number): Readonly<Record<string, readonly string[]>> {
  const name = nameOf(index);
  const calls: Record<string, string[]> = {};
  for (const line of lines) {
    const word = line.split(" ")[0] ?? "";
    if (word !== `notify_${name}` && !line.endsWith(` ${name}`)) continue;
    calls[word] = [...(calls[word] ?? []), line];
  }
  return calls;
}

describeHoldfast("hook calls beside keepalived's", () => {
  const labs: Lab[] = [];
  const heard = new Map<DaemonKind, readonly string[]>();

  beforeAll(async () => {
    const kinds: readonly DaemonKind[] = ["keepalived", "holdfast"];
    labs.push(...(await Promise.all(kinds.map(() => createLab()))));
    await Promise.all(
      kinds.map(async (kind, index) => {
        heard.set(kind, await new Life(labs[index] as Lab).run(kind));
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(labs.map((lab) => lab.destroy()));
  });

  for (const [index, { title, removed }] of LIVES.entries()) {
    test(title, () => {
      const theirs = callsOf(heard.get("keepalived") ?? [], index);
      expect(Object.keys(theirs).length).toBeGreaterThan(0);
      // keepalived.conf(5): who is removed by a reload is told FAULT. 2.2.7 calls `notify` with it, but not notify_fault; we call both.
      const faults = theirs.notify_fault ?? [];
      const told =
        removed === true && index % 3 !== 1 ? { notify_fault: [...faults, `notify_fault ${nameOf(index)}`] } : {};
      expect(callsOf(heard.get("holdfast") ?? [], index)).toEqual({ ...theirs, ...told });
    });
  }
});
