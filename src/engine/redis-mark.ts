/**
 * What this daemon has written down of its server (core/redis/member.ts): durable on its own disk, and told to the other daemons by a
 * subscription at the own server that is kept while the daemon lives.
 */
import { err, ok, type Result } from "../core/lib/result.ts";
import { toMillis } from "../core/lib/units.ts";
import type { RedisConfig } from "../core/redis/config.ts";
import { type Mark, markChannel, markFrom, markText, type WrittenMark } from "../core/redis/member.ts";
import type { Notes } from "../ports/notes.ts";
import type { RedisPort, RedisSession } from "../ports/redis.ts";

export class MarkKeeper {
  readonly #port: RedisPort;
  readonly #notes: Notes;
  #config: RedisConfig;
  #written: WrittenMark | null = null;
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
    return this.#written;
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
      this.#written = text === null ? null : markFrom(text);
    });
    return this.#read;
  }

  /** `run`: of the server that it is written of. */
  async write({ epoch, role }: Mark, run: string): Promise<Result<void, string>> {
    const written = this.#written;
    if (written?.epoch === epoch && written.role === role && written.run === run) return ok(undefined);
    const mark: WrittenMark = { epoch, role, run };
    const problem = await this.#notes.write(this.#note, markText(mark));
    if (problem !== null) return err(problem);
    this.#written = mark;
    return ok(undefined);
  }

  /** What is written down, as far as it is true of that run of the server. */
  of(run: string): Mark | null {
    const written = this.#written;
    if (written === null) return null;
    const { epoch, role } = written;
    const restarted = run !== written.run;
    if (role === "replica") return { epoch, role: restarted ? role : "insync" };
    return { epoch, role: restarted && (role === "writer" || role === "paired") ? `${role}-restarted` : role };
  }

  /** Tells the others what is written down, if they have not been told; a server that cannot be asked is told the next time. */
  async tell(run: string): Promise<void> {
    const channel = markChannel(this.#config.name, this.of(run));
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
