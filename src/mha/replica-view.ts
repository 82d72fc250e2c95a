/**
 * What the replicas know of a master that does not answer the manager: one that still gets something from it proves that only the way
 * between manager and master is broken.
 */
import type { ReplicationFacts } from "../core/mha/facts.ts";
import type { Alive } from "../core/mha/topology.ts";
import type { SqlPort } from "../ports/sql.ts";
import { Database } from "./database.ts";
import { pause } from "./environment.ts";

/** A connection whose other end has died is noticed by its replica at once: so long "running" may be a late word. */
const LATE_MILLIS = 1_000;

interface View {
  readonly database: Database;
  first: ReplicationFacts | null;
}

export class ReplicaView {
  readonly #views: readonly View[];
  readonly #ready: Promise<unknown>;

  constructor(sql: SqlPort, slaves: readonly Alive[]) {
    this.#views = slaves.map(({ server }) => ({ database: new Database(sql, server), first: null }));
    this.#ready = Promise.all(
      this.#views.map(async (view) => {
        view.first = await this.#ask(view);
      }),
    );
  }

  close(): void {
    for (const { database } of this.#views) database.close();
  }

  async #ask({ database }: View): Promise<ReplicationFacts | null> {
    if (!database.isOpen) {
      const opened = await database.open();
      if (!opened.ok) return null;
    }
    return database.replication().catch(() => null);
  }

  /**
   * The replica that still receives; null when none does. After a refusal every receiver must have noticed; after silence one must have got
   * something since the silence began, since a receiver waits much longer than the manager before it gives up.
   */
  async stillServed(refused: boolean): Promise<string | null> {
    await this.#ready;
    const until = performance.now() + LATE_MILLIS;
    for (;;) {
      const served = await Promise.all(this.#views.map((view) => this.#isServed(view, refused)));
      const found = this.#views.find((_view, at) => served[at] === true);
      if (found === undefined) return null;
      if (!refused || performance.now() > until) return found.database.name;
      await pause(10);
    }
  }

  async #isServed(view: View, refused: boolean): Promise<boolean> {
    const now = await this.#ask(view);
    if (now === null || now.io !== "running") return false;
    if (refused) return true;
    const { first } = view;
    if (first === null || first.io !== "running") return false;
    const moved = first.received?.file !== now.received?.file || first.received?.offset !== now.received?.offset;
    return moved || (first.heartbeats !== null && now.heartbeats !== null && now.heartbeats > first.heartbeats);
  }
}
