/**
 * Equality of plain data: values that could travel as JSON, made by the same code, so that their fields stand in the same order.
 * Not for maps, sets, dates, or objects whose fields come in any order.
 */
export function sameValue(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
