/** Text from outside in one line: what would begin another line, or steer a terminal, becomes a dot. */
export function printable(text: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    out += (code < 32 && char !== "\t") || (code >= 127 && code < 160) ? "." : char;
  }
  return out;
}
