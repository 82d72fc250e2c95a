/**
 * Whose an interface or a table is: Holdfast writes its process into the interface's alias and the table's comment, so that after
 * `kill -9` and a change of the file the next daemon still knows what to remove, and never removes anybody else's.
 *
 *     holdfast 1234 arp_ignore=0 arp_filter=0
 *
 * What follows the process are settings of the base as they were before, so that they can be given back after a crash as well.
 */

export interface OwnerTag {
  /** The keeper that made it. */
  readonly pid: number;
  /** Settings to give back, by name. */
  readonly saved: Readonly<Record<string, number>>;
}

const FORM = /^holdfast (\d{1,10})((?: [a-z_]{1,32}=-?\d{1,10})*)$/;

/** ifalias(5) holds 255 bytes; with the few settings there are, a tag never comes near. */
export function writeOwnerTag({ pid, saved }: OwnerTag): string {
  return ["holdfast", String(pid), ...Object.entries(saved).map(([name, value]) => `${name}=${value}`)].join(" ");
}

/** Null when it is not ours. */
export function readOwnerTag(text: string): OwnerTag | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const saved: Record<string, number> = {};
  for (const pair of (match[2] ?? "").split(" ")) {
    const [name, value] = pair.split("=");
    if (name !== undefined && value !== undefined) saved[name] = Number(value);
  }
  return { pid: Number(match[1]), saved };
}
