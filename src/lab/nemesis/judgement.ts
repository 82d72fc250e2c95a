/**
 * What a run under faults has come to, from what was seen outside: what applications were told and by which server, who answered ARP, which
 * kernel carried the address, which keys are there at the end. The daemons are not asked. Pure, so that it can be shown to tell.
 *
 * The promise is that of the policy `balanced` (docs/redis.md, docs/mysql.md): nothing acknowledged is gone; what is not on the writer any more
 * is in a copy. Two may answer or write only while a cut lets them, and shortly after (`excuses`); with `quorum_store` never.
 */
import { type FaultKind, type PlannedFault, type Target, wordsOf } from "./plan.ts";

/** A time in Unix milliseconds, to another one. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface DoneFault extends PlannedFault {
  /** Unix milliseconds. */
  readonly struckAt: number;
  readonly healedAt: number;
}

export interface SeenWrite {
  readonly key: string;
  /** The host that the application runs on. */
  readonly client: string;
  readonly start: number;
  readonly end: number;
  readonly ok: boolean;
  /** Whose server answered; null when none did, or an unknown one. */
  readonly member: Target | null;
}

export interface Ending {
  /** Why the pair was not whole in time; null when it was. */
  readonly notWhole: string | null;
  readonly writer: Target | null;
  readonly holders: readonly Target[];
  readonly keys: Readonly<Record<Target, ReadonlySet<string>>>;
  readonly setAside: ReadonlySet<string>;
  /** Who carries the address although no daemon runs any more. */
  readonly left: readonly Target[];
}

export interface Evidence {
  /** The pair has a `quorum_store`: then no cut lets two answer or write. */
  readonly guarded: boolean;
  readonly faults: readonly DoneFault[];
  readonly writes: readonly SeenWrite[];
  readonly probes: readonly { readonly at: number; readonly macs: readonly string[] }[];
  readonly addresses: readonly { readonly at: number; readonly host: string; readonly kind: "added" | "removed" }[];
  /** What else happened: a daemon that ended by itself, a step that failed. */
  readonly remarks: readonly { readonly at: number; readonly text: string; readonly problem: boolean }[];
  readonly span: Span;
  readonly ending: Ending;
}

export type ViolationKind =
  | "gone"
  | "two-answer"
  | "two-write"
  | "orphan"
  | "no-writer"
  | "not-whole"
  | "not-recovered"
  | "by-itself"
  | "unseen";

export interface Violation {
  readonly kind: ViolationKind;
  readonly text: string;
  readonly span: Span;
}

/** Adverts of a second, and what a claim or a closing needs on a busy machine. */
export const SETTLES_MS = 5_000;
/** A writer behind a cut refuses writes after three whole seconds and lets go after five; as in the incidents. */
export const LETS_GO_MS = 10_000;
/** After everything is healed. */
export const RECOVERS_MS = 20_000;
/** Two acknowledgements of one server that are further apart are not one stretch of writing. */
const STRETCH_GAP_MS = 500;
const BURST_GAP_MS = 1_000;

const CUTS_ONE_OFF: readonly FaultKind[] = ["link-down", "link-silent"];
const BETWEEN: readonly FaultKind[] = ["partition", "deaf"];

/** When two may answer or write. */
export function excuses(faults: readonly DoneFault[]): readonly Span[] {
  const spans = faults.flatMap(({ kind, struckAt, healedAt }): readonly Span[] => {
    if (BETWEEN.includes(kind)) return [{ from: struckAt, to: healedAt + SETTLES_MS }];
    if (!CUTS_ONE_OFF.includes(kind)) return [];
    const behind = { from: struckAt, to: Math.min(healedAt, struckAt + LETS_GO_MS) };
    return [behind, { from: healedAt, to: healedAt + SETTLES_MS }];
  });
  return merged(spans, 0);
}

function merged(spans: readonly Span[], gap: number): readonly Span[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last.to + gap) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}

const within = ({ from, to }: Span, spans: readonly Span[]): boolean =>
  spans.some((span) => span.from <= from && to <= span.to);

export interface Stretch extends Span {
  readonly member: Target;
  readonly count: number;
}

