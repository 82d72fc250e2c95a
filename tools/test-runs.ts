/*
 * How far a test searches: as far as an ordinary run has time for, or, under `script/test --full`, as far as a release needs.
 * Used by tests only; what a search looks for stays beside the code.
 */

const FULL = process.env.HOLDFAST_FULL === "1";

/** The first number ordinarily, the second with --full. */
export const runs = (ordinary: number, full: number): number => (FULL ? full : ordinary);

/** The time a search may take, in milliseconds: a bound against hanging, not a measure. */
export const SEARCH_TIMEOUT = runs(300_000, 45 * 60_000);
