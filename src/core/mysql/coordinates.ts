/** File and offset in a binary log, and their order. Names are compared as numbers: "bin.999999" is before "bin.1000000". */

export interface Coordinates {
  readonly file: string;
  readonly offset: number;
}

/** Null when a server has no binary log or does not say. */
export function coordinates(file: string | null | undefined, offset: string | null | undefined): Coordinates | null {
  if (file === null || file === undefined || file === "" || !/^\d{1,16}$/.test(offset ?? "")) return null;
  return { file, offset: Number(offset) };
}

/** Whether `held` is at or behind `wanted`; null when the files are not of one series, so that nothing follows. */
export function reaches(held: Coordinates, wanted: Coordinates): boolean | null {
  const [one, other] = [series(held.file), series(wanted.file)];
  if (one === null || other === null || one.name !== other.name) return null;
  return one.number === other.number ? held.offset >= wanted.offset : one.number > other.number;
}

function series(file: string): { readonly name: string; readonly number: number } | null {
  const match = /^(.*)\.(\d{1,15})$/.exec(file);
  return match === null ? null : { name: match[1] ?? "", number: Number(match[2]) };
}

export const coordinatesInWords = ({ file, offset }: Coordinates): string => `${file}:${offset}`;
