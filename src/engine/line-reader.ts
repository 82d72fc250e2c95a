/** Cuts a stream of text into lines. A line that never ends is an error of the other side, not a reason to fill our memory. */
export const LINE_LIMIT = 16 * 1024 * 1024;

export interface LineReader {
  /** Returns false when the limit is passed; nothing more is read then. */
  push(text: string): boolean;
}

export function createLineReader(onLine: (line: string) => void): LineReader {
  let rest = "";
  let broken = false;
  return {
    push(text) {
      if (broken) return false;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") onLine(line);
      broken = rest.length > LINE_LIMIT;
      return !broken;
    },
  };
}
