/**
 * Who advertises which virtual router and who hears it, seen on each host's own wire by tcpdump: any version, address family and
 * authentication. It keeps times and priorities only; contents are capture.ts's business.
 */
import type { LabHost } from "../src/lab/lab.ts";
import type { RunningProgram } from "../src/lab/processes.ts";

export interface Seen {
  /** Unix time, seconds, from the kernel. */
  readonly at: number;
  readonly host: string;
  readonly direction: "sent" | "heard";
  readonly virtualRouterId: number;
  readonly priority: number;
}

const DIRECTIONS = { sent: "out", heard: "in" } as const;

type Programs = Readonly<Record<Seen["direction"], RunningProgram>>;

export class SenderWatch {
  readonly #host: LabHost;
  readonly #programs: Programs;

  private constructor(host: LabHost, programs: Programs) {
    this.#host = host;
    this.#programs = programs;
  }

  static async start(host: LabHost): Promise<SenderWatch> {
    const capture = async (direction: Seen["direction"]): Promise<RunningProgram> => {
      const options = ["-Z", "root", "-i", "eth0", "-nn", "-tt", "-l", "--immediate-mode", "-Q", DIRECTIONS[direction]];
      const program = host.spawn(["tcpdump", ...options, "ip proto 112 or ip proto 51 or ip6 proto 112"]);
      await program.line(/listening on/, { timeoutMs: 10_000 });
      return program;
    };
    const [sent, heard] = await Promise.all([capture("sent"), capture("heard")]);
    return new SenderWatch(host, { sent, heard });
  }

  async stop(): Promise<void> {
    for (const program of Object.values(this.#programs)) {
      await program.signal("SIGINT");
      await program.exited;
    }
  }

  /** What this host has sent and heard of a virtual router, in the order of the kernel's time stamps. */
  seen(virtualRouterId: number): readonly Seen[] {
    const all = (["sent", "heard"] as const).flatMap((direction) =>
      this.#programs[direction].lines.flatMap(({ text }) => {
        const match = /^(\d+\.\d+) .*\bvrid (\d+), prio (\d+)/.exec(text);
        if (match === null || Number(match[2]) !== virtualRouterId) return [];
        return [
          { at: Number(match[1]), host: this.#host.name, direction, virtualRouterId, priority: Number(match[3]) },
        ];
      }),
    );
    return all.sort((a, b) => a.at - b.at);
  }

  /** One line per advert of a virtual router, for people who look into a failure. */
  static timeline(watches: readonly SenderWatch[], virtualRouterId: number): string {
    const seen = watches.flatMap((watch) => watch.seen(virtualRouterId)).sort((a, b) => a.at - b.at);
    return seen.map(({ at, host, direction, priority }) => `${at} ${host} ${direction} ${priority}`).join("\n");
  }

  /** Who sent the first advert of a virtual router and who the last. */
  static ends(watches: readonly SenderWatch[], virtualRouterId: number): readonly (string | undefined)[] {
    const sent = watches
      .flatMap((watch) => watch.seen(virtualRouterId))
      .filter(({ direction }) => direction === "sent")
      .sort((a, b) => a.at - b.at);
    return [sent.at(0)?.host, sent.at(-1)?.host];
  }
}

/** What a busy machine may keep a process from the processor. */
const LATE_SECONDS = 0.5;

/**
 * Adverts that a host must not have sent: it went on being master, or claimed, although a higher priority had been advertising to its
 * face (RFC 9568 §6.4.2, §6.4.3). It has one interval and what the machine needs to obey; a priority 0 sets it free
 * again, and so does silence of that master: its last advert may not have been obeyed, but its next would have come.
 */
export function disobeying(
  seen: readonly Seen[],
  own: { readonly priority: number; readonly intervalSeconds: number },
): readonly Seen[] {
  const patience = own.intervalSeconds + LATE_SECONDS;
  let first: number | null = null;
  let last = 0;
  return seen.filter(({ at, direction, priority }) => {
    if (first !== null && at - last > patience) first = null;
    if (direction === "sent") return priority > 0 && first !== null && at - first > patience;
    if (priority === 0) first = null;
    else if (priority > own.priority) {
      first ??= at;
      last = at;
    }
    return false;
  });
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
