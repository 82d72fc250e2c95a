/** Speaks the API contract over the Unix socket. Turns "nobody answers" into a message with the way out. */
import { type IncomingMessage, request } from "node:http";
import type { ErrorReply, EventEntry } from "../control/contract/types.ts";
import { CliError, EXIT } from "./exit-codes.ts";

export interface Client {
  get<T>(path: string): Promise<T>;
  /** What is answered as it stands; for /metrics. */
  text(path: string): Promise<string>;
  /** `answerMillis`: how long the daemon may take. */
  post<T>(path: string, body: unknown, answerMillis?: number): Promise<T>;
  /** Calls back for each event until the signal aborts or the daemon ends the stream. */
  follow(path: string, onEvent: (entry: EventEntry) => void, signal: AbortSignal): Promise<void>;
}

const ANSWER_MILLIS = 10_000;

export function createClient(socketPath: string): Client {
  return {
    get: async (path) => answer(await send(socketPath, { method: "GET", path })),
    text: async (path) => plainAnswer(await send(socketPath, { method: "GET", path })),
    post: async (path, body, answerMillis) =>
      answer(
        await send(socketPath, { method: "POST", path, body, ...(answerMillis !== undefined && { answerMillis }) }),
      ),
    follow: (path, onEvent, signal) => follow({ socketPath, path, onEvent, signal }),
  };
}

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly endless?: boolean;
  readonly answerMillis?: number;
}

function send(socketPath: string, question: Question): Promise<IncomingMessage> {
  const { method, path, body, signal, answerMillis = ANSWER_MILLIS } = question;
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const options = { socketPath, method, path, headers, ...(signal === undefined ? {} : { signal }) };
    const asked = request(options, resolve);
    asked.once("error", (error: NodeJS.ErrnoException) => reject(explainFailure(error, socketPath)));
    if (question.endless !== true) {
      asked.setTimeout(answerMillis, () => asked.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    }
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function explainFailure(error: NodeJS.ErrnoException, socketPath: string): Error {
  switch (error.code) {
    case "ENOENT":
    case "ECONNREFUSED":
      return new CliError(
        `holdfast is not running: nobody answers at ${socketPath}`,
        EXIT.notRunning,
        "start it with `holdfast run -f FILE`, or name its socket with --socket, -p PIDFILE or HOLDFAST_SOCKET",
      );
    case "EACCES":
    case "EPERM":
      return new CliError(
        `not permitted to use ${socketPath}`,
        EXIT.notPermitted,
        "run the command as the user the daemon runs as (root)",
      );
    case "ETIMEDOUT":
      return new CliError(
        `the daemon at ${socketPath} did not answer within ${ANSWER_MILLIS / 1_000} s`,
        EXIT.failed,
        "the control process is stopped or overloaded; its log says more",
      );
    default:
      return error.name === "AbortError" ? error : new CliError(`${socketPath}: ${error.message}`, EXIT.failed);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

async function plainAnswer(response: IncomingMessage): Promise<string> {
  return response.statusCode === 200 ? textOf(response) : answer(response);
}

async function answer<T>(response: IncomingMessage): Promise<T> {
  const text = await textOf(response);
  const value = readJson(text);
  if (value === null || value.api !== 1) {
    throw new CliError(
      "the daemon speaks another version of the API",
      EXIT.failed,
      "use the holdfast it was started with",
    );
  }
  if ("error" in value && typeof value.error === "object") {
    const { message, remedy } = (value as unknown as ErrorReply).error;
    throw new CliError(message, EXIT.failed, remedy);
  }
  return value as T;
}

function readJson(text: string): { readonly api?: unknown; readonly error?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

interface FollowOptions {
  readonly socketPath: string;
  readonly path: string;
  readonly onEvent: (entry: EventEntry) => void;
  readonly signal: AbortSignal;
}

async function follow({ socketPath, path, onEvent, signal }: FollowOptions): Promise<void> {
  try {
    const response = await send(socketPath, { method: "GET", path, signal, endless: true });
    if (response.statusCode !== 200) await answer(response);
    response.setEncoding("utf8");
    let rest = "";
    for await (const chunk of response) {
      const records = (rest + chunk).split("\n\n");
      rest = records.pop() ?? "";
      for (const record of records) readRecord(record, onEvent);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
}

/** One server-sent event; comments and unknown fields are skipped, as the format demands. */
function readRecord(record: string, onEvent: (entry: EventEntry) => void): void {
  const data = record
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice(6))
    .join("\n");
  if (data !== "") onEvent(JSON.parse(data) as EventEntry);
}
