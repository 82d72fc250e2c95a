/** Unix time in fractional milliseconds: what all programs of a lab run can compare. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
