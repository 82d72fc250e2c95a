/**
 * Remembers what is out of order and since when things are in order again: the invariants grant tolerance only where
 * a fault explains it. Times are true time, microseconds.
 */
/** The longest that bad weather delays a frame. */
export const DELAY_MAX = 1_500_000;

interface NodeBook {
  readonly active: Set<string>;
  changedAt: number;
  calmBefore: number;
}

export class Disturbances {
  readonly #nodes: NodeBook[];
  readonly #pairs = new Map<string, number>();
  #segmentChangedAt = 0;
  #segmentDirty = false;
  #pairsChangedAt = 0;
  readonly #now: () => number;

  constructor(nodes: number, now: () => number) {
    this.#nodes = Array.from({ length: nodes }, () => ({ active: new Set<string>(), changedAt: 0, calmBefore: 0 }));
    this.#now = now;
  }

  /** A fault of one node began or ended. */
  node(node: number, what: string, active: boolean): void {
    this.touch(node);
    const entry = this.#node(node);
    if (active) entry.active.add(what);
    else entry.active.delete(what);
  }

  /** Something happened to a node that is over at once. */
  touch(node: number): void {
    const entry = this.#node(node);
    const now = this.#now();
    if (now > entry.changedAt || entry.active.size > 0)
      entry.calmBefore = entry.active.size > 0 ? 0 : now - entry.changedAt;
    entry.changedAt = now;
  }

  /** How long nothing had been wrong with the node when its last fault began. */
  nodeCalmBefore(node: number): number {
    return this.#node(node).calmBefore;
  }

  /** When anything anywhere last changed. */
  lastChange(): number {
    let last = this.networkChange();
    for (const entry of this.#nodes) if (entry.changedAt > last) last = entry.changedAt;
    return last;
  }

  /** When weather or reachability of the segment last changed. */
  networkChange(): number {
    return Math.max(this.#segmentChangedAt, this.#pairsChangedAt);
  }

  /** The segment as a whole loses, delays or repeats packets, or stops doing so. */
  segment(dirty: boolean): void {
    this.#segmentDirty = dirty;
    // The weather is over when the last frame that it delayed has landed.
    this.#segmentChangedAt = this.#now() + DELAY_MAX;
  }

  /** Reachability between endpoints changed. */
  pair(a: number, b: number): void {
    this.#pairsChangedAt = this.#now();
    this.#pairs.set(key(a, b), this.#pairsChangedAt);
  }

  nodeFaults(node: number): ReadonlySet<string> {
    return this.#node(node).active;
  }

  /** When the node's last fault ended; infinity while one is active. */
  nodeCleanSince(node: number): number {
    const entry = this.#node(node);
    return entry.active.size > 0 ? Number.POSITIVE_INFINITY : entry.changedAt;
  }

  /** When a fault of the node last began or ended. */
  nodeChange(node: number): number {
    return this.#node(node).changedAt;
  }

  segmentCleanSince(): number {
    return this.#segmentDirty ? Number.POSITIVE_INFINITY : this.#segmentChangedAt;
  }

  /** When reachability between the two last changed or the segment became clean; infinity while it is not. */
  linkCleanSince(a: number, b: number): number {
    return Math.max(this.segmentCleanSince(), this.#pairs.get(key(a, b)) ?? 0);
  }

  pairCleanSince(a: number, b: number): number {
    return Math.max(this.linkCleanSince(a, b), this.nodeCleanSince(a), this.nodeCleanSince(b));
  }

  #node(node: number): NodeBook {
    const entry = this.#nodes[node];
    if (entry === undefined) throw new Error(`no node ${node}`);
    return entry;
  }
}

function key(a: number, b: number): string {
  return a < b ? `${a},${b}` : `${b},${a}`;
}
