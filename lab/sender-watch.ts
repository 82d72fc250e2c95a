/**
 * Who advertises which virtual router, seen on each host's own wire by tcpdump: any version, address family and authentication.
 * It keeps senders and times only; contents are capture.ts's business.
 */
import type { LabHost } from "../src/lab/lab.ts";
import type { RunningProgram } from "../src/lab/processes.ts";

interface Sent {
  /** Unix time, seconds, from the kernel. */
  readonly at: number;
  readonly host: string;
  readonly virtualRouterId: number;
  readonly priority: number;
}

export class SenderWatch {
  readonly #host: LabHost;
  readonly #program: RunningProgram;

  private constructor(host: LabHost, program: RunningProgram) {
    this.#host = host;
    this.#program = program;
  }

  static async start(host: LabHost): Promise<SenderWatch> {
    const options = ["-Z", "root", "-i", "eth0", "-nn", "-tt", "-l", "--immediate-mode", "-Q", "out"];
    const filter = "ip proto 112 or ip proto 51 or ip6 proto 112";
    const program = host.spawn(["tcpdump", ...options, filter]);
    await program.line(/listening on/, { timeoutMs: 10_000 });
    return new SenderWatch(host, program);
  }

  async stop(): Promise<void> {
    await this.#program.signal("SIGINT");
    await this.#program.exited;
  }

  sent(): readonly Sent[] {
    return this.#program.lines.flatMap(({ text }) => {
      const match = /^(\d+\.\d+) .*\bvrid (\d+), prio (\d+)/.exec(text);
      if (match === null) return [];
      const [at, virtualRouterId, priority] = match.slice(1).map(Number) as [number, number, number];
      return [{ at, host: this.#host.name, virtualRouterId, priority }];
    });
  }

  /** One line per advert of a virtual router, for people who look into a failure. */
  static timeline(watches: readonly SenderWatch[], virtualRouterId: number): string {
    const sent = watches.flatMap((watch) => watch.sent()).filter((it) => it.virtualRouterId === virtualRouterId);
    const lines = sent.sort((a, b) => a.at - b.at).map(({ at, host, priority }) => `${at} ${host} ${priority}`);
    return lines.join("\n");
  }

  /** The senders of one virtual router in their order. */
  static row(watches: readonly SenderWatch[], virtualRouterId: number): readonly string[] {
    const sent = watches.flatMap((watch) => watch.sent()).filter((it) => it.virtualRouterId === virtualRouterId);
    return sendersInTurn(sent.sort((a, b) => a.at - b.at).map(({ host }) => host));
  }
}

/**
 * One entry while several adverts in a row come from one host. A single advert of the master just replaced was on its way when the
 * other's came (each learns of the other only then) and counts as nothing; two of them would be two masters.
 */
export function sendersInTurn(hosts: readonly string[]): readonly string[] {
  const runs: { readonly host: string; adverts: number }[] = [];
  for (const host of hosts) {
    const last = runs.at(-1);
    if (last?.host === host) last.adverts++;
    else runs.push({ host, adverts: 1 });
  }
  const row: string[] = [];
  for (const [index, { host, adverts }] of runs.entries()) {
    const late = adverts === 1 && host === row.at(-2) && runs[index + 1]?.host === row.at(-1);
    if (!late && row.at(-1) !== host) row.push(host);
  }
  return row;
}
