/**
 * What happened, twice: as a hash over everything (equal seeds give equal hashes) and as the last few entries, put
 * into words only when somebody reads them.
 */
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import { hashText } from "./prng.ts";
import { sayEvent } from "./words.ts";

export type TraceDetail = string | HoldfastEventBody;

interface Entry {
  readonly at: number;
  readonly where: string;
  readonly kind: string;
  readonly detail: TraceDetail;
}

const KEPT = 600;

export class Trace {
  readonly #ring: (Entry | undefined)[] = new Array(KEPT);
  readonly #texts = new Map<string, number>();
  #count = 0;
  #low = 0x811c9dc5;
  #high = 0x2545f491;

  get count(): number {
    return this.#count;
  }

  /** Two independent 32-bit hashes as hexadecimal text. */
  get hash(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  add(at: number, where: string, kind: string, detail: TraceDetail): void {
    this.#ring[this.#count % KEPT] = { at, where, kind, detail };
    this.#count++;
    // Nanoseconds, so that a difference anywhere in the arithmetic of time shows.
    this.#mix(Math.round(at * 1_000) | 0);
    this.#mix(this.#textHash(where));
    this.#mix(this.#textHash(kind));
    this.#mix(this.#textHash(typeof detail === "string" ? detail : digest(detail)));
  }

  /** The last entries as lines, oldest first. */
  lines(count: number, keep: (kind: string) => boolean = () => true): string[] {
    const lines: string[] = [];
    for (let back = 1; back <= Math.min(this.#count, KEPT) && lines.length < count; back++) {
      const entry = this.#ring[(this.#count - back) % KEPT];
      if (entry === undefined || !keep(entry.kind)) continue;
      lines.push(say(entry));
    }
    return lines.reverse();
  }

  #textHash(text: string): number {
    let hash = this.#texts.get(text);
    if (hash === undefined) {
      hash = hashText(text);
      if (this.#texts.size < 10_000) this.#texts.set(text, hash);
    }
    return hash;
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = (Math.imul(this.#high, 5) + (value ^ (this.#high >>> 13))) | 0;
  }
}

/** Enough of an event to tell two runs apart without printing it. */
function digest(body: HoldfastEventBody): string {
  if (body.kind !== "vrrp") return body.kind;
  const { report } = body;
  const turn =
    report.kind === "state" || report.kind === "phase" ? `${report.from}>${report.to} ${report.cause.code}` : "";
  return `${body.instance} ${report.kind} ${turn}`;
}

function say(entry: Entry): string {
  const time = (entry.at / 1_000_000).toFixed(6).padStart(13);
  const text = typeof entry.detail === "string" ? entry.detail : sayEvent(entry.detail);
  return `${time}  ${entry.where.padEnd(8)}${entry.kind.padEnd(10)}${text}`;
}
