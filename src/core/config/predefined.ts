/** Definitions that every configuration has: _HASH, _BANG, _PWD, _INSTANCE, _ENV and _RANDOM (keepalived.conf(5)). */
import { directoryOf } from "./paths.ts";
import type { ConfigSource } from "./source.ts";

/** The value, or null for a name that is none of them. `use` is the name with its arguments. */
export function predefined(
  source: ConfigSource,
  stack: readonly string[],
  configId: string,
  use: readonly string[],
): string | null {
  const [name, first, second] = use;
  if (name === "_HASH") return "#";
  if (name === "_BANG") return "!";
  if (name === "_PWD") return directoryOf(stack.at(-1) ?? "/");
  if (name === "_INSTANCE") return configId;
  if (name === "_ENV") return first === undefined ? null : source.env(first);
  if (name !== "_RANDOM") return null;
  const min = wholeNumber(first, 0);
  const max = wholeNumber(second, 32_767);
  return min === null || max === null || min > max ? null : String(source.random(min, max));
}

function wholeNumber(text: string | undefined, fallback: number): number | null {
  if (text === undefined) return fallback;
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
