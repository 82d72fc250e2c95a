/**
 * Writes the records of who was the writer: a new epoch before a managed MySQL server is opened, its end after it was closed. The opening waits for
 * `settled`; a closing waits for nothing. The epoch is one more than any that this host or a peer knows of.
 */
import { NAMING_STEP } from "../core/database/first-writer.ts";
import type { HoldfastEvent } from "../core/events/vocabulary.ts";
import { stepInWords } from "../core/mysql/takeover-plan.ts";
import type { WriterRecord } from "../core/peer-link/questions.ts";
import type { WriterJournal } from "../ports/writer-journal.ts";

export interface WriterKeeping {
  readonly events: { subscribe(listener: (event: HoldfastEvent) => void): unknown };
  readonly writers: WriterJournal;
  /** What the peers said last. */
  readonly peers: () => readonly WriterRecord[];
}

const OPENING = stepInWords({ kind: "open" });
const CLOSING = stepInWords({ kind: "close-own" });

/** The answer resolves with false when a record that was due is not on the disk. */
export function keepWriters({ events, writers, peers }: WriterKeeping): () => Promise<boolean> {
  let due: Promise<boolean> = Promise.resolve(true);
  events.subscribe(({ body }) => {
    if (body.kind !== "mysql-step") return;
    const { name: group, what, step, outcome } = body;
    const last = writers.last(group);
    const role = what === "takeover" ? roleOf(step, outcome) : null;
    if (role !== null) {
      due = writers.append({ group, epoch: nextEpoch(group, last, peers()), role, detail: "" });
    } else if (what === "release" && step === CLOSING && outcome === "done" && last?.role === "writer") {
      void writers.append({ group, epoch: last.epoch, role: "released", detail: "" });
    }
  });
  return () => due;
}

/** What a step of a takeover makes of this host; null: nothing. */
function roleOf(step: string, outcome: string): "writer" | "initial" | null {
  if (step === NAMING_STEP) return "initial";
  return step === OPENING && outcome === "begun" ? "writer" : null;
}

function nextEpoch(group: string, last: WriterRecord | null, peers: readonly WriterRecord[]): number {
  const known = [...peers.filter((one) => one.group === group), ...(last === null ? [] : [last])];
  return Math.max(0, ...known.map((one) => one.epoch)) + 1;
}
