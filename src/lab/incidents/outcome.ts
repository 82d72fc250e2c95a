/** What came of an incident, seen by the applications and from the network: the same judgement for whatever daemon was there. */
import { wallClock } from "../clock.ts";
import type { DaemonKind } from "../daemon.ts";
import type { ClientWrite, IncidentScene, Member } from "./scene.ts";

export interface Outcome {
  readonly incident: string;
  readonly kind: DaemonKind;
  /** Acknowledged to an application. */
  readonly acknowledged: number;
  /** Of these, missing on the writer at the end. */
  readonly lost: number;
  /** Of the lost ones, standing in a copy that was kept. */
  readonly copied: number;
  /** The longest time without an acknowledged write for the application in the network, milliseconds. */
  readonly outage: number;
  /** Probes that two hosts answered. */
  readonly answeredTwice: number;
  /** None: passed. */
  readonly problems: readonly string[];
}

/** Tells and remembers what happens in one incident; times count from the fault. */
export class Telling {
  readonly problems: string[] = [];
  readonly #say: (text: string) => void;
  #fault = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** The moment that times count from; returned in Unix milliseconds. */
  fault(text: string): number {
    this.#fault = wallClock();
    this.at(this.#fault, text);
    return this.#fault;
  }

  /** A step of the story; returned in Unix milliseconds. */
  now(text: string): number {
    const at = wallClock();
    this.at(at, text);
    return at;
  }

  at(moment: number | null, text: string): void {
    const time = moment === null ? "-" : `${(moment - this.#fault).toFixed(0)} ms`;
    this.#say(`${time.padStart(9)}  ${text}`);
  }

  problem(text: string): void {
    this.problems.push(text);
  }
}

/** The longest time from that moment on without an acknowledged write of the application in the network. */
export function longestGap({ writes }: { readonly writes: readonly ClientWrite[] }, since: number): number {
  const moments = writes
    .filter(({ ok, client, end }) => ok && client === "client" && end >= since)
    .map(({ end }) => end)
    .sort((a, b) => a - b);
  return moments.reduce((longest, at, index) => Math.max(longest, at - (moments[index - 1] ?? since)), 0);
}

/** Waits until the pair is whole again, then counts. */
export async function judge(
  scene: IncidentScene,
  telling: Telling,
  {
    incident,
    since,
    bothMay = false,
  }: { readonly incident: string; readonly since: number; readonly bothMay?: boolean },
): Promise<Outcome> {
  await scene.inStep();
  await scene.stopWriting();
  await scene.inStep();
  const writer = await scene.writer();
  if (writer === null) telling.problem("at the end there is not one server that takes writes and carries the address");
  const lost = writer === null ? [] : await scene.missingOn(writer);
  const copies = lost.length === 0 ? new Set<string>() : await scene.copied();
  const copied = lost.filter((key) => copies.has(key)).length;
  const answeredTwice = scene.observer.answeredTwice.length;
  const answers = scene.observer.probes.filter(({ macs }) => macs.length > 0).length;
  if (answers === 0) telling.problem("nobody ever answered for the address, so that never two did proves nothing");
  if (answeredTwice > 0 && !bothMay) telling.problem(`two hosts answered for the address in ${answeredTwice} probes`);
  if (lost.length > copied) telling.problem(`${lost.length - copied} acknowledged keys are gone`);
  return {
    incident,
    kind: scene.kind,
    acknowledged: scene.writes.filter(({ ok }) => ok).length,
    lost: lost.length,
    copied,
    outage: longestGap(scene, since),
    answeredTwice,
    problems: telling.problems,
  };
}

/** Two that take writes at the same time: what the old one has acknowledged after the new one's first. */
export function writtenOnBoth(scene: IncidentScene, old: Member, firstOfNew: number): number {
  return scene.takenBy(old, firstOfNew).length;
}
