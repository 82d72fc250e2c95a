/** What everything done to a managed server has in common: it waits for its turn, it is told, and a server that is open is looked after. */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { PeerAbsence } from "./mysql-absence.ts";
import type { Fences } from "./mysql-fence.ts";
import { watchIsolation } from "./mysql-isolating.ts";
import type { Managed } from "./mysql-managed.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";
import { MysqlTending } from "./mysql-tending.ts";

export type StepEvent = Extract<HoldfastEventBody, { kind: "mysql-step" }>;

export interface MysqlWorkOptions {
  readonly tools: TakeoverTools;
  readonly publish: (body: HoldfastEventBody) => void;
  /** A writer is cut off, so that it must not serve; null when that is over. */
  readonly isolate: (name: string, millis: number | null) => void;
  /** The instance is to let its address go, for another host. */
  readonly handOver: (instance: string) => void;
  readonly fences: Fences;
}

export class MysqlWork {
  readonly tools: TakeoverTools;
  readonly fences: Fences;
  readonly #options: MysqlWorkOptions;

  constructor(options: MysqlWorkOptions) {
    this.tools = options.tools;
    this.fences = options.fences;
    this.#options = options;
  }

  handOver(instance: string): void {
    this.#options.handOver(instance);
  }

  /** One thing at a time for each instance. */
  queue(managed: Managed, action: () => Promise<void>): void {
    managed.queue = managed.queue.then(action).catch((error: unknown) => {
      // Whatever it is: the next order must have its turn, above all one that closes.
      this.tell(managed, { what: "guard", step: "an unexpected error", outcome: "failed", detail: String(error) });
    });
  }

  tell(managed: Managed, one: Pick<StepEvent, "what" | "step" | "outcome" | "detail">): void {
    const { instance, config } = managed;
    this.#options.publish({ kind: "mysql-step", name: config.name, instance, ...one });
  }

  /** Anew with other settings: what was proved was about others. */
  watchAbsence(managed: Managed): void {
    void managed.absence?.end();
    managed.absence = new PeerAbsence(this.tools, managed.config, () => managed.open);
    if (managed.open) managed.absence.begin();
  }

  /** From its opening on, or anew with other settings. */
  tend(managed: Managed): void {
    managed.tending?.end();
    const tell = (step: string, outcome: StepEvent["outcome"], detail: string): void =>
      this.tell(managed, { what: "tending", step, outcome, detail });
    const { opening, virtualHosts } = managed;
    managed.tending = new MysqlTending(
      {
        tools: this.tools,
        tell,
        leftOut: managed.leftOut,
        replicas: { opening, virtualHosts, exporter: this.tools.exporter },
      },
      managed.config,
    );
    watchIsolation(this.tools, managed, this.#options.isolate);
    managed.absence?.begin();
  }
}
