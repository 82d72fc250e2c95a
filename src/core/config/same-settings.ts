/**
 * Whether two settings mean the same. Places in the file (`span`) do not count: a moved line is no change. For plain data, as
 * sameValue; whatever is in order is not looked at twice, because a reload compares all of the configuration.
 */
export function sameSettings(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return Number.isNaN(one) && Number.isNaN(other);
  }
  if (Array.isArray(one) || Array.isArray(other)) return sameList(one, other);
  return sameFields(one as Fields, other as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

function sameList(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((item, index) => sameSettings(item, other[index]));
}

/** A field that is undefined is as good as none. */
function sameFields(one: Fields, other: Fields): boolean {
  for (const key in one) if (key !== "span" && !sameSettings(one[key], other[key])) return false;
  for (const key in other) if (key !== "span" && other[key] !== undefined && one[key] === undefined) return false;
  return true;
}
