/** The witness's end: listens, proves and bounds as every link between daemons, and answers from its records. */
import type { z } from "zod";
import { placeInWords } from "../../core/peer-link/config.ts";
import type { WitnessConfig } from "../../core/quorum/config.ts";
import { type Answerable, Answering } from "../keyed-link/answering.ts";
import type { Myself } from "../keyed-link/protocol.ts";
import { Refusals } from "../keyed-link/refusals.ts";
import { ReadQuestion, SwapQuestion, WITNESS } from "./protocol.ts";
import type { WitnessRecords } from "./records.ts";

export interface WitnessOptions {
  readonly config: WitnessConfig;
  readonly myself: Myself;
  readonly records: WitnessRecords;
  readonly log: (level: "info" | "warning" | "error", text: string) => void;
  /** It listens, or listens again. */
  readonly onListening: () => void;
}

/** Each managed group of a host looks twice a second and in a claim ten times, all of them over one connection; several hosts may come from one address. */
const BOUNDS = { connections: 64, atOnce: 256, burst: 4_000, perSecond: 2_000 } as const;
/** An address that is not there yet: an interface that comes up late. */
const LISTEN_RETRY_MILLIS = 2_000;

export class Witness {
  readonly #options: WitnessOptions;
  readonly #refusals = new Refusals();
  #config: WitnessConfig;
  #answering: Answering | null = null;
  /** They listen no more, and answer who was connected. */
  readonly #retired = new Set<Answering>();
  #retry: NodeJS.Timeout | undefined;
  #problem: string | null = null;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#listen();
  }

  /** Keys and clients count from the next connection on. Another place to listen at is taken at once, and who is connected goes on. */
  configure(config: WitnessConfig): void {
    const moved = placeInWords(config.listen) !== placeInWords(this.#config.listen);
    this.#config = config;
    if (!moved) return;
    clearTimeout(this.#retry);
    this.#retire(this.#answering);
    this.#listen();
  }

  close(): void {
    clearTimeout(this.#retry);
    for (const one of this.#retired) one.close();
    this.#answering?.close();
    this.#answering = null;
  }

  /** How many places of before still have somebody connected. */
  get retired(): number {
    return this.#retired.size;
  }

  #retire(answering: Answering | null): void {
    if (answering === null) return;
    this.#retired.add(answering);
    answering.retire(() => this.#retired.delete(answering));
  }

  #listen(): void {
    const { myself, records, log, onListening } = this.#options;
    const { listen } = this.#config;
    const answering: Answering = new Answering({
      protocol: WITNESS,
      myself,
      bounds: BOUNDS,
      listen,
      keys: () => this.#config,
      whyStranger: (address) => whyStranger(this.#config, address),
      answers: {
        read: answerable(ReadQuestion, ({ key }) => this.#told(records.read(key))),
        swap: answerable(SwapQuestion, (swap) => this.#told(records.swap(swap))),
      },
      onRefused: (address, detail) => {
        if (this.#refusals.isNew(address, detail)) log("warning", `${address} was turned away: ${detail}`);
      },
      onAdmitted: (address) => {
        if (this.#refusals.isNew(address, "let in")) log("info", `${address} is let in`);
      },
      onListening: () => {
        this.#problem = null;
        log("info", `listening at ${placeInWords(listen)}`);
        onListening();
      },
      onError: (error) => {
        if (answering !== this.#answering) return;
        const detail = error.code ?? error.message;
        if (detail !== this.#problem) log("error", `cannot listen at ${placeInWords(listen)}: ${detail}; tried again`);
        this.#problem = detail;
        answering.close();
        this.#retry = setTimeout(() => this.#listen(), LISTEN_RETRY_MILLIS);
      },
    });
    this.#answering = answering;
  }

  /** What it could not do is in its own log, too, not only with who asked. */
  async #told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.#refusals.isNew("", text)) this.#options.log("error", text);
      throw error;
    }
  }
}

const answerable = <T>(ask: z.ZodType<T>, answer: (question: T) => unknown): Answerable => ({
  ask,
  answer: answer as Answerable["answer"],
});

const whyStranger = ({ clients }: WitnessConfig, address: string): string | null =>
  clients.length === 0 || clients.some((one) => one === address) ? null : "it is not a `client` of witness";
