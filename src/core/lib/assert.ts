/** Assertions stay on in production: a process in an impossible state must die, its supervisor cleans up behind it. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}

/** Ends a switch over a closed union; a forgotten member is a compile error. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
