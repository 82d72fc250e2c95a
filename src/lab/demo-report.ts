/** What the demonstration prints: plain lines when piped, a little colour in a terminal. It decides nothing else. */
import { styleText } from "node:util";

export interface FaultReport {
  readonly from: string;
  readonly to: string;
  /** Milliseconds after the fault; null when it was not seen. */
  readonly detected: number | null;
  readonly released: number | null;
  readonly claimed: number | null;
  readonly firstWrite: number;
  /** From the last write acknowledged by the old writer to the first by the new one. */
  readonly outage: number;
}

export interface Summary {
  readonly faults: readonly FaultReport[];
  readonly attempted: number;
  readonly acknowledged: number;
  readonly servers: readonly { readonly host: string; readonly rows: number; readonly missing: readonly number[] }[];
  readonly probes: number;
  readonly answered: number;
  readonly answeredTwice: number;
}

type Style = "bold" | "green" | "red";

const coloured = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const paint = (style: Style, text: string): string => (coloured ? styleText(style, text) : text);

export function heading(text: string): void {
  process.stdout.write(`\n${paint("bold", text)}\n`);
}

export function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

export const passed = (text: string): void => say(paint("green", `PASSED: ${text}`));
export const failed = (text: string): void => say(paint("red", `FAILED: ${text}`));

const column = (value: number | null): string => (value === null ? "-" : `${value.toFixed(0)} ms`).padStart(9);

export function showFault(report: FaultReport): void {
  const step = (name: string, value: number | null, meaning: string) =>
    say(`${column(value)}  ${name.padEnd(12)} ${meaning}`);
  say(`${"0 ms".padStart(9)}  fault`);
  step("detected", report.detected, "a daemon noticed");
  step("released", report.released, `${report.from} no longer has the address`);
  step("claimed", report.claimed, `${report.to} has the address, its database is ready`);
  step("first write", report.firstWrite, `acknowledged by ${report.to}`);
}

/** True when nothing acknowledged is missing and never two hosts answered. */
export function showSummary(summary: Summary): boolean {
  const problems: string[] = [];
  say(`writes attempted            ${summary.attempted}`);
  say(`acknowledged to the client  ${summary.acknowledged}`);
  for (const server of summary.servers) {
    say(`rows on ${server.host.padEnd(19)} ${server.rows}, acknowledged writes missing: ${server.missing.length}`);
    if (server.missing.length > 0) {
      problems.push(`${server.host} lacks acknowledged writes: ${server.missing.slice(0, 10).join(", ")}`);
    }
  }
  const longest = summary.faults.map((fault) => `${fault.outage.toFixed(0)} ms`).join(", ");
  say(`writes were interrupted for ${longest}`);
  say(`asked ${summary.probes} times who has the address: two hosts answered ${summary.answeredTwice} times`);
  if (summary.acknowledged === 0) problems.push("no write was acknowledged");
  if (summary.answered === 0) problems.push("the observer never got an answer, so it proves nothing");
  if (summary.answeredTwice > 0) problems.push(`two hosts answered for the address in ${summary.answeredTwice} probes`);
  for (const problem of problems) failed(problem);
  if (problems.length === 0) passed("every acknowledged write is on both servers, and never two hosts answered");
  return problems.length === 0;
}
