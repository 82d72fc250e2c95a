/**
 * A keeper that goes on while control begins anew in its own process: how its link is carried across execve(2), and how it is taken up
 * again. It still is our child, but Node has not started it, so its end is awaited here.
 */
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import type { KeeperEvents, KeeperLauncher, KeeperProcess } from "../ports/keeper-process.ts";
import type { Arena } from "./arena.ts";
import { becomeProgram } from "./exec.ts";
import { waitpid } from "./libc.ts";

/** In the environment of the program that begins anew: pid and descriptor. */
const MARK = "HOLDFAST_KEEPER";
const WNOHANG = 1;
const STANDARD_STREAMS = [0, 1, 2];
const REAP_MILLIS = 2;

export interface CarriedKeeper {
  readonly pid: number;
  readonly descriptor: number;
}

/** Does not come back when it works; the error is an errno. */
export function beginAnew(
  arena: Arena,
  keeper: CarriedKeeper,
  { argv, env }: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): number {
  const kept = [...STANDARD_STREAMS, keeper.descriptor];
  return becomeProgram(arena, { argv, env: { ...env, [MARK]: `${keeper.pid} ${keeper.descriptor}` }, kept });
}

/** The keeper that was left for this program; null: none, or it is not our child. Taken out of the environment: children must not see it. */
export function takeCarriedKeeper(): CarriedKeeper | null {
  const [pid, descriptor] = (process.env[MARK] ?? "").split(" ").map(Number);
  delete process.env[MARK];
  if (pid === undefined || descriptor === undefined || !(pid > 1) || !(descriptor > 2)) return null;
  return parentOf(pid) === process.pid ? { pid, descriptor } : null;
}

/** The first launch takes up the keeper that is there; every other one is the ordinary launcher's. */
export function adoptingLauncher(arena: Arena, carried: CarriedKeeper, next: KeeperLauncher): KeeperLauncher {
  let waiting: CarriedKeeper | null = carried;
  return {
    launch(events) {
      const keeper = waiting;
      waiting = null;
      return keeper === null ? next.launch(events) : adopt(arena, keeper, events);
    },
  };
}

function adopt(arena: Arena, { pid, descriptor }: CarriedKeeper, events: KeeperEvents): KeeperProcess {
  const link = new Socket({ fd: descriptor, readable: true, writable: true });
  const status = arena.allocate(8);
  let ended = false;
  // A closed link is a keeper that ends: waited for, because nobody may speak for one that may still act.
  const reap = (): void => {
    const reaped = waitpid(pid, arena.at(status), WNOHANG);
    if (reaped === 0) {
      setTimeout(reap, REAP_MILLIS);
      return;
    }
    if (ended) return;
    ended = true;
    const raw = arena.view.getInt32(status, true);
    const signal = raw & 0x7f;
    events.onExit(
      signal === 0 ? { code: (raw >> 8) & 0xff, signal: null } : { code: null, signal: `number ${signal}` },
    );
  };
  link.setEncoding("utf8");
  link.on("data", (text: string) => {
    if (!ended) events.onData(text);
  });
  link.on("error", () => undefined);
  link.once("close", reap);
  return {
    pid,
    adopted: true,
    send(text) {
      if (!ended && link.writable) link.write(text);
    },
    kill() {
      process.kill(pid, "SIGKILL");
    },
    detach() {
      ended = true;
      return leave(link);
    },
  };
}

/** Stops reading and gives the descriptor, which the next program inherits. */
export function leave(link: Socket): number | null {
  link.pause();
  const { fd } = (link as unknown as { readonly _handle: { readonly fd: number } | null })._handle ?? { fd: -1 };
  return fd < 0 ? null : fd;
}

/** proc(5), /proc/PID/stat field 4. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}
