/** REDIS_CHECK over a kept connection: one look is one INFO; with max_behind its master is asked as well, over another. */
import { addressInWords, type ServerAddress } from "../../core/database/config.ts";
import { err, ok, type Result } from "../../core/lib/result.ts";
import { toMillis } from "../../core/lib/units.ts";
import type { RedisChecker } from "../../core/lvs/checkers.ts";
import type { Finding } from "../../core/lvs/findings.ts";
import { judgeRedis } from "../../core/lvs/redis-judgement.ts";
import { factsOf, parseInfo, type RedisFacts } from "../../core/redis/info.ts";
import { failureOf, type RedisFailure } from "../../core/redis/reply.ts";
import type { Probe } from "../../ports/probes.ts";
import type { RedisPort, RedisSession } from "../../ports/redis.ts";
import { type ProbeDone, plain } from "./probe.ts";

export class RedisProbe {
  readonly #own: Connection;
  readonly #redis: RedisPort;
  readonly #checker: RedisChecker;
  /** To the master of the last look. */
  #master: Connection | null = null;
  #ended = false;

  constructor(redis: RedisPort, checker: RedisChecker) {
    this.#redis = redis;
    this.#checker = checker;
    const { address: host, port } = checker.connection;
    this.#own = new Connection(redis, checker, { socket: null, host, port });
  }

  run(done: ProbeDone): Probe {
    let cancelled = false;
    void this.#look().then((finding) => {
      if (!cancelled && !this.#ended) done(plain(finding));
    });
    return {
      cancel() {
        cancelled = true;
      },
    };
  }

  end(): void {
    this.#ended = true;
    this.#own.end();
    this.#master?.end();
  }

  async #look(): Promise<Finding> {
    const facts = await this.#own.facts();
    if (!facts.ok) return { kind: "trouble", text: inWords(facts.error) };
    return judgeRedis(this.#checker, facts.value, await this.#askMaster(facts.value));
  }

  async #askMaster({ source }: RedisFacts): Promise<RedisFacts | null> {
    if (this.#checker.maxBehind === null || source === null || !source.up) return null;
    if (this.#master?.name !== source.address) {
      this.#master?.end();
      const colon = source.address.lastIndexOf(":");
      const address = { host: source.address.slice(0, colon), port: Number(source.address.slice(colon + 1)) };
      this.#master = new Connection(this.#redis, this.#checker, { socket: null, ...address });
    }
    const facts = await this.#master.facts();
    return facts.ok ? facts.value : null;
  }
}

function inWords(failure: RedisFailure): string {
  if (failure.kind === "timeout")
    return failure.phase === "connect" ? "no connection was made in time" : "no answer came in time";
  return failure.detail;
}

class Connection {
  readonly #redis: RedisPort;
  readonly #checker: RedisChecker;
  readonly #address: ServerAddress;
  #session: RedisSession | null = null;
  #ended = false;

  constructor(redis: RedisPort, checker: RedisChecker, address: ServerAddress) {
    this.#redis = redis;
    this.#checker = checker;
    this.#address = address;
  }

  get name(): string {
    return addressInWords(this.#address);
  }

  /** A connection that somebody closed is opened once more: that is no dead server. */
  async facts(): Promise<Result<RedisFacts, RedisFailure>> {
    const first = await this.#ask();
    return first.ok || first.error.kind !== "lost" || this.#ended ? first : await this.#ask();
  }

  end(): void {
    this.#ended = true;
    this.#drop();
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
  }

  async #ask(): Promise<Result<RedisFacts, RedisFailure>> {
    const opened = await this.#open();
    if (!opened.ok) return opened;
    const replies = await opened.value.call([["INFO"]], toMillis(this.#checker.connection.timeout));
    if (!replies.ok) {
      this.#drop();
      return replies;
    }
    const [reply] = replies.value;
    if (reply?.kind === "error") return err(failureOf(reply.error));
    const facts = reply?.kind === "text" ? factsOf(parseInfo(reply.text)) : null;
    return facts === null ? err({ kind: "setup", detail: "what answers is no Redis server" }) : ok(facts);
  }

  async #open(): Promise<Result<RedisSession, RedisFailure>> {
    if (this.#session !== null) return ok(this.#session);
    const { credentials, tls, connection } = this.#checker;
    const target = {
      address: this.#address,
      credentials,
      user: null,
      tls,
      connectTimeoutMillis: toMillis(connection.timeout),
    };
    const opened = await this.#redis.open(target, () => {
      this.#session = null;
    });
    if (!opened.ok) return opened;
    if (this.#ended) opened.value.close();
    else this.#session = opened.value;
    return opened;
  }
}
