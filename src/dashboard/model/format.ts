/** Lengths and times in few characters; the units are the same in both languages. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "0.4 s", "42 s", "4 min", "3 h 5 min", "2 d 4 h". */
export function lengthText(millis: number): string {
  const value = Math.max(0, millis);
  if (value < 10 * SECOND) return `${Number((value / SECOND).toFixed(1))} s`;
  if (value < 2 * MINUTE) return `${Math.floor(value / SECOND)} s`;
  if (value < HOUR) return `${Math.floor(value / MINUTE)} min`;
  if (value < DAY) return two(Math.floor(value / HOUR), "h", Math.floor((value % HOUR) / MINUTE), "min");
  return two(Math.floor(value / DAY), "d", Math.floor((value % DAY) / HOUR), "h");
}

const two = (large: number, unit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;

const pad = (value: number): string => String(value).padStart(2, "0");

/** Time of day of this browser, with the date when it is another day's. */
export function timeText(time: number, now: number): string {
  const date = new Date(time);
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return date.toDateString() === new Date(now).toDateString() ? clock : `${dayText(time)} ${clock}`;
}

export function dayText(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** A long text with its middle left out: both ends of a GTID set tell something. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(text.length - half)}`;
}
