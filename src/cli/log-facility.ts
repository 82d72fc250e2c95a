/** `-S`: the facility of syslog(3) by keepalived's spellings. */

/** LOG_DAEMON, keepalived's and our default. */
export const DEFAULT_FACILITY = 3;
const LOG_LOCAL0 = 16;

/** The facility's number; null for a word that names none. */
export function parseFacility(text: string): number | null {
  if (text === "daemon") return DEFAULT_FACILITY;
  if (text === "user") return 1;
  const local = /^(?:local)?([0-7])$/.exec(text)?.[1];
  return local === undefined ? null : LOG_LOCAL0 + Number(local);
}

/** `-u`: a file mode mask as strtol(3) with base 0 reads it, 0 to 0777; null for anything else. */
export function parseUmask(text: string): number | null {
  const value = /^0[0-7]*$/.test(text)
    ? Number.parseInt(text, 8)
    : /^(?:0[xX][0-9a-fA-F]+|[1-9]\d*)$/.test(text)
      ? Number(text)
      : Number.NaN;
  return value >= 0 && value <= 0o777 ? value : null;
}
