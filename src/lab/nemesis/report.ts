/** A run as data and as one page: what was done, what came of it, and the story of each violation. */
import type { DaemonKind } from "../daemon.ts";
import {
  asideWrites,
  type Evidence,
  goneWrites,
  judge,
  type Moment,
  recoveries,
  timeline,
  type Violation,
} from "./judgement.ts";
import type { StoreKind } from "./store.ts";
import type { DatabaseName } from "./subject.ts";

export interface RunIdentity {
  readonly database: DatabaseName;
  readonly daemon: DaemonKind;
  readonly seed: number;
  readonly minutes: number;
  readonly store: StoreKind;
}

/** Before and after a violation. */
const BEFORE_MS = 15_000;
const AFTER_MS = 8_000;
const MOMENTS = 60;
/** As many as a page has room for; the rest are in the data. */
const TOLD = 12;

export interface NemesisReport extends RunIdentity {
  readonly command: string;
  readonly began: string;
  readonly seconds: number;
  readonly faults: readonly {
    readonly kind: string;
    readonly target: string;
    readonly at: number;
    readonly lasted: number;
    readonly interruptedMs: number;
    readonly recoveredMs: number | null;
  }[];
  readonly writes: {
    readonly attempted: number;
    readonly acknowledged: number;
    readonly inCopyOnly: number;
    readonly gone: number;
  };
  readonly probes: { readonly asked: number; readonly answered: number; readonly answeredTwice: number };
  readonly recovery: { readonly medianMs: number | null; readonly maxMs: number | null };
  readonly violations: readonly {
    readonly kind: string;
    readonly text: string;
    readonly from: number;
    readonly to: number;
    readonly timeline: readonly string[];
  }[];
}

const seconds = (ms: number): number => Math.round(ms) / 1_000;

export function reportOf(identity: RunIdentity, evidence: Evidence): NemesisReport {
  const { database, daemon, seed, minutes, store } = identity;
  const { span, writes, probes } = evidence;
  const recovered = recoveries(evidence);
  const times = recovered
    .flatMap(({ recoveredMs }) => (recoveredMs === null ? [] : [recoveredMs]))
    .sort((a, b) => a - b);
  const moments = timeline(evidence);
  return {
    ...identity,
    command: `script/nemesis ${database} --minutes ${minutes} --seed ${seed}${daemon === "holdfast" ? "" : ` --daemon ${daemon}`}${store === "none" ? "" : ` --store ${store}`}`,
    began: new Date(span.from).toISOString(),
    seconds: seconds(span.to - span.from),
    faults: recovered.map(({ fault, interruptedMs, recoveredMs }) => ({
      kind: fault.kind,
      target: fault.target,
      at: seconds(fault.struckAt - span.from),
      lasted: seconds(fault.healedAt - fault.struckAt),
      interruptedMs: Math.round(interruptedMs),
      recoveredMs: recoveredMs === null ? null : Math.round(recoveredMs),
    })),
    writes: {
      attempted: writes.length,
      acknowledged: writes.filter(({ ok }) => ok).length,
      inCopyOnly: asideWrites(evidence).length,
      gone: goneWrites(evidence).length,
    },
    probes: {
      asked: probes.length,
      answered: probes.filter(({ macs }) => macs.length > 0).length,
      answeredTwice: probes.filter(({ macs }) => macs.length > 1).length,
    },
    recovery: { medianMs: rounded(times[Math.floor(times.length / 2)]), maxMs: rounded(times.at(-1)) },
    violations: judge(evidence).map((violation) => ({
      kind: violation.kind,
      text: violation.text,
      from: seconds(violation.span.from - span.from),
      to: seconds(violation.span.to - span.from),
      timeline: storyOf(violation, moments, span.from),
    })),
  };
}

const rounded = (value: number | undefined): number | null => (value === undefined ? null : Math.round(value));

function storyOf({ span }: Violation, moments: readonly Moment[], began: number): readonly string[] {
  const near = moments.filter(({ at }) => at >= span.from - BEFORE_MS && at <= span.to + AFTER_MS);
  const lines = near.map(
    ({ at, text }) => `${((at - began) / 1_000).toFixed(3).padStart(9)} s  ${text.split("\n")[0]}`,
  );
  return lines.length <= MOMENTS ? lines : [...lines.slice(0, MOMENTS / 2), "...", ...lines.slice(-MOMENTS / 2)];
}

export function pageOf(report: NemesisReport): string {
  const { writes, probes, recovery, violations } = report;
  const daemon = report.daemon === "holdfast" ? "Holdfast" : "keepalived with scripts";
  const time = (ms: number | null): string => (ms === null ? "-" : `${ms} ms`);
  const lines = [
    `# Nemesis: ${report.database} under ${daemon}${report.store === "none" ? "" : ` with ${report.store === "etcd" ? "an etcd" : "a witness"}`}, seed ${report.seed}`,
    "",
    `${"```"}\n${report.command}\n${"```"}`,
    "",
    `${report.began}, ${report.seconds.toFixed(0)} s, ${report.faults.length} faults. **${violations.length === 0 ? "No violation." : `${violations.length} ${violations.length === 1 ? "violation" : "violations"}.`}**`,
    "",
    "| what | count |",
    "| --- | --- |",
    `| writes tried | ${writes.attempted} |`,
    `| acknowledged | ${writes.acknowledged} |`,
    `| of these at the end only in a copy | ${writes.inCopyOnly} |`,
    `| of these gone | ${writes.gone} |`,
    `| ARP probes, answered, answered by two | ${probes.asked}, ${probes.answered}, ${probes.answeredTwice} |`,
    `| from a heal to the next acknowledged write, median and longest | ${time(recovery.medianMs)}, ${time(recovery.maxMs)} |`,
    "",
    "| kind of fault | times | longest time without a write | longest time from heal to write |",
    "| --- | --- | --- | --- |",
    ...kindRows(report),
    "",
    ...violations
      .slice(0, TOLD)
      .flatMap((it, index) => [
        `## ${index + 1}. ${it.kind}: ${it.text.split("\n")[0]}`,
        "",
        `From ${it.from.toFixed(1)} s to ${it.to.toFixed(1)} s:`,
        "",
        "```",
        ...it.timeline,
        "```",
        "",
      ]),
    ...(violations.length > TOLD ? [`And ${violations.length - TOLD} more, in the JSON file.`, ""] : []),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function kindRows({ faults }: NemesisReport): readonly string[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const those = faults.filter((fault) => fault.kind === kind);
    const longest = Math.max(...those.map(({ interruptedMs }) => interruptedMs));
    const recovered = those.flatMap(({ recoveredMs }) => (recoveredMs === null ? [] : [recoveredMs]));
    const slowest = recovered.length === 0 ? "-" : `${Math.max(...recovered)} ms`;
    return `| ${kind} | ${those.length} | ${longest} ms | ${slowest} |`;
  });
}
