/** The form of the page's words, and the choice of the language. Sentences that the daemon makes come in English and are marked so. */
import type { EventEntry, InstanceView, SessionReply } from "../../control/contract/types.ts";
import type { Connection } from "../live.ts";
import { lengthText } from "../model/format.ts";

export type Cause = InstanceView["cause"];
export type Fault = InstanceView["faults"][number];
type Role = SessionReply["role"];
type Text = (value: string) => string;
type Of<Values> = (values: Values) => string;
type Fields<Union, Key extends string, Value> = Extract<Union, Record<Key, Value>>;

/** What changes in meaning on its way: lists of faults are words already, lengths are texts. */
interface CauseFields {
  readonly fault: { readonly faults: string };
  readonly stalled: { readonly length: string };
}
type CauseWords = {
  readonly [Code in Cause["code"]]: Of<
    Code extends keyof CauseFields ? CauseFields[Code] : Fields<Cause, "code", Code>
  >;
};
type LinkFault = Fields<Fault, "kind", "interface">["problem"];
interface FaultFields {
  readonly interface: { readonly name: string; readonly problem: LinkFault };
  readonly "no-source-address": { readonly name: string };
  readonly socket: { readonly name: string; readonly reason: string };
  readonly "virtual-interface": { readonly name: string; readonly reason: string };
}
type FaultWords = {
  readonly [Kind in Fault["kind"]]: Of<
    Kind extends keyof FaultFields ? FaultFields[Kind] : Fields<Fault, "kind", Kind>
  >;
};

export interface Words {
  readonly language: "en" | "zh-CN";
  readonly otherLanguage: string;
  readonly title: string;
  readonly skip: string;
  readonly loading: string;
  readonly unknown: string;
  readonly none: string;
  readonly yes: string;
  readonly no: string;
  readonly colon: string;
  readonly and: string;
  readonly signIn: {
    readonly title: string;
    readonly explain: string;
    readonly token: string;
    readonly submit: string;
    readonly kept: string;
    readonly leave: string;
    readonly as: (who: string, role: string) => string;
    readonly anonymous: string;
  };
  readonly roles: Readonly<Record<Role, string>>;
  readonly connection: Readonly<Record<Connection, string>> & { readonly lostSince: Text; readonly remedy: Text };
  readonly theme: Readonly<Record<"label" | "auto" | "light" | "dark", string>>;
  readonly warnings: {
    readonly stale: string;
    readonly stopping: string;
    readonly journal: Text;
    readonly reload: (when: string, detail: string) => string;
    readonly diagnostics: (count: number) => string;
    readonly twice: Text;
  };
  readonly vips: {
    readonly title: string;
    readonly held: (address: string, host: string) => string;
    readonly nobody: Text;
    readonly twice: (address: string, hosts: string) => string;
    readonly changed: (instance: string, state: string) => string;
  };
  readonly topology: Readonly<
    Record<
      | "title"
      | "own"
      | "peer"
      | "heard"
      | "server"
      | "notFresh"
      | "holds"
      | "open"
      | "closed"
      | "replication"
      | "noLag"
      | "position",
      string
    >
  > & {
    readonly priority: (value: number) => string;
    readonly arrow: (group: string, from: string, to: string) => string;
    readonly lag: (seconds: number) => string;
    readonly states: Readonly<Record<"running" | "connecting" | "stopped", string>>;
  };
  readonly pool: Readonly<
    Record<"title" | "weight" | "absent" | "drain" | "undrain" | "server" | "state" | "load" | "cause", string>
  > & {
    readonly connections: (active: number, inactive: number) => string;
    readonly states: Readonly<Record<"up" | "drained" | "idle" | "down", string>>;
  };
  readonly hosts: Readonly<Record<"title" | "noReport", string>>;
  readonly instances: Readonly<
    Record<
      | "title"
      | "name"
      | "state"
      | "since"
      | "priority"
      | "address"
      | "master"
      | "cause"
      | "why"
      | "next"
      | "notes"
      | "noneDefined",
      string
    >
  > & { readonly whyOf: Text; readonly group: Text };
  readonly checks: Readonly<
    Record<
      | "title"
      | "command"
      | "last"
      | "error"
      | "output"
      | "took"
      | "every"
      | "timeout"
      | "ran"
      | "next"
      | "tracked"
      | "remarks",
      string
    >
  > & {
    readonly standings: Readonly<Record<"unknown" | "ok" | "failed" | "unusable" | "unfit", string>>;
    readonly weight: (value: number) => string;
    readonly outcome: {
      readonly exit: (code: number) => string;
      readonly signal: Text;
      readonly timeout: Text;
      readonly "spawn-failed": Text;
    };
  };
  readonly timeline: Readonly<
    Record<
      | "title"
      | "help"
      | "zoomIn"
      | "zoomOut"
      | "earlier"
      | "later"
      | "now"
      | "range"
      | "events"
      | "noEvents"
      | "transitions"
      | "because"
      | "absent",
      string
    >
  > & {
    readonly ranges: Readonly<Record<"m1" | "m10" | "h1" | "d1" | "d7", string>>;
    readonly shown: (from: string, to: string) => string;
    readonly most: (count: number) => string;
    readonly summary: (instance: string, count: number, state: string) => string;
  };
  readonly actions: Readonly<
    Record<
      | "title"
      | "explain"
      | "switchover"
      | "reload"
      | "reloadTitle"
      | "rejoin"
      | "drainPlan"
      | "undrainPlan"
      | "planning"
      | "plan"
      | "nothing"
      | "confirm"
      | "cancel"
      | "close"
      | "running"
      | "done"
      | "extra",
      string
    >
  > &
    Readonly<
      Record<"needs" | "switchoverOf" | "rejoinOf" | "drainOf" | "undrainOf" | "refused" | "failed" | "closedFor", Text>
    >;
  readonly causes: CauseWords;
  readonly faults: FaultWords;
  readonly footer: (version: string, file: string) => string;
}

export function causeText(words: Words, cause: Cause): string {
  if (cause.code === "fault") return words.causes.fault({ faults: faultsText(words, cause.faults) });
  if (cause.code === "stalled") return words.causes.stalled({ length: lengthText(cause.missedMicros / 1_000) });
  // The code and its fields belong together; the compiler cannot follow that through a table.
  return (words.causes[cause.code] as Of<Cause>)(cause);
}

export const faultsText = (words: Words, faults: readonly Fault[]): string =>
  faults.map((fault) => faultText(words, fault)).join(words.language === "en" ? "; " : "；");

function faultText(words: Words, fault: Fault): string {
  const fields = "interface" in fault ? { ...fault, name: fault.interface } : fault;
  return (words.faults[fault.kind] as Of<typeof fields>)(fields);
}

/** A change of state in the language of the page, everything else as the daemon tells it. */
export function eventText(words: Words, { body, words: told }: EventEntry): { text: string; foreign: boolean } {
  if (body.kind === "vrrp" && (body.report.kind === "state" || body.report.kind === "phase")) {
    const { from, to, cause } = body.report;
    const text = `${body.instance}${words.colon}${from} → ${to}${words.and}${words.timeline.because} ${causeText(words, cause)}`;
    return { text, foreign: false };
  }
  return { text: told ?? body.kind, foreign: words.language !== "en" };
}
