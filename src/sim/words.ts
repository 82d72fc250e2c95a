/** Puts an event of the engine on one line for the trace. Log wording is describe.ts's; a trace wants every field. */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";

export function sayEvent(body: HoldfastEventBody): string {
  if (body.kind === "vrrp") {
    const { report } = body;
    if (report.kind === "state" || report.kind === "phase") {
      const { code, ...rest } = report.cause;
      const why = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
      return `${body.instance} ${report.from} -> ${report.to}: ${code}${why}`;
    }
    const { kind, ...rest } = report;
    return `${body.instance} ${kind} ${JSON.stringify(rest)}`;
  }
  const { kind, ...rest } = body;
  return `${kind} ${JSON.stringify(rest)}`;
}
