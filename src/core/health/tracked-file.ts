/** The number in a tracked file. Reading the file and noticing its changes is the file engine's work. */

/** keepalived's limits: more would mean FAULT anyway, or nothing. */
const LARGEST = 254;

/** As strtol(3) with base 0 reads it: the number at the beginning, decimal, 0x or octal, -254 to 254; else 0. */
export function fileValue(text: string | null): number {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text ?? "");
  if (match === null) return 0;
  const digits = match[2] ?? "0";
  const octal = digits.length > 1 && /^0[0-7]+$/.test(digits);
  const size = octal ? Number.parseInt(digits, 8) : Number(digits);
  const value = match[1] === "-" ? -size : size;
  return Math.max(-LARGEST, Math.min(LARGEST, value)) + 0;
}
