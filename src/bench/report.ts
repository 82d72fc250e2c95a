/** Results as DESIGN's JSON objects and as a table. Medians, because a shared machine's maxima are the machine's. */

export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface CaseResult {
  readonly bench: string;
  readonly case: string;
  readonly unit: string;
  readonly n: number;
  readonly holdfast: Sample;
  readonly peer: (Sample & { readonly name: string; readonly version: string }) | null;
  /** Holdfast's median divided by the peer's. */
  readonly ratio: number | null;
  readonly note?: string;
}

export function summarise(values: readonly number[]): Sample {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median: round(median), min: round(sorted[0] ?? Number.NaN), max: round(sorted.at(-1) ?? Number.NaN) };
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

export interface PeerIdentity {
  readonly name: string;
  readonly version: string;
}

export interface Measurements {
  readonly case: string;
  readonly unit: string;
  readonly holdfast: readonly number[];
  readonly peer: readonly number[];
  /** Whose the values of the peer are, where not the bench's usual one's. */
  readonly identity?: PeerIdentity;
  readonly note?: string;
}

export function toResult(bench: string, identity: PeerIdentity, measured: Measurements): CaseResult {
  const holdfast = summarise(measured.holdfast);
  const peer = measured.peer.length === 0 ? null : summarise(measured.peer);
  return {
    bench,
    case: measured.case,
    unit: measured.unit,
    n: measured.holdfast.length,
    holdfast,
    peer: peer === null ? null : { ...(measured.identity ?? identity), ...peer },
    ratio: peer === null || peer.median === 0 ? null : round(holdfast.median / peer.median),
    ...(measured.note === undefined ? {} : { note: measured.note }),
  };
}

export function renderTable(results: readonly CaseResult[]): string {
  const rows = results.map((result) => [
    result.case,
    result.unit,
    String(result.n),
    cell(result.holdfast),
    result.peer === null ? "-" : `${markOf(result.peer.name)}${cell(result.peer)}`,
    result.ratio === null ? "-" : String(result.ratio),
  ]);
  const table = [["case", "unit", "n", "holdfast", "peer", "ratio"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const notes = results.filter((result) => result.note !== undefined).map((result) => `${result.case}: ${result.note}`);
  return [...lines, ...notes].join("\n");
}

/** In a table of several peers. */
const markOf = (name: string): string => (name === "Redis Sentinel" ? `${name} ` : "");

const cell = (sample: Sample): string => `${sample.median} (${sample.min}-${sample.max})`;

/** The lines that --json printed, from one run or several. */
export function parseResults(text: string): readonly CaseResult[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as CaseResult);
}

export function renderMarkdown(results: readonly CaseResult[]): string {
  const rows = results.map(({ case: name, unit, n, holdfast, peer, ratio }) =>
    [
      name,
      unit,
      String(n),
      cell(holdfast),
      peer === null ? "-" : `${markOf(peer.name)}${cell(peer)}`,
      ratio === null ? "-" : String(ratio),
    ].join(" | "),
  );
  const heads = [
    "case | unit | n | Holdfast: median (min-max) | keepalived: median (min-max) | ratio",
    "--- | --- | --- | --- | --- | ---",
  ];
  return `${[...heads, ...rows].map((row) => `| ${row} |`).join("\n")}\n`;
}
