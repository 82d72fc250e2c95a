/**
 * Lines to the system's log by its socket /dev/log, in the form of RFC 3164, which every syslog daemon and journald read there.
 * A log that is full or gone loses lines; it never holds up the daemon.
 */
import type { Origin } from "../core/events/vocabulary.ts";
import type { Arena } from "./arena.ts";
import { close, sendto, socket } from "./libc.ts";

/** keepalived's names: people and tools filter by them. */
export const IDENTS: Readonly<Record<Origin, string>> = {
  parent: "Keepalived",
  vrrp: "Keepalived_vrrp",
  checks: "Keepalived_healthcheckers",
};

export interface Syslog {
  /** severity: 0 to 7 of syslog(3). */
  write(origin: Origin, line: string, severity: number): void;
  /** Appended to the idents from now on: network namespace and instance. */
  rename(suffix: string): void;
  close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const LINE_BYTES = 8_192;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export interface SyslogOptions {
  /** Number of the facility, 0 to 23 of syslog(3). */
  readonly facility: number;
  readonly path?: string;
}

export function openSyslog(arena: Arena, { facility, path = "/dev/log" }: SyslogOptions): Syslog {
  const descriptor = socket(AF_UNIX, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  // struct sockaddr_un { family, path[108] }
  const address = arena.allocate(110);
  const addressLength = 2 + Buffer.byteLength(path) + 1;
  arena.view.setUint16(address, AF_UNIX, true);
  arena.bytes.set(Buffer.from(path), address + 2);
  const buffer = arena.allocate(LINE_BYTES);
  let suffix = "";
  return {
    rename(text) {
      suffix = text;
    },
    write(origin, line, severity) {
      const priority = facility * 8 + severity;
      const bytes = Buffer.from(
        `<${priority}>${timestamp(new Date())} ${IDENTS[origin]}${suffix}[${process.pid}]: ${line}`,
      );
      const length = Math.min(bytes.length, LINE_BYTES);
      arena.bytes.set(bytes.subarray(0, length), buffer);
      sendto(descriptor, arena.at(buffer), length, MSG_DONTWAIT_NOSIGNAL, arena.at(address), addressLength);
    },
    close() {
      close(descriptor);
    },
  };
}

function timestamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = String(date.getDate()).padStart(2, " ");
  return `${MONTHS[date.getMonth()]} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
