/** Error codes that mean that the host has run out of something, not that the order was wrong. */
import type { Shortage } from "../ports/spawner.ts";

const SHORTAGES: Readonly<Record<string, Shortage>> = {
  EAGAIN: "processes",
  EMFILE: "descriptors",
  ENFILE: "descriptors",
  ENOMEM: "memory",
};

/** Null for every other error. */
export const shortageOf = (code: string | undefined): Shortage | null => SHORTAGES[code ?? ""] ?? null;
