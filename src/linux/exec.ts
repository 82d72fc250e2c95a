/** execve(2): this process becomes another program, or the same one anew, with the same pid. */
import type { Arena } from "./arena.ts";
import { execve, fcntl } from "./libc.ts";

const F_SETFD = 2;

export interface Program {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Descriptors that the program inherits; Node marks all others to be closed. */
  readonly kept: readonly number[];
}

/** Does not come back when it works; otherwise an errno. */
export function becomeProgram(arena: Arena, { argv, env, kept }: Program): number {
  for (const descriptor of kept) fcntl(descriptor, F_SETFD, 0);
  const pairs = Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return execve(pointerTo(arena, argv[0] ?? process.execPath), vector(arena, argv), vector(arena, pairs));
}

/** Never given back: the process begins anew, or ends with an error. */
export function pointerTo(arena: Arena, text: string): number {
  const bytes = Buffer.from(text);
  const offset = arena.allocate(bytes.length + 1);
  arena.bytes.set(bytes, offset);
  return arena.at(offset);
}

/** A list of pointers that ends with a null. */
function vector(arena: Arena, texts: readonly string[]): number {
  const offset = arena.allocate((texts.length + 1) * 8);
  for (const [index, text] of texts.entries()) arena.setPointer(offset + index * 8, pointerTo(arena, text));
  return arena.at(offset);
}
