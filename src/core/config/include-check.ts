/**
 * What an include must find: the four checks of include_check, the letters of includer, includem, includew, includeb and
 * includea that add to them, and -e, which is all of them (keepalived.conf(5), "include_check"). Judges only; the
 * reader follows the includes.
 */
export interface IncludeChecks {
  /** A file that matches must be readable. The other three include this one. */
  readonly readable: boolean;
  /** A name without wildcards must exist. */
  readonly match: boolean;
  /** A pattern with wildcards must match something. */
  readonly wildcardMatch: boolean;
  /** Each alternative in braces must match. */
  readonly braceMatch: boolean;
}

export const NO_CHECKS: IncludeChecks = { readable: false, match: false, wildcardMatch: false, braceMatch: false };
export const ALL_CHECKS: IncludeChecks = { readable: true, match: true, wildcardMatch: true, braceMatch: true };

/** The letter behind `include`, "" for none. */
const BY_LETTER: Readonly<Record<string, Partial<IncludeChecks>>> = {
  "": {},
  r: { readable: true, match: true },
  m: { readable: true, match: true },
  w: { readable: true, wildcardMatch: true },
  b: { readable: true, match: true, wildcardMatch: true, braceMatch: true },
  a: ALL_CHECKS,
};

export function withLetter(checks: IncludeChecks, letter: string): IncludeChecks {
  const added = BY_LETTER[letter] ?? {};
  return {
    readable: checks.readable || added.readable === true,
    match: checks.match || added.match === true,
    wildcardMatch: checks.wildcardMatch || added.wildcardMatch === true,
    braceMatch: checks.braceMatch || added.braceMatch === true,
  };
}

const NAMES: Readonly<Record<string, keyof IncludeChecks>> = {
  readable: "readable",
  match: "match",
  wildcard_match: "wildcardMatch",
  brace_match: "braceMatch",
};

export const INCLUDE_CHECK_NAMES = Object.keys(NAMES);

export interface ReadChecks {
  readonly checks: IncludeChecks;
  /** Words that name no check. */
  readonly unknown: readonly string[];
}

/** `include_check [[+|-]NAME ...]`: without names all; with a sign the current checks are changed, without one replaced. */
export function readIncludeCheck(words: readonly string[], current: IncludeChecks): ReadChecks {
  if (words.length === 0) return { checks: ALL_CHECKS, unknown: [] };
  const unknown: string[] = [];
  let checks = words.some((word) => /^[+-]/.test(word)) ? current : NO_CHECKS;
  for (const word of words) {
    const name = NAMES[word.replace(/^[+-]/, "")];
    if (name === undefined) unknown.push(word);
    else checks = { ...checks, [name]: !word.startsWith("-") };
  }
  return { checks, unknown };
}

/** Whether a pattern that matches no file is an error. */
export function mustMatch(checks: IncludeChecks, pattern: string): boolean {
  return /[*?[]/.test(pattern) ? checks.wildcardMatch : checks.match || checks.braceMatch;
}

export const mustBeReadable = ({ readable, match, wildcardMatch, braceMatch }: IncludeChecks): boolean =>
  readable || match || wildcardMatch || braceMatch;
