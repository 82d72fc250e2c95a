/**
 * For tests only: a second host, which is a process in a network namespace of its own that holds the other end of the veth. It
 * collects adverts and answers with its own, by multicast and by unicast, until it has heard both kinds.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { IpAddress } from "../../core/lib/ip.ts";
import { unicastTransport } from "../../core/vrrp/config.ts";
import { createAdvertPort } from "../advert-port.ts";
import { createWorld, goldenPacket, ip, linkNamed, must, runUntil, type World } from "./world.ts";

export const GROUP = "224.0.0.18" as IpAddress;
const RUNNER = fileURLToPath(new URL("./run-scenario.js", import.meta.url));

/** Moves b0 into the namespace of a new process that will run the scenario once told to go. */
export async function startPeer(
  scenario: string,
): Promise<{ readonly go: () => void; readonly result: Promise<unknown> }> {
  const child = spawn("unshare", ["-n", "--", process.execPath, RUNNER, scenario], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  while (!output.includes("ready\n")) await once(child.stdout, "data");
  intoNamespaceOf(child);
  return {
    go: () => child.stdin.end("go\n"),
    result: once(child, "close").then(() => JSON.parse(output.replace("ready\n", "")) as unknown),
  };
}

function intoNamespaceOf(child: ChildProcess): void {
  const pid = String(child.pid);
  ip("link", "set", "b0", "netns", pid);
  const inside = (...args: readonly string[]) => execFileSync("nsenter", ["-t", pid, "-n", "ip", ...args]);
  inside("addr", "add", "10.0.0.2/24", "dev", "b0");
  inside("link", "set", "b0", "up");
}

/** What the peer does: waits for the word, then talks. */
export async function peerScenario(): Promise<unknown> {
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  process.stdin.destroy();
  return exchange(createWorld(), "b0", { own: "10.0.0.2", other: "10.0.0.1" });
}

/** Sends both kinds every 50 ms until both kinds were heard, and a little longer for the other side's sake. */
export function exchange(world: World, device: string, addresses: { readonly own: string; readonly other: string }) {
  const link = linkNamed(world, device);
  const heard = new Map<string, string>();
  const port = createAdvertPort({
    arena: world.arena,
    watcher: world.reactor,
    onPacket: ({ packet, interfaceIndex, truncated }) => {
      const destination = packet.subarray(16, 20).join(".");
      const payload = Buffer.from(packet.subarray(20)).toString("hex");
      heard.set(
        destination,
        `${interfaceIndex === link.index} ttl ${packet[8]} tos ${packet[1]} ${truncated} ${payload}`,
      );
    },
  });
  must(port.open(link, 4, { kind: "multicast", group: GROUP }));
  must(port.open(link, 4, unicastTransport([addresses.other as IpAddress])));
  for (const [slot, destination] of [GROUP, addresses.other].entries()) {
    port.prepare(slot, {
      interfaceIndex: link.index,
      source: addresses.own as IpAddress,
      destinations: [destination as IpAddress],
      hopLimit: 255,
      packets: [goldenPacket(addresses.own, destination)],
    });
  }
  const failures: unknown[] = [];
  const speak = (): void => {
    port.queue(0);
    port.queue(1);
    failures.push(...port.flush());
  };
  for (let round = 0; round < 100 && heard.size < 2; round++) {
    speak();
    runUntil(world, 50_000, () => heard.size === 2);
  }
  for (let round = 0; round < 5; round++) {
    speak();
    runUntil(world, 50_000, () => false);
  }
  return { heard: Object.fromEntries(heard), failures };
}
