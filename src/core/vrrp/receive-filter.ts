/**
 * The socket filter of a receiving socket: which packets the kernel may throw away without waking anybody. Two tightnesses: `open` drops
 * what is for no virtual router of ours, so that everything said to one of ours is counted and explained; `shut`, for the time of a
 * flood, also drops a wrong version, a wrong length and, where the peers are known and their source is checked, strangers.
 *
 * It only ever drops what validate() would refuse as well. Attaching is linux's, deciding when to shut is engine's.
 */
import {
  add,
  addIndex,
  assemble,
  FILTER_STEPS_MAX,
  type FilterLine,
  type FilterStep,
  indexFrom,
  indexPastIpv4Header,
  loadByteIndexed,
  loadHalf,
  loadLength,
  loadWord,
  NETWORK_HEADER,
  shiftLeft,
  shiftRight,
  store,
  subtract,
  take,
} from "../bytes/bpf.ts";
import { PADDED_LENGTH } from "./message.ts";

/** What one virtual router may be told; those alike share the steps that look at it. */
export interface ExpectedAdvert {
  readonly virtualRouterId: number;
  readonly version: 2 | 3;
  /** Bytes behind the addresses: 8 of authentication in version 2 over IPv4, 0 elsewhere. */
  readonly tail: number;
  /** Bytes that an extension may add behind them; null when nothing may follow. */
  readonly trailer: number | null;
  /** Sources that are believed, as bytes in network order; null when the source is not checked here. */
  readonly sources: readonly Uint8Array[] | null;
}

export interface ReceiveFilterOptions {
  readonly family: 4 | 6;
  /** Bytes between the IP header and the VRRP message: 24 for an authentication header, else 0. */
  readonly offset: number;
  readonly tightness: "open" | "shut";
  /** Lets virtual routers through that are not ours, to be named in the log. */
  readonly unknownToo: boolean;
}

const EVERYTHING = 0xffff_ffff;
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;
const EXPECTED_CELL = 0;

/** Null when no program says it in the space the kernel allows; the caller then lets everything in. */
export function receiveFilter(
  expected: readonly ExpectedAdvert[],
  options: ReceiveFilterOptions,
): readonly FilterStep[] | null {
  const groups = groupAlike(expected, options.tightness);
  const lines: FilterLine[] = [...entry(options)];
  for (const [number, group] of groups.entries()) lines.push(...chooseGroup(group, `group${number}`));
  lines.push(options.unknownToo && options.tightness === "open" ? take(EVERYTHING) : take(0));
  for (const [number, group] of groups.entries()) {
    lines.push({ label: `group${number}` });
    if (options.tightness === "shut") lines.push(...inspect(group[0] as ExpectedAdvert, options, `group${number}`));
    lines.push(take(EVERYTHING), { label: `drop-group${number}` }, take(0));
  }
  const program = assemble(lines);
  return program.length > FILTER_STEPS_MAX ? null : program;
}

/** Index register on the VRRP message, accumulator its virtual router id. A raw IPv6 socket sees no IP header. */
function entry({ family, offset }: ReceiveFilterOptions): readonly FilterLine[] {
  const index = family === 4 ? indexPastIpv4Header(0) : indexFrom(EXPECTED_CELL);
  // A cell that nobody wrote is refused by the kernel's checker.
  const zero: readonly FilterLine[] = family === 4 ? [] : [loadLength(), shiftRight(31), store(EXPECTED_CELL)];
  return [...zero, index, loadByteIndexed(offset + 1)];
}

function groupAlike(
  expected: readonly ExpectedAdvert[],
  tightness: "open" | "shut",
): readonly (readonly ExpectedAdvert[])[] {
  if (expected.length === 0) return [];
  if (tightness === "open") return [expected];
  const groups = new Map<string, ExpectedAdvert[]>();
  for (const advert of expected) {
    const key = `${advert.version} ${advert.tail} ${advert.trailer} ${advert.sources?.map(String).join(" ") ?? "any"}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [advert]);
    else group.push(advert);
  }
  return [...groups.values()];
}

/** Jumps to the group when the accumulator is one of its virtual router ids; neighbouring numbers cost one pair of comparisons. */
function chooseGroup(group: readonly ExpectedAdvert[], label: string): readonly FilterLine[] {
  const ids = [...new Set(group.map(({ virtualRouterId }) => virtualRouterId))].sort((a, b) => a - b);
  const lines: FilterLine[] = [];
  for (let at = 0; at < ids.length; ) {
    const low = ids[at] as number;
    let high = low;
    for (at++; at < ids.length && ids[at] === high + 1; at++) high++;
    if (low === high) {
      lines.push({ goto: label, when: "equal", value: low });
      continue;
    }
    const beyond = `${label}-${low}`;
    lines.push({ goto: `${beyond}-from`, when: "not-less", value: low });
    lines.push({ goto: `${beyond}-no`, when: "always" }, { label: `${beyond}-from` });
    lines.push({ goto: `${beyond}-no`, when: "greater", value: high });
    lines.push({ goto: label, when: "always" }, { label: `${beyond}-no` });
  }
  return lines;
}

/** Version, length and source of one group; falls through when all is well. */
function inspect(
  { version, tail, trailer, sources }: ExpectedAdvert,
  { family, offset }: ReceiveFilterOptions,
  label: string,
): readonly FilterLine[] {
  const drop = { goto: `drop-${label}`, when: "always" } as const;
  const lines: FilterLine[] = [
    loadByteIndexed(offset),
    shiftRight(4),
    { goto: `${label}-version`, when: "equal", value: version },
    drop,
    { label: `${label}-version` },
    loadByteIndexed(offset + 3),
    shiftLeft(family === 4 ? 2 : 4),
    add(offset + 8 + tail),
    addIndex(),
    store(EXPECTED_CELL),
  ];
  if (sources !== null) lines.push(...fromOneOf(sources, family, label), drop, { label: `${label}-source` });
  lines.push(indexFrom(EXPECTED_CELL), family === 4 ? loadHalf(2) : loadLength());
  const right = `${label}-length`;
  if (family === 4) lines.push({ goto: right, when: "equal", value: PADDED_LENGTH });
  lines.push({ goto: right, when: "equals-index" });
  if (trailer !== null) lines.push(subtract(trailer), { goto: right, when: "equals-index" });
  lines.push(drop, { label: right });
  return lines;
}

function fromOneOf(sources: readonly Uint8Array[], family: 4 | 6, label: string): readonly FilterLine[] {
  const words = family === 4 ? 1 : 4;
  const start = family === 4 ? NETWORK_HEADER + IPV4_SOURCE : NETWORK_HEADER + IPV6_SOURCE;
  return sources.flatMap((source, number) => {
    const lines: FilterLine[] = [];
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    for (let word = 0; word < words; word++) {
      const same = `${label}-source${number}-${word}`;
      const last = word === words - 1;
      lines.push(loadWord(start + 4 * word));
      lines.push({ goto: last ? `${label}-source` : same, when: "equal", value: view.getUint32(4 * word) });
      if (!last) lines.push({ goto: `${label}-not${number}`, when: "always" }, { label: same });
    }
    lines.push({ label: `${label}-not${number}` });
    return lines;
  });
}
