/** What is wrong between the hosts and the store, and with the store as a whole. Microseconds. */
export class StoreWeather {
  readonly #cut = new Map<number, number>();
  /** Members elect a leader: questions are answered that it cannot be done, or by nobody. */
  leader: "there" | "refuses" | "silent" = "there";
  /** Longest extra time of one way. */
  delay = 0;
  /** Shares of the questions: answered out of the past, carried out without an answer, carried out long after they were given up. */
  stale = 0;
  lostAnswers = 0;
  late = 0;

  isCut(node: number): boolean {
    return (this.#cut.get(node) ?? 0) > 0;
  }

  /** Returns the way to mend it. */
  cut(nodes: readonly number[]): () => void {
    this.#count(nodes, 1);
    return () => this.#count(nodes, -1);
  }

  #count(nodes: readonly number[], by: number): void {
    for (const node of nodes) this.#cut.set(node, (this.#cut.get(node) ?? 0) + by);
  }
}
