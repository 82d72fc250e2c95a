/** What one run of a checker needs and answers. A run answers once; cancelled, it answers no more. */
import type { Finding } from "../../core/lvs/findings.ts";
import type { Probe, ProbePort, ProbeTls } from "../../ports/probes.ts";
import type { RedisPort } from "../../ports/redis.ts";
import type { ScriptPolicy } from "../../ports/spawner.ts";
import type { SqlPort } from "../../ports/sql.ts";
import type { CommandTools } from "../command-run.ts";

export interface ProbeTools {
  readonly port: ProbePort;
  readonly commands: CommandTools;
  readonly sql: SqlPort;
  readonly redis: RedisPort;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

export interface ProbeContext extends ProbeTools {
  readonly policy: ScriptPolicy;
  /** The block SSL. */
  readonly tls: Omit<ProbeTls, "serverName">;
}

export interface ProbeResult {
  readonly finding: Finding;
  /** The weight that the server ought to have by this checker; null: its own. */
  readonly weight: number | null;
  /** What the command of MISC_CHECK said last. */
  readonly output?: string | null;
}

export type ProbeDone = (result: ProbeResult) => void;

export const plain = (finding: Finding): ProbeResult => ({ finding, weight: null });

/** A run that is a chain of others. */
export class Chain implements Probe {
  #part: Probe | null = null;
  #timer: { cancel(): void } | null = null;
  #ended = false;
  readonly #done: ProbeDone;

  constructor(done: ProbeDone) {
    this.#done = done;
  }

  get ended(): boolean {
    return this.#ended;
  }

  part(probe: Probe): void {
    if (this.#ended) probe.cancel();
    else this.#part = probe;
  }

  /** The deadline of what comes next, in place of the one before. */
  deadline(timer: { cancel(): void }): void {
    this.#timer?.cancel();
    this.#timer = timer;
  }

  end(result: ProbeResult): void {
    if (this.#ended) return;
    this.cancel();
    this.#done(result);
  }

  cancel(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#part?.cancel();
  }
}
