/**
 * Asks the daemon that has served this page. The token goes into a header, never into an address: addresses are in histories and
 * logs. Errors are values of ApiFailure, with what the daemon says helps.
 */
import type { ErrorReply } from "../control/contract/types.ts";

export class ApiFailure extends Error {
  /** HTTP status; 0: nobody answered. */
  readonly status: number;
  readonly code: string;
  readonly remedy: string | null;

  constructor(status: number, { code, message, remedy }: ErrorReply["error"]) {
    super(message);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

export interface Api {
  get<T>(path: string): Promise<T>;
  /** Without a deadline of its own: a switchover takes as long as the daemon lets it. */
  post<T>(path: string, body: unknown): Promise<T>;
  /** An answer that goes on: its bytes as they come. */
  stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

const ANSWER_MILLIS = 8_000;

export function createApi(token: string | null): Api {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const options: RequestInit = { credentials: "omit", cache: "no-store", redirect: "error", ...init };
    const response = await fetch(path, { ...options, headers: { ...headers, ...init.headers } }).catch(unreached);
    if (response.ok) return response;
    throw await failureOf(response);
  };
  return {
    get: async (path) => (await send(path, { signal: AbortSignal.timeout(ANSWER_MILLIS) })).json(),
    async post(path, body) {
      const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      return (await send(path, init)).json();
    },
    async stream(path, signal) {
      const { body } = await send(path, { signal });
      if (body === null) throw new ApiFailure(0, { code: "no-body", message: "an empty answer", remedy: null });
      return body;
    },
  };
}

function unreached(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new ApiFailure(0, { code: "unreachable", message, remedy: null });
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const fallback = { code: "http", message: `${response.status} ${response.statusText}`, remedy: null };
  const reply = await response.json().catch(() => null);
  return new ApiFailure(response.status, (reply as ErrorReply | null)?.error ?? fallback);
}
