/** Asks a running Holdfast on a lab host: its API directly, or the command as an operator types it. */
import { request } from "node:http";
import { dirname, join } from "node:path";
import type {
  EventEntry,
  HistoryReply,
  InstanceView,
  LvsStatusReply,
  ReloadReply,
  StatusReply,
} from "../src/control/contract/types.ts";
import type { Daemon } from "../src/lab/daemon.ts";
import { HOLDFAST_PROGRAM } from "../src/lab/paths.ts";
import { type ExecResult, until } from "../src/lab/processes.ts";

/** Undefined while nobody answers. */
function call<T>(daemon: Daemon, path: string, post?: unknown): Promise<T | undefined> {
  const socketPath = join(dirname(daemon.pidFile), "holdfast.sock");
  const body = post === undefined ? undefined : JSON.stringify(post);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, method, headers, timeout: 5_000 }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (data: Buffer) => parts.push(data));
      answer.on("end", () => resolve(JSON.parse(Buffer.concat(parts).toString()) as T));
    });
    asked.on("error", () => resolve(undefined));
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.end(body);
  });
}

export const statusOf = (daemon: Daemon): Promise<StatusReply | undefined> => call<StatusReply>(daemon, "/v1/status");

export const lvsOf = (daemon: Daemon): Promise<LvsStatusReply | undefined> => call<LvsStatusReply>(daemon, "/v1/lvs");

export async function instanceOf(daemon: Daemon, name: string): Promise<InstanceView | undefined> {
  return (await statusOf(daemon))?.instances.find((instance) => instance.name === name);
}

/** Waits until the instance is as wanted, by default at most 20 s: a busy host may start a keeper twice. */
export async function instanceWhen(
  daemon: Daemon,
  name: string,
  wanted: (instance: InstanceView) => boolean,
  timeoutMs = 20_000,
): Promise<InstanceView> {
  let last: InstanceView | undefined;
  const asked = async () => {
    last = await instanceOf(daemon, name);
    return last !== undefined && wanted(last) ? last : undefined;
  };
  try {
    return await until(asked, `${name} is as wanted`, timeoutMs);
  } catch (error) {
    const said = daemon.program.lines.slice(-25).map((line) => line.text);
    throw new Error(`${String(error)}; it is ${JSON.stringify(last)}\n${said.join("\n")}`);
  }
}

export async function eventsOf(daemon: Daemon): Promise<readonly EventEntry[]> {
  return (await call<HistoryReply>(daemon, "/v1/history?limit=100000"))?.events ?? [];
}

export const reload = (daemon: Daemon): Promise<ReloadReply | undefined> =>
  call<ReloadReply>(daemon, "/v1/reload", { dryRun: false });

/** `holdfast WORDS... -p PIDFILE` on the daemon's host. */
export function holdfast(daemon: Daemon, ...words: readonly string[]): Promise<ExecResult> {
  return daemon.host.exec([process.execPath, HOLDFAST_PROGRAM, ...words, "-p", daemon.pidFile]);
}

/** Its check has looked at the database server, begun after now: it knows what has happened so far. */
export async function lookedAgain(daemon: Daemon): Promise<void> {
  const looked = async () => (await statusOf(daemon))?.mysql[0]?.lookedAt ?? 0;
  for (let times = 0; times < 2; times++) {
    const before = await looked();
    await until(async () => (await looked()) > before || undefined, "the server is looked at again", 10_000);
  }
}

/** Its managed server is proved to follow the writer: it would be opened alone. */
export async function mayTakeOver(daemon: Daemon): Promise<void> {
  await lookedAgain(daemon);
  const proved = async () => {
    const status = await statusOf(daemon);
    const remarks = status?.mysql[0]?.remarks ?? ["nobody answers"];
    return (
      (status?.instances[0]?.state === "BACKUP" && !remarks.some((one) => one.includes("not proved"))) || undefined
    );
  };
  await until(proved, "the standby may take over", 20_000);
}
