/**
 * More interfaces for more instances: virtual router ids end at 255, so a thousand instances need four segments. Each gets a bridge and a
 * cable to both database hosts: eth1, eth2 ... with addresses of their own.
 */
import type { Lab, LabHost } from "../lab/lab.ts";
import { enterArgv } from "../lab/namespace.ts";
import { executeOrThrow, insidePids } from "../lab/processes.ts";
import { interfaceOf } from "./daemons.ts";

export async function widen(lab: Lab, instances: number): Promise<void> {
  for (let number = 1; number <= interfaceOf(instances - 1); number++) {
    const bridge = `br${number}`;
    const lines = [
      `link add ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${bridge} up`,
    ];
    await batch(lab, lines);
    for (const name of ["db1", "db2"]) await plug(lab, lab.host(name), number);
  }
}

async function plug(lab: Lab, host: LabHost, number: number): Promise<void> {
  const port = `sw-${host.name}-${number}`;
  const last = host.address.split(".").at(-1) ?? "1";
  await batch(lab, [
    `link add ${port} type veth peer name eth${number} netns ${insidePids(host.pid)[1]}`,
    `link set ${port} master br${number} up`,
  ]);
  const lines = [`addr add 192.168.${100 + number}.${last}/24 brd + dev eth${number}`, `link set eth${number} up`];
  await host.execOrThrow(["ip", "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

async function batch(lab: Lab, lines: readonly string[]): Promise<void> {
  await executeOrThrow(enterArgv(lab.sandbox, ["ip", "-batch", "-"]), { input: `${lines.join("\n")}\n` });
}
