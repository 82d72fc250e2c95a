/**
 * What this daemon has written down of its server (core/redis/member.ts): durable on its own disk, and told to the other daemons by a
 * subscription at the own server that is kept while the daemon lives.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { toMillis } from "../core/lib/units.ts";
import type { RedisConfig } from "../core/redis/config.ts";
import { type Mark, markChannel, markFrom, markText } from "../core/redis/member.ts";
import type { Notes } from "../ports/notes.ts";
import type { RedisPort, RedisSession } from "../ports/redis.ts";

export class MarkKeeper {
  readonly #port: RedisPort;
  readonly #notes: Notes;
  #config: RedisConfig;
  #mark: Mark | null = null;
  /** The run that this daemon has promoted last, and whether a replica was in step with it when that was last seen. */
  #writer: { readonly run: string; readonly epoch: number; inStep: boolean } | null = null;
  #read: Promise<void> | null = null;
  #session: RedisSession | null = null;
  #told: string | null = null;
  #ended = false;

  constructor(port: RedisPort, notes: Notes, config: RedisConfig) {
    this.#port = port;
    this.#notes = notes;
    this.#config = config;
  }

  get mark(): Mark | null {
    return this.#mark;
  }

  adopt(config: RedisConfig): void {
    this.#config = config;
    this.#drop();
  }

  get #note(): string {
    return `redis-${this.#config.name}`;
  }

  /** Read once. */
  load(): Promise<void> {
    this.#read ??= this.#notes.read(this.#note).then((text) => {
      this.#mark = text === null ? null : markFrom(text);
    });
    return this.#read;
  }

  async write(mark: Mark): Promise<Result<void, string>> {
    if (this.#mark?.epoch === mark.epoch && this.#mark.role === mark.role) return ok(undefined);
    const problem = await this.#notes.write(this.#note, markText(mark));
    if (problem !== null) return err(problem);
    this.#mark = mark;
    return ok(undefined);
  }

  /** That run is the writer of the epoch that was just written down. */
  promoted(run: string): void {
    this.#writer = { run, epoch: this.#mark?.epoch ?? 0, inStep: false };
  }

  seenInStep(run: string, inStep: boolean): void {
    if (this.#writer?.run === run) this.#writer.inStep = inStep;
  }

  /**
   * What the mark says of that run of the server. A writer that was started anew while a replica was in step has at best what the replica has: it is not to
   * win over it by name.
   */
  of(run: string): Mark | null {
    const [mark, writer] = [this.#mark, this.#writer];
    const outlived = writer?.inStep === true && writer.run !== run && writer.epoch === mark?.epoch;
    return outlived ? { ...mark, role: "stale" } : mark;
  }

  /** Writes down what is true of that run, before anybody is told. */
  async settle(run: string): Promise<Result<void, string>> {
    const mark = this.of(run);
    return mark === null ? ok(undefined) : await this.write(mark);
  }

  /** Tells the others what is written down, if they have not been told; a server that cannot be asked is told the next time. */
  async tell(): Promise<void> {
    const channel = markChannel(this.#config.name, this.#mark);
    if (this.#ended || (this.#session !== null && this.#told === channel)) return;
    const { address, credentials, tls, connectTimeout, timeout } = this.#config;
    const target = { address, credentials, user: null, tls, connectTimeoutMillis: toMillis(connectTimeout) };
    const opened = await this.#port.open(target, () => {
      if (this.#session === session) this.#session = null;
    });
    if (!opened.ok) return;
    const session = opened.value;
    const answer = await session.call([["SUBSCRIBE", channel]], toMillis(timeout));
    const refused = !answer.ok || answer.value[0]?.kind === "error";
    if (refused || this.#ended) {
      session.close();
      return;
    }
    // The new one first: at no moment is there no daemon to be seen.
    this.#session?.close();
    this.#session = session;
    this.#told = channel;
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
  }

  end(): void {
    this.#ended = true;
    this.#drop();
  }
}
