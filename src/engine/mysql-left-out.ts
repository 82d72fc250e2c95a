/** The note of what quarantined peers have too many, in memory and on the disk: a daemon that is started again has to know it as well. */
import type { Coordinates } from "../core/mysql/coordinates.ts";
import { type LeftOut, placeNote, readUntil } from "../core/mysql/left-out.ts";
import { noteLeftOut } from "../core/mysql/quarantine.ts";
import type { TakeoverFacts } from "../core/mysql/takeover.ts";
import type { Notes } from "../ports/notes.ts";
import { readOwnEcho } from "./mysql-binlog.ts";
import type { MysqlServers } from "./mysql-group.ts";

type GroupFacts = Pick<TakeoverFacts, "own" | "peers">;

const NOTHING: LeftOut = new Map();

export class LeftOutNote {
  readonly #records: Notes;
  readonly #name: string;
  #noted: LeftOut | null = null;

  /** `name`: of the block. */
  constructor(records: Notes, name: string) {
    this.#records = records;
    this.#name = `left-out-${name}`;
  }

  async known(): Promise<LeftOut> {
    this.#noted ??= parse(await this.#records.read(this.#name));
    return this.#noted;
  }

  /** At a look of the writer; `read` as noteLeftOut() wants it. What cannot be written is known until the daemon ends. */
  async see(facts: GroupFacts, read: ReadonlyMap<string, Coordinates>): Promise<void> {
    await this.#become(noteLeftOut(await this.known(), facts, read));
  }

  /** Where a place in the peer's binary log is noted: reads on from there, as long as that is only what the own server has written. */
  async readOn(servers: Pick<MysqlServers, "peer">, { own, peers }: GroupFacts): Promise<void> {
    for (const { address, state } of peers) {
      if (state.kind !== "up" || state.facts.closedBy === null) continue;
      const noted = await this.known();
      const from = readUntil(noted.get(address), own, state.facts);
      const member = servers.peer(address);
      if (from === null || member === null) continue;
      const place = await readOwnEcho(member, from, own.serverId);
      const note = place === null ? null : placeNote(own, state.facts, place);
      if (note !== null) await this.#become(new Map(noted).set(address, note));
    }
  }

  /** It takes writes: what it has may have been served. */
  async wasOpen(address: string): Promise<void> {
    const noted = await this.known();
    if (noted.has(address)) await this.#become(new Map([...noted].filter(([peer]) => peer !== address)));
  }

  async #become(noted: LeftOut): Promise<void> {
    const [before, now] = [this.#noted ?? NOTHING, noted].map((one) => JSON.stringify([...one]));
    this.#noted = noted;
    if (before === now) return;
    if (noted.size === 0) await this.#records.remove(this.#name);
    else await this.#records.write(this.#name, now ?? "");
  }
}

/** Nothing that is not understood was left out. */
function parse(text: string | null): LeftOut {
  try {
    const read: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(read)) return NOTHING;
    return new Map(
      read.filter((one): one is [string, string] => Array.isArray(one) && one.length === 2 && one.every(isText)),
    );
  } catch {
    return NOTHING;
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
