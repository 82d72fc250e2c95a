/**
 * Finds secrets in lines of a configuration and in command lines, by the words before them: `auth_pass X`, `-pX`, `--password=X`,
 * `-a X`, `MYSQL_PWD=X`, `scheme://user:X@host`. Whatever is shown, logged or kept goes through here first. It would rather hide
 * a word too many: `-p` and `-a` mean other things to other programs. It cannot know a secret that nothing announces.
 */

/** What ends right before a secret; lengths are bounded, so that a hostile line costs no more than its length. */
const ANNOUNCED_BY: readonly RegExp[] = [
  // MYSQL_PWD=X, password = X, --auth=X
  /(?<![\w-])[\w-]{0,40}?(?:pass|pwd|secret|token|auth|key)[\w-]{0,40}\s*=\s*/gi,
  // --password X, --pass X, --auth X
  /(?<![\w-])-[\w-]{0,40}?(?:pass|pwd|secret|token|auth)[\w-]{0,40}\s+/gi,
  // mysql -pX
  /(?<![\w-])-p(?=\S)/g,
  // sshpass -p X; a number alone is a port
  /(?<![\w-])-p\s+(?!\d{1,5}(?:[\s"']|$))/g,
  // redis-cli -a X
  /(?<![\w-])-a\s+/g,
  // curl -u NAME:X
  /(?<![\w-])(?:-u|--user)[\s=]*[^\s:"']{1,80}:/g,
  // mysql://NAME:X@host
  /:\/\/[^\s/:@]{0,80}:(?=[^\s@]{1,200}@)/g,
];

/** Keywords after which the whole rest of the line is secret, also misspelt ones. */
const REST_IS_SECRET = /\b(?:auth_p\w*|pass|passwd|password|passphrase|requirepass|masterauth|key|secret)\s+/;

/** `key 1 file:/etc/keepalived/keys/vrrp51` of auth_hmac: where a secret stands is none, and is what has to be mended. */
const KEY_FILE = /\d{1,3}\s+file:\/[\w./-]*(?=\s|$)/y;

/** One word as shells and keepalived read it, quotes included; a quotation mark that is never closed reaches to the end. */
const WORD = /(?:\\(["'])(?:(?!\\\1).)*\\\1|"[^"]*(?:"|$)|'[^']*(?:'|$)|\\(?:.|$)|[^\s"'\\])+/y;

interface Range {
  readonly from: number;
  readonly to: number;
}

function secretRanges(line: string): readonly Range[] {
  const ranges: Range[] = [];
  for (const announced of ANNOUNCED_BY) {
    let hidden = 0;
    for (const match of line.matchAll(announced)) {
      const from = match.index + match[0].length;
      // Inside a secret already: nothing new, and a hostile line would be read over and over.
      if (from < hidden) continue;
      WORD.lastIndex = from;
      if (!WORD.test(line)) continue;
      hidden = WORD.lastIndex;
      ranges.push({ from, to: hidden });
    }
  }
  const rest = REST_IS_SECRET.exec(line);
  if (rest !== null) {
    const from = rest.index + rest[0].length;
    KEY_FILE.lastIndex = from;
    ranges.push({ from: KEY_FILE.test(line) ? KEY_FILE.lastIndex : from, to: line.length });
  }
  return ranges.sort((one, other) => one.from - other.from);
}

/** The line with its secrets as asterisks; the columns stay. */
export function maskSecrets(line: string): string {
  let shown = "";
  for (const { from, to } of secretRanges(line)) {
    if (to <= shown.length) continue;
    const start = Math.max(from, shown.length);
    shown += line.slice(shown.length, start) + line.slice(start, to).replace(/\S/g, "*");
  }
  return shown + line.slice(shown.length);
}

const TOKEN = /[\p{L}\p{N}_]+/gu;

/** The words that the secrets of these lines are made of. */
export function secretTokens(lines: readonly string[]): ReadonlySet<string> {
  const tokens = new Set<string>();
  for (const line of lines) {
    for (const { from, to } of secretRanges(line)) {
      for (const [token] of line.slice(from, to).matchAll(TOKEN)) tokens.add(token);
    }
  }
  return tokens;
}

/** A text that may quote those lines, without their secrets. */
export function hideTokens(text: string, tokens: ReadonlySet<string>): string {
  return tokens.size === 0 ? text : text.replace(TOKEN, (token) => (tokens.has(token) ? "***" : token));
}
