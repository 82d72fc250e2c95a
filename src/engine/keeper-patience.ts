/** How long a keeper may be silent before it is ended: the supervisor's measure. */
/** One heartbeat unanswered when the next is due: well below the shortest useful lease (2 s at 1 s adverts), far above a loaded host's delays. */
export const SILENCE_LIMIT_MILLIS = 900;
/** Taking over an instance is work of its own, on a busy host some milliseconds; the sum stays below that lease of 2 s. */
const SILENCE_PER_INSTANCE_MILLIS = 3;
const SILENCE_LIMIT_MOST_MILLIS = 1_800;
/** Of a keeper that holds and claims nothing: a new one would wait anew for all of Master_Down, and the host is most often only busy. */
const IDLE_PATIENCE = 3;

export function silenceLimit({ length }: readonly unknown[], idle: boolean): number {
  const limit = Math.min(SILENCE_LIMIT_MOST_MILLIS, SILENCE_LIMIT_MILLIS + length * SILENCE_PER_INSTANCE_MILLIS);
  return idle ? limit * IDLE_PATIENCE : limit;
}
