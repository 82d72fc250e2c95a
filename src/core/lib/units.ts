/**
 * Branded units. A plain number never says whether it is seconds or centiseconds; these types do.
 * Time is counted in microseconds because skew times are multiples of 1/256 s and a double holds them exactly
 * for 285 years.
 */
declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A point on the monotonic clock, in microseconds since an arbitrary origin (CLOCK_MONOTONIC in the daemon). */
export type Instant = Brand<number, "Instant">;

/** A length of time in microseconds; fractions are allowed. */
export type Micros = Brand<number, "Micros">;

export const instant = (micros: number): Instant => micros as Instant;
export const micros = (value: number): Micros => value as Micros;
export const millis = (value: number): Micros => (value * 1_000) as Micros;
export const seconds = (value: number): Micros => (value * 1_000_000) as Micros;
export const centiseconds = (value: number): Micros => (value * 10_000) as Micros;

export const toMillis = (duration: Micros): number => duration / 1_000;
export const toSeconds = (duration: Micros): number => duration / 1_000_000;

export const after = (start: Instant, duration: Micros): Instant => (start + duration) as Instant;
export const elapsed = (from: Instant, to: Instant): Micros => (to - from) as Micros;

/** The earliest of several deadlines; null means "no deadline". */
export function earliest(...deadlines: readonly (Instant | null)[]): Instant | null {
  let first: Instant | null = null;
  for (const deadline of deadlines) {
    if (deadline !== null && (first === null || deadline < first)) first = deadline;
  }
  return first;
}
