/** Plain columns. Widths are counted in characters without colour; nothing is ever cut silently: a cut ends in "…". */
import type { Style, Terminal } from "./terminal.ts";

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export interface Column {
  readonly title: string;
  /** Longest width; the text is cut beyond it. */
  readonly most?: number;
}

const GAP = "  ";

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Lines of a table; each row may bring lines of detail that stand indented below it. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly { readonly cells: readonly Cell[]; readonly details: readonly Cell[] }[],
  paint: Terminal["paint"],
): string[] {
  const widths = columns.map((column, index) => {
    const longest = Math.max(column.title.length, ...rows.map((row) => row.cells[index]?.text.length ?? 0));
    return Math.min(longest, column.most ?? longest);
  });
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        const text = cut(cell.text, width);
        const padded = index === cells.length - 1 ? text : text.padEnd(width);
        return cell.style === undefined ? padded : paint(cell.style, padded);
      })
      .join(GAP)
      .trimEnd();
  const lines = [line(columns.map((column) => ({ text: column.title, style: "dim" as const })))];
  for (const row of rows) {
    lines.push(line(row.cells));
    for (const detail of row.details) {
      lines.push(detail.style === undefined ? detail.text : paint(detail.style, detail.text));
    }
  }
  return lines;
}

/** Breaks a sentence at spaces; continuation lines are indented by `hang`. */
export function wrap(
  text: string,
  options: { readonly width: number; readonly indent: string; readonly hang?: string },
): string[] {
  const hang = options.hang ?? options.indent;
  const lines: string[] = [];
  let current = options.indent;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && current.length + 1 + word.length > options.width) {
      lines.push(current);
      current = hang;
      empty = true;
    }
    current += empty ? word : ` ${word}`;
    empty = false;
  }
  lines.push(current);
  return lines;
}
