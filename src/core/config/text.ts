/**
 * Text that remembers where each character stood in its source line, so that a diagnostic still points at the right
 * column after comments, definitions and loops have been worked into the line. Owns slicing and joining, nothing else.
 * Nearly every piece stands in its line as it is: that one knows its first column only.
 */
export interface Mapped {
  readonly text: string;
  /**
   * A number: the first character's column, counted from 1, the others follow it. Otherwise the column of each character; one longer than
   * the text, the last entry is the end.
   */
  readonly columns: number | readonly number[];
}

/** A piece of a source line that starts at the given column. */
export function mapped(text: string, column = 1): Mapped {
  return { text, columns: column };
}

/** Text that did not stand in the file: every character points at the place that brought it in. */
export function inserted(text: string, column: number): Mapped {
  return { text, columns: new Array<number>(text.length + 1).fill(column) };
}

export function slice(source: Mapped, start: number, end: number = source.text.length): Mapped {
  if (start === 0 && end === source.text.length) return source;
  const { columns } = source;
  const text = source.text.slice(start, end);
  return { text, columns: typeof columns === "number" ? columns + start : columns.slice(start, end + 1) };
}

export function join(parts: readonly Mapped[]): Mapped {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  let text = "";
  const columns: number[] = [];
  for (const part of parts) {
    text += part.text;
    for (let index = 0; index < part.text.length; index++) columns.push(columnAt(part, index));
  }
  const last = parts.at(-1);
  columns.push(last === undefined ? 1 : columnAt(last, last.text.length));
  return { text, columns };
}

/** isspace(3) in the C locale: to keepalived a no-break space or a byte order mark is a letter like any other. */
export function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n" || char === "\v" || char === "\f";
}

/** The same of the character at an index: space, or tab to carriage return. */
export function isBlankAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

export function trim(source: Mapped): Mapped {
  const { text } = source;
  let start = 0;
  while (start < text.length && isBlankAt(text, start)) start++;
  let end = text.length;
  while (end > start && isBlankAt(text, end - 1)) end--;
  return slice(source, start, end);
}

export function columnAt({ text, columns }: Mapped, index: number): number {
  if (typeof columns === "number") return columns + Math.min(index, text.length);
  return columns[Math.min(index, columns.length - 1)] ?? 1;
}
