/**
 * etcd as a quorum store. Endpoints are asked one after the other, beginning with the one that answered last, the next as soon as one
 * fails or is late; the first answer counts. That is safe for a compare and swap as well: of several copies of one write at most one
 * succeeds, and the others say what stands there. Credentials are read when a token is needed, so a changed password needs no restart.
 */
import { err, ok, type Result } from "../../core/lib/result.ts";
import { toMillis } from "../../core/lib/units.ts";
import type { EtcdConfig, StoreEndpoint } from "../../core/quorum/config.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { QuorumStore } from "../../ports/quorum-store.ts";
import { readLogin, readTls } from "../credentials.ts";
import {
  type Answer,
  type Asked,
  authenticate,
  type From,
  isStaleToken,
  range,
  readRange,
  readToken,
  readTxn,
  txn,
} from "./gateway.ts";
import { createRequests, type Requests } from "./requests.ts";

export const openEtcd = (config: EtcdConfig): QuorumStore => new EtcdStore(config);

type Read<T> = (answer: Answer) => Result<T, StoreFailure>;

class EtcdStore implements QuorumStore {
  readonly #config: EtcdConfig;
  #requests: Requests | null = null;
  #tokens = new Map<string, string>();
  #first = 0;
  #cluster: string | null = null;
  #closed = false;
  endpoint: string | null = null;

  constructor(config: EtcdConfig) {
    this.#config = config;
  }

  read(key: string) {
    return this.#ask(range(key), readRange);
  }

  swap(swap: Parameters<QuorumStore["swap"]>[0]) {
    return this.#ask(txn(swap), readTxn);
  }

  close(): void {
    this.#closed = true;
    this.#requests?.close();
  }

  async #ask<T>(asked: Asked, read: Read<From<T>>): Promise<Result<T, StoreFailure>> {
    const requests = await this.#open();
    if (!requests.ok) return requests;
    const { endpoints, timeout } = this.#config;
    const end = new AbortController();
    const late = setTimeout(() => end.abort(), toMillis(timeout));
    try {
      const answer = await this.#race(endpoints, (to) =>
        this.#askOne(requests.value, to, { asked, read, signal: end.signal }),
      );
      // Files that do not fit may be in the middle of being renewed: the next question reads them again.
      if (!answer.ok && answer.error.kind === "setup") this.#forget();
      return answer;
    } finally {
      clearTimeout(late);
      end.abort();
    }
  }

  #forget(): void {
    this.#requests?.close();
    this.#requests = null;
  }

  /** Each endpoint has its share of the time before the next one is asked as well. */
  #race<T>(
    endpoints: readonly StoreEndpoint[],
    ask: (to: StoreEndpoint) => Promise<Result<T, StoreFailure>>,
  ): Promise<Result<T, StoreFailure>> {
    const share = toMillis(this.#config.timeout) / endpoints.length;
    return new Promise((resolve) => {
      let [begun, ended] = [0, 0];
      let timer: NodeJS.Timeout | undefined;
      const failures: StoreFailure[] = [];
      const begin = (): void => {
        clearTimeout(timer);
        const at = (this.#first + begun) % endpoints.length;
        const to = endpoints[at];
        if (to === undefined || begun === endpoints.length) return;
        begun += 1;
        timer = setTimeout(begin, share);
        void ask(to).then((result) => {
          ended += 1;
          if (result.ok) {
            this.#first = at;
            this.endpoint = to.url;
          } else {
            failures.push(result.error);
            if (ended < endpoints.length) {
              begin();
              return;
            }
          }
          clearTimeout(timer);
          resolve(result.ok ? result : err(worst(failures)));
        });
      };
      begin();
    });
  }

  async #askOne<T>(
    requests: Requests,
    to: StoreEndpoint,
    { asked, read, signal }: { readonly asked: Asked; readonly read: Read<From<T>>; readonly signal: AbortSignal },
  ): Promise<Result<T, StoreFailure>> {
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.#token(requests, to, signal);
      if (!token.ok) return token;
      const answer = await requests.send(to, asked, { token: token.value, signal });
      const result = answer.ok ? read(answer.value) : answer;
      if (result.ok) return this.#ofOneCluster(to, result.value);
      if (attempt > 1 || token.value === null || !isStaleToken(result.error)) return result;
      this.#tokens.delete(to.url);
    }
  }

  async #token(
    requests: Requests,
    to: StoreEndpoint,
    signal: AbortSignal,
  ): Promise<Result<string | null, StoreFailure>> {
    const { credentials } = this.#config;
    if (credentials === null) return ok(null);
    const known = this.#tokens.get(to.url);
    if (known !== undefined) return ok(known);
    const login = await readLogin(credentials);
    if (!login.ok) return err({ kind: "setup", detail: login.error });
    const asked = authenticate(login.value.user, login.value.password);
    const answer = await requests.send(to, asked, { token: null, signal });
    const token = answer.ok ? readToken(answer.value) : answer;
    if (token.ok) this.#tokens.set(to.url, token.value);
    return token;
  }

  #ofOneCluster<T>(to: StoreEndpoint, { cluster, value }: From<T>): Result<T, StoreFailure> {
    this.#cluster ??= cluster;
    if (cluster === this.#cluster) return ok(value);
    const detail = `${to.url} is a member of cluster ${hex(cluster)}, and others are of ${hex(this.#cluster)}`;
    return err({ kind: "other-store", detail });
  }

  async #open(): Promise<Result<Requests, StoreFailure>> {
    if (this.#closed) return err({ kind: "setup", detail: "closed" });
    if (this.#requests !== null) return ok(this.#requests);
    const { tlsCa, tlsCert, tlsKey } = this.#config;
    const tls = await readTls({ mode: "verify-identity", ca: tlsCa, cert: tlsCert, key: tlsKey }, {});
    if (!tls.ok) return err({ kind: "setup", detail: tls.error });
    this.#requests ??= createRequests(tls.value);
    return ok(this.#requests);
  }
}

/** What says most: a refusal is worth more than a connection that failed. */
const ORDER = ["other-store", "denied", "setup", "unable", "unreachable", "timeout"] as const;

function worst(failures: readonly StoreFailure[]): StoreFailure {
  const sorted = [...failures].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
  return sorted[0] ?? { kind: "timeout", detail: "no endpoint" };
}

const hex = (id: string): string => BigInt.asUintN(64, BigInt(id)).toString(16);