/** When that server was certainly taking writes: from the end of the first acknowledged one to the start of the last. */
export function stretches(writes: readonly SeenWrite[], member: Target): readonly Stretch[] {
  const taken = writes.filter((write) => write.ok && write.member === member).sort((a, b) => a.end - b.end);
  const result: { member: Target; from: number; to: number; last: number; count: number }[] = [];
  for (const { start, end } of taken) {
    const current = result.at(-1);
    if (current !== undefined && end - current.last <= STRETCH_GAP_MS) {
      current.last = end;
      current.to = Math.max(current.to, start);
      current.count++;
    } else result.push({ member, from: end, to: end, last: end, count: 1 });
  }
  return result.map(({ last: _, ...stretch }) => stretch);
}

/** Both took writes at the same time, by what was acknowledged. */
export function overlaps(writes: readonly SeenWrite[]): readonly Span[] {
  const [one, two] = [stretches(writes, "db1"), stretches(writes, "db2")];
  return one.flatMap((a) =>
    two.flatMap((b) => {
      const span = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
      return span.to > span.from ? [span] : [];
    }),
  );
}

export function judge(evidence: Evidence): readonly Violation[] {
  const excused = evidence.guarded ? [] : excuses(evidence.faults);
  const violations = [
    ...goneOf(evidence),
    ...twoAnswer(evidence).filter(({ span }) => !within(span, excused)),
    ...twoWrite(evidence).filter(({ span }) => !within(span, excused)),
    ...notRecovered(evidence),
    ...endingOf(evidence),
    ...evidence.remarks.flatMap(({ at, text, problem }): readonly Violation[] =>
      problem ? [{ kind: "by-itself", text, span: { from: at, to: at } }] : [],
    ),
    ...unseen(evidence),
  ];
  return violations.sort((a, b) => a.span.from - b.span.from);
}

/** Acknowledged, and neither on a server nor in a copy. */
export function goneWrites({ writes, ending }: Evidence): readonly SeenWrite[] {
  const places = [ending.keys.db1, ending.keys.db2, ending.setAside];
  return writes.filter(({ ok, key }) => ok && !places.some((keys) => keys.has(key)));
}

/** Acknowledged, and only in a copy. */
export function asideWrites({ writes, ending }: Evidence): readonly SeenWrite[] {
  const { keys, setAside } = ending;
  return writes.filter(({ ok, key }) => ok && !keys.db1.has(key) && !keys.db2.has(key) && setAside.has(key));
}

function goneOf(evidence: Evidence): readonly Violation[] {
  const gone = goneWrites(evidence);
  const bursts = merged(
    gone.map(({ end }) => ({ from: end, to: end })),
    BURST_GAP_MS,
  );
  return bursts.map((span) => {
    const inside = gone.filter(({ end }) => span.from <= end && end <= span.to);
    const takers = [...new Set(inside.map(({ member }) => member ?? "an unknown server"))].join(" and ");
    const keys = inside.slice(0, 3).map(({ key }) => key);
    const text = `${inside.length} writes that ${takers} had acknowledged are on no server and in no copy (${keys.join(", ")}${inside.length > 3 ? ", ..." : ""})`;
    return { kind: "gone", text, span };
  });
}

function twoAnswer({ probes }: Evidence): readonly Violation[] {
  const twice = probes.filter(({ macs }) => macs.length > 1);
  const bursts = merged(
    twice.map(({ at }) => ({ from: at, to: at })),
    BURST_GAP_MS,
  );
  return bursts.map((span) => {
    const count = twice.filter(({ at }) => span.from <= at && at <= span.to).length;
    return { kind: "two-answer", text: `two hosts answered for the address in ${count} probes`, span };
  });
}

function twoWrite({ writes }: Evidence): readonly Violation[] {
  return merged(overlaps(writes), BURST_GAP_MS).map((span) => {
    const time = `${(span.to - span.from).toFixed(0)} ms`;
    return { kind: "two-write", text: `both servers took writes through the address for ${time}`, span };
  });
}

/** Applications in the network; one on a database's host finds an address that nobody else may see. */
const inNetwork = ({ client }: SeenWrite): boolean => client !== "db1" && client !== "db2";

