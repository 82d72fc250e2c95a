/** What a writer's looks at its peers have shown so far: who is gone, who is back, and what only a binary log could tell. */

import { addressInWords } from "../core/database/config.ts";
import type { MysqlConfig } from "../core/mysql/config.ts";
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { type TendingFacts, type TendingMemory, toBeRead } from "../core/mysql/tending.ts";
import { compareTwo } from "./mysql-compare.ts";
import type { MysqlServers } from "./mysql-group.ts";

/** One look may find a peer silent that is only busy. */
const GONE_LOOKS = 2;

export class PeerMemory implements TendingMemory {
  readonly gone = new Set<string>();
  readonly returned: Set<string>;
  readonly read = new Map<string, string | null>();
  /** Up to where the binary logs of those were read that have too many. */
  readonly readTo = new Map<string, Coordinates>();
  readonly #servers: MysqlServers;
  readonly #pair: boolean;
  /** Looks in a row that have not found a peer. */
  readonly #away = new Map<string, number>();

  /** Everybody counts as just back: this server has been opened, and none was started since. */
  constructor(servers: MysqlServers, { group }: MysqlConfig) {
    this.#servers = servers;
    this.#pair = group.peers.length === 1;
    this.returned = new Set(group.peers.map(addressInWords));
  }

  started(peer: string): void {
    this.returned.delete(peer);
  }

  async note(facts: TendingFacts): Promise<void> {
    for (const { address, state } of facts.peers) {
      const away = state.kind === "down" || state.kind === "silent";
      const looks = away ? (this.#away.get(address) ?? 0) + 1 : 0;
      this.#away.set(address, looks);
      if (looks >= GONE_LOOKS) this.gone.add(address);
      if (!away) {
        this.gone.delete(address);
        continue;
      }
      this.returned.add(address);
      this.read.delete(address);
      this.readTo.delete(address);
    }
    for (const address of toBeRead(facts)) if (!this.read.has(address)) await this.#read(address);
  }

  /** Once after each return; what cannot be read counts as too many, until it has been away again. */
  async #read(address: string): Promise<void> {
    const member = this.#servers.peer(address);
    const server = await member?.facts();
    const writer = await this.#servers.own.facts();
    if (!member || !server?.ok || !writer.ok) return;
    const { own } = this.#servers;
    const two = {
      writer: { address: own.name, facts: writer.value, member: own },
      server: { address, facts: server.value, member },
    };
    const { extra, lost } = (await compareTwo(two, this.#pair)).facts;
    if (extra.kind === "unknown") this.read.set(address, extra.why);
    else this.read.set(address, extra.kind === "some" ? extra.what : lost);
    const { end } = server.value;
    if (extra.kind === "some" && end !== null) this.readTo.set(address, end);
  }
}
