/** Whether two settings mean the same. Places in the file do not count: a moved line is no change. */

export const withoutSpans = (value: unknown): string =>
  JSON.stringify(value, (key, inner) => (key === "span" ? undefined : inner));

/** For plain data made by the same code, as sameValue. */
export const sameSettings = (one: unknown, other: unknown): boolean => withoutSpans(one) === withoutSpans(other);
