/** Address families as the kernel numbers them (linux/socket.h). */
import type { Family } from "../lib/ip.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;

export const familyNumber = (family: Family): number => (family === 4 ? AF_INET : AF_INET6);

/** Null: a family that has no addresses of ours. */
export function familyOfNumber(number: number | undefined): Family | null {
  return number === AF_INET ? 4 : number === AF_INET6 ? 6 : null;
}
