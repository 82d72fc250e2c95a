/**
 * Whether a managed writer is the one cut off: no peer answers and neither does the gateway. Then a standby that reaches the gateway takes
 * over, and this host has to let go before both are found on the same network again, where the priority alone would decide between them.
 * Without a gateway nobody can tell, and nothing is done.
 */
import { type Instant, seconds } from "../core/lib/units.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { Timer } from "../ports/timers.ts";
import { MysqlServers } from "./mysql-group.ts";
import type { TakeoverTools } from "./mysql-takeover.ts";

const EVERY = seconds(1);
const GATEWAY_MILLIS = 1_000;
/** Cut off for this long before it lets go: a switch that learns anew takes less. */
export const ISOLATED_MILLIS = 2_000;

export class IsolationWatch {
  readonly #tools: Pick<TakeoverTools, "sql" | "timers" | "gateway">;
  readonly #servers: MysqlServers;
  readonly #tell: (millis: number | null) => void;
  #timer: Timer | null = null;
  #since: Instant | null = null;
  #told = false;
  #ended = false;

  /** `tell` gets how long it has been cut off, once, and null when that is over. */
  constructor(
    tools: Pick<TakeoverTools, "sql" | "timers" | "gateway">,
    config: MysqlConfig,
    tell: (millis: number | null) => void,
  ) {
    this.#tools = tools;
    this.#servers = new MysqlServers(tools.sql, config);
    this.#tell = tell;
    this.#arm();
  }

  get isolated(): boolean {
    return this.#told;
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#servers.close();
  }

  #arm(): void {
    this.#timer = this.#tools.timers.schedule(EVERY, () => {
      void this.#look().finally(() => {
        if (this.#ended) this.#servers.close();
        else this.#arm();
      });
    });
  }

  async #look(): Promise<void> {
    const cutOff = await this.#isCutOff();
    if (this.#ended) return;
    const now = this.#tools.timers.now();
    if (!cutOff) {
      this.#since = null;
      if (this.#told) this.#tell(null);
      this.#told = false;
      return;
    }
    this.#since ??= now;
    const millis = (now - this.#since) / 1_000;
    if (this.#told || millis < ISOLATED_MILLIS) return;
    this.#told = true;
    this.#tell(Math.round(millis));
  }

  async #isCutOff(): Promise<boolean> {
    this.#servers.askSilentAgain();
    const peers = await this.#servers.askPeers();
    if (peers.length === 0 || peers.some(({ state }) => state.kind !== "silent")) return false;
    return (await this.#tools.gateway.ask(GATEWAY_MILLIS)) === "unreachable";
  }
}
