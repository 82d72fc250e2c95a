/**
 * Text that remembers where each character stood in its source line, so that a diagnostic still points at the right
 * column after comments, definitions and loops have been worked into the line. Owns slicing and joining, nothing else.
 */
export interface Mapped {
  readonly text: string;
  /** Column of each character, counted from 1; one longer than the text, the last entry is the end. */
  readonly columns: readonly number[];
}

/** A piece of a source line that starts at the given column. */
export function mapped(text: string, column = 1): Mapped {
  const columns: number[] = [];
  for (let index = 0; index <= text.length; index++) columns.push(column + index);
  return { text, columns };
}

/** Text that did not stand in the file: every character points at the place that brought it in. */
export function inserted(text: string, column: number): Mapped {
  return { text, columns: new Array<number>(text.length + 1).fill(column) };
}

export function slice(source: Mapped, start: number, end: number = source.text.length): Mapped {
  if (start === 0 && end === source.text.length) return source;
  return { text: source.text.slice(start, end), columns: source.columns.slice(start, end + 1) };
}

export function join(parts: readonly Mapped[]): Mapped {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  let text = "";
  const columns: number[] = [];
  for (const part of parts) {
    text += part.text;
    for (let index = 0; index < part.text.length; index++) columns.push(part.columns[index] ?? 1);
  }
  columns.push(parts.at(-1)?.columns.at(-1) ?? 1);
  return { text, columns };
}

export function trim(source: Mapped): Mapped {
  const start = source.text.length - source.text.trimStart().length;
  return slice(source, start, Math.max(start, source.text.trimEnd().length));
}

export function columnAt(source: Mapped, index: number): number {
  return source.columns[Math.min(index, source.columns.length - 1)] ?? 1;
}
