/**
 * The text format of Prometheus (version 0.0.4): families with help, type and samples. Owns escaping and order; knows nothing of
 * what is measured.
 */
export interface Sample {
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export interface Family {
  /** Without the prefix `holdfast_`. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  /** One sentence; it is the metric's line in docs/metrics.md, too. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

export type Metric = readonly [name: string, help: string, samples: readonly Sample[]];

export const gauge = ([name, help, samples]: Metric): Family => ({ name, type: "gauge", help, samples });
export const counter = ([name, help, samples]: Metric): Family => ({ name, type: "counter", help, samples });
export const flag = (value: boolean): number => (value ? 1 : 0);

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const PREFIX = "holdfast_";

/** Families without a sample keep their help and type: a dashboard sees that they exist. */
export function render(families: readonly Family[]): string {
  return families.map(renderFamily).join("");
}

function renderFamily({ name, type, help, samples }: Family): string {
  const full = `${PREFIX}${name}`;
  const lines = samples.map(({ labels, value }) => `${full}${renderLabels(labels ?? {})} ${number(value)}\n`);
  return `# HELP ${full} ${escapeHelp(help)}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}

function renderLabels(labels: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(String(value))}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
