/**
 * What a sync group promises: no member serves for long while another does not, all members agree when nothing has been wrong
 * for a while, and the group's own hook hears each of its states once and in order.
 */
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { Scene } from "./scene.ts";
import type { Track } from "./tracks.ts";

/** One wake-up of the keeper brings all members along; its reports come in one batch. */
const TOGETHER = 50_000;

interface GroupTrack {
  state: VrrpStateName;
  due: string[];
  /** Since when members have been of different minds; null while they agree. */
  tornAt: number | null;
}

export class Groups {
  readonly #world: Scene;
  readonly #tracks: readonly (readonly Track[])[];
  readonly #groups: GroupTrack[];

  constructor(world: Scene, tracks: readonly (readonly Track[])[]) {
    this.#world = world;
    this.#tracks = tracks;
    this.#groups = tracks.map(() => ({ state: "INIT", due: [], tornAt: null }));
  }

  keeperStarted(node: number): void {
    const group = this.#groups[node];
    if (group !== undefined) group.state = "INIT";
  }

  daemonGone(node: number): void {
    const group = this.#groups[node];
    if (group !== undefined) group.due = [];
  }

  entered(node: number, from: VrrpStateName, to: VrrpStateName): void {
    const group = this.#groups[node];
    if (group === undefined) return;
    if (group.state !== from) this.#fail(node, `left ${from}, but was in ${group.state}`);
    group.state = to;
    group.due.push(to);
  }

  told(node: number, state: string): void {
    const due = this.#groups[node]?.due.shift();
    if (due !== state) this.#fail(node, `notify says ${state}, the next state to tell is ${due ?? "none"}`);
  }

  check(): void {
    for (const [node, own] of this.#tracks.entries()) {
      const group = this.#groups[node];
      if (group === undefined || (own[0]?.config.syncGroup ?? null) === null) continue;
      if (!isTorn(own) || !this.#world.host(node).serving) group.tornAt = null;
      else group.tornAt ??= this.#world.now;
      const clean = this.#world.disturbances.nodeCleanSince(node);
      if (group.tornAt === null || this.#world.now - Math.max(group.tornAt, clean) < TOGETHER) continue;
      const phases = own.map((track) => `${track.config.name} ${track.phase}`).join(", ");
      this.#fail(node, `its members disagree: ${phases}`);
    }
  }

  #fail(node: number, text: string): void {
    this.#world.fail({ rule: "sync-group", text: `node ${node + 1}: ${text}` });
  }
}

/** One serves, and another does not and is not on its way. */
function isTorn(own: readonly Track[]): boolean {
  const phases = own.map((track) => track.phase);
  const serves = phases.some((phase) => phase === "MASTER");
  return serves && phases.some((phase) => phase === "BACKUP" || phase === "FAULT" || phase === "INIT");
}
