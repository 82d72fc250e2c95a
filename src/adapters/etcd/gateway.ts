/**
 * The JSON gateway of etcd 3.4 to 3.6: POST below /v3/, keys and values in base64, numbers of 64 bits as strings, and whatever has its default value left
 * out. So no `succeeded` means that the comparison failed, and no `kvs` that there is no such key.
 */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { Reading } from "../../core/quorum/ownership.ts";
import type { Swap, Swapped } from "../../ports/quorum-store.ts";

export interface Asked {
  readonly path: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const plain = (text: string): string => Buffer.from(text, "base64").toString("utf8");

export const authenticate = (name: string, password: string): Asked => ({
  path: "/v3/auth/authenticate",
  body: JSON.stringify({ name, password }),
});

export const range = (key: string): Asked => ({ path: "/v3/kv/range", body: JSON.stringify({ key: base64(key) }) });

export function txn({ key, expected, value }: Swap): Asked {
  const name = base64(key);
  const { revision, value: was } = expected;
  const compare =
    was === null
      ? [{ key: name, target: "CREATE", result: "EQUAL", create_revision: "0" }]
      : [
          { key: name, target: "MOD", result: "EQUAL", mod_revision: revision },
          { key: name, target: "VALUE", result: "EQUAL", value: base64(was) },
        ];
  const body = {
    compare,
    success: [{ request_put: { key: name, value: base64(value) } }],
    failure: [{ request_range: { key: name } }],
  };
  return { path: "/v3/kv/txn", body: JSON.stringify(body) };
}

/** With the cluster that has answered. */
export interface From<T> {
  readonly cluster: string;
  readonly value: T;
}

type Fields = Readonly<Record<string, unknown>>;

export function readToken(answer: Answer): Result<string, StoreFailure> {
  const read = fieldsOf(answer);
  if (!read.ok) return read;
  const { token } = read.value;
  return typeof token === "string" ? ok(token) : err(NOT_ETCD);
}

export function readRange(answer: Answer): Result<From<Reading>, StoreFailure> {
  const read = fieldsOf(answer);
  const header = read.ok ? headerOf(read.value) : null;
  if (!read.ok) return read;
  const value = readingOf(read.value);
  return header === null || value === null ? err(NOT_ETCD) : ok({ cluster: header.cluster, value });
}

export function readTxn(answer: Answer): Result<From<Swapped>, StoreFailure> {
  const read = fieldsOf(answer);
  if (!read.ok) return read;
  const header = headerOf(read.value);
  const { succeeded, responses } = read.value;
  if (header === null) return err(NOT_ETCD);
  if (succeeded === true) return ok({ cluster: header.cluster, value: { done: true, revision: header.revision } });
  const [first]: readonly unknown[] = Array.isArray(responses) ? responses : [];
  const { response_range: range = {} } = fields(first) ?? {};
  const now = readingOf(fields(range) ?? {});
  return now === null ? err(NOT_ETCD) : ok({ cluster: header.cluster, value: { done: false, now } });
}

const NOT_ETCD: StoreFailure = { kind: "other-store", detail: "the answer is not etcd's" };

const fields = (value: unknown): Fields | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;

function headerOf(answer: Fields): { readonly cluster: string; readonly revision: string } | null {
  const { header } = answer;
  const { cluster_id: cluster, revision } = fields(header) ?? {};
  return isNumber(cluster) && isNumber(revision) ? { cluster, revision } : null;
}

/** 64 bits as a string. */
const isNumber = (value: unknown): value is string => typeof value === "string" && /^\d{1,20}$/.test(value);

/** Null: it is none. */
function readingOf({ kvs }: Fields): Reading | null {
  const absent: Reading = { revision: "0", value: null };
  if (kvs === undefined) return absent;
  const pair = fields(Array.isArray(kvs) ? kvs[0] : null);
  if (pair === null) return Array.isArray(kvs) && kvs.length === 0 ? absent : null;
  const { mod_revision: revision, value = "" } = pair;
  return isNumber(revision) && typeof value === "string" ? { revision, value: plain(value) } : null;
}

function fieldsOf({ status, body }: Answer): Result<Fields, StoreFailure> {
  const value = fields(json(body));
  if (status !== 200) return err(refusal(status, value ?? {}));
  return value === null ? err(NOT_ETCD) : ok(value);
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** Codes of gRPC: 7 permission denied, 16 unauthenticated. */
function refusal(status: number, { message, error, code }: Fields): StoreFailure {
  const text = [message, error].find((one): one is string => typeof one === "string" && one !== "");
  if (text === undefined) return { kind: "other-store", detail: `HTTP status ${status}, and no answer of etcd's` };
  const about = /auth|user name|permission|password|token/i.test(text) || code === 7 || code === 16;
  return { kind: about ? "denied" : "unable", detail: text.slice(0, 200) };
}

/** The token is used up, or the members have started again: a new one may do. */
export const isStaleToken = (failure: StoreFailure): boolean =>
  failure.kind === "denied" && /token/i.test(failure.detail);