/** For each time without any fault that is long enough: somebody in the network was served soon. */
function notRecovered({ faults, writes, span }: Evidence): readonly Violation[] {
  const active = merged(
    faults.map(({ struckAt, healedAt }) => ({ from: struckAt, to: healedAt })),
    0,
  );
  return active.flatMap(({ to }, index): readonly Violation[] => {
    const calm = { from: to, to: Math.min(active[index + 1]?.from ?? span.to, to + RECOVERS_MS) };
    if (calm.to - calm.from < RECOVERS_MS) return [];
    const served = writes.some(
      (write) => write.ok && inNetwork(write) && write.start >= calm.from && write.end <= calm.to,
    );
    const text = `no application in the network was served within ${RECOVERS_MS / 1_000} s after everything was healed`;
    return served ? [] : [{ kind: "not-recovered", text, span: calm }];
  });
}

function endingOf({ ending, span }: Evidence): readonly Violation[] {
  const at = { from: span.to, to: span.to };
  const { notWhole, writer, holders, left } = ending;
  const found: Violation[] = [];
  if (notWhole !== null)
    found.push({ kind: "not-whole", text: `the pair did not come together: ${notWhole}`, span: at });
  if (writer === null)
    found.push({
      kind: "no-writer",
      text: "at the end there is not one server that takes writes and carries the address",
      span: at,
    });
  const orphans = holders.filter((holder) => holder !== writer);
  if (writer !== null && orphans.length > 0)
    found.push({ kind: "orphan", text: `at the end ${orphans.join(" and ")} carries the address as well`, span: at });
  if (left.length > 0)
    found.push({
      kind: "orphan",
      text: `no daemon runs any more, and ${left.join(" and ")} still carries the address`,
      span: at,
    });
  return found;
}

/** Who saw nothing has proved nothing. */
function unseen({ probes, writes, span }: Evidence): readonly Violation[] {
  const answered = probes.some(({ macs }) => macs.length > 0);
  const served = writes.some((write) => write.ok && inNetwork(write));
  if (answered && served) return [];
  return [
    {
      kind: "unseen",
      text: "nobody was ever seen answering for the address, or taking a write: nothing is proved",
      span,
    },
  ];
}

export interface Recovery {
  readonly fault: DoneFault;
  /** The longest time without an acknowledged write from the fault to the next one. */
  readonly interruptedMs: number;
  /** From the heal to the first write that was acknowledged after it; null when the next fault came first. */
  readonly recoveredMs: number | null;
}

export function recoveries({ faults, writes, span }: Evidence): readonly Recovery[] {
  const served = writes.filter((write) => write.ok && inNetwork(write)).sort((a, b) => a.end - b.end);
  return faults.map((fault, index) => {
    const next = faults[index + 1]?.struckAt ?? span.to;
    const until = Math.max(next, fault.healedAt);
    const moments = [
      fault.struckAt,
      ...served.map(({ end }) => end).filter((end) => end > fault.struckAt && end < until),
      until,
    ];
    const gaps = moments.slice(1).map((at, place) => at - (moments[place] ?? at));
    const first = served.find(({ start, end }) => start >= fault.healedAt && end <= Math.max(next, fault.healedAt + 1));
    return {
      fault,
      interruptedMs: Math.max(...gaps),
      recoveredMs: first === undefined ? null : first.end - fault.healedAt,
    };
  });
}

export interface Moment {
  readonly at: number;
  readonly text: string;
}

/** Everything that was seen or done, in order. */
export function timeline({ faults, addresses, writes, remarks }: Evidence): readonly Moment[] {
  const moments: Moment[] = [
    ...faults.map((fault) => ({ at: fault.struckAt, text: `FAULT ${wordsOf(fault)}` })),
    ...faults.map((fault) => ({ at: fault.healedAt, text: `HEALED ${fault.kind} ${fault.target}` })),
    ...addresses.map(({ at, host, kind }) => ({ at, text: `${host}: the address is ${kind}` })),
    ...remarks,
  ];
  for (const member of ["db1", "db2"] as const) {
    for (const { from, to, count } of stretches(writes, member)) {
      moments.push({ at: from, text: `${member} begins to acknowledge writes` });
      moments.push({ at: to, text: `${member} has acknowledged its last write for now (${count})` });
    }
  }
  return moments.map(({ at, text }) => ({ at, text })).sort((a, b) => a.at - b.at);
}
