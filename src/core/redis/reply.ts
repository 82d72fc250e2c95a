/** Replies of a server (RESP2, redis.io/docs/reference/protocol-spec), and what a connection can fail of. */

export interface RedisError {
  /** The first word: ERR, LOADING, NOAUTH, WRONGPASS, NOPERM, READONLY, MISCONF, OOM, MASTERDOWN, BUSY ... */
  readonly code: string;
  readonly text: string;
}

export type Reply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "nothing" }
  | { readonly kind: "error"; readonly error: RedisError }
  | { readonly kind: "list"; readonly items: readonly Reply[] };

export type Command = readonly string[];

export type RedisFailure =
  /** Of the network, before or while it was asked; `code` is a symbolic errno or one of getaddrinfo's. */
  | { readonly kind: "network"; readonly code: string; readonly detail: string }
  /** The connection was there and is gone. */
  | { readonly kind: "lost"; readonly detail: string }
  | { readonly kind: "timeout"; readonly phase: "connect" | "query"; readonly afterMillis: number }
  /** An error reply where an answer was needed. */
  | { readonly kind: "server"; readonly code: string; readonly detail: string }
  /** File of the credentials, certificates, TLS. */
  | { readonly kind: "setup"; readonly detail: string };

export const textOf = (reply: Reply | undefined): string => (reply?.kind === "text" ? reply.text : "");

/** An even list of names and values, as CONFIG GET answers. */
export function pairsOf(reply: Reply | undefined): ReadonlyMap<string, string> {
  const items = reply?.kind === "list" ? reply.items : [];
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < items.length; at += 2) pairs.set(textOf(items[at]), textOf(items[at + 1]));
  return pairs;
}

export const failureOf = ({ code, text }: RedisError): RedisFailure => ({
  kind: "server",
  code,
  detail: `${code} ${text}`.trim(),
});
