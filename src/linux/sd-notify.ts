/**
 * Messages to the service manager by its datagram socket (sd_notify(3), systemd.service(5)). Without NOTIFY_SOCKET everything here
 * does nothing. Never waits: a manager that does not read loses messages.
 */
import type { Arena } from "./arena.ts";
import { close, sendto, socket } from "./libc.ts";

export interface ServiceManager {
  /** Lines such as "READY=1". */
  tell(...lines: readonly string[]): void;
  /** Half of what the manager waits for a sign of life, milliseconds; null when it does not. */
  readonly watchdogMillis: number | null;
}

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** struct sockaddr_un: family and 108 bytes of path. */
const PATH_MAX_BYTES = 107;
const MESSAGE_BYTES = 4_096;

const NOBODY: ServiceManager = { tell: () => undefined, watchdogMillis: null };

/** Takes the variables out of the environment: checks and hooks are not the service. */
export function openServiceManager(arena: Arena, env: NodeJS.ProcessEnv, pid: number): ServiceManager {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = env;
  delete env.NOTIFY_SOCKET;
  delete env.WATCHDOG_USEC;
  delete env.WATCHDOG_PID;
  if (path === undefined || !/^[/@]./.test(path) || Buffer.byteLength(path) > PATH_MAX_BYTES) return NOBODY;
  const address = arena.allocate(2 + PATH_MAX_BYTES + 1);
  arena.view.setUint16(address, AF_UNIX, true);
  const name = Buffer.from(path);
  // An abstract socket's name begins with a zero byte, written as @.
  if (name[0] === 0x40) name[0] = 0;
  arena.bytes.set(name, address + 2);
  const buffer = arena.allocate(MESSAGE_BYTES);
  const tell = (...lines: readonly string[]): void => {
    const bytes = Buffer.from(`${lines.join("\n")}\n`).subarray(0, MESSAGE_BYTES);
    const descriptor = socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    arena.bytes.set(bytes, buffer);
    sendto(descriptor, arena.at(buffer), bytes.length, MSG_DONTWAIT_NOSIGNAL, arena.at(address), 2 + name.length);
    close(descriptor);
  };
  const mine = watched === undefined || Number(watched) === pid;
  const micros = usec !== undefined && /^\d{1,15}$/.test(usec) && mine ? Number(usec) : 0;
  return { tell, watchdogMillis: micros > 0 ? Math.max(1, Math.floor(micros / 2_000)) : null };
}
