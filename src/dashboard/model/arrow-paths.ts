/** Lines between boxes on the page, in pixels. Pure geometry: from the nearest sides, several beside each other. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Path {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  /** Where a label stands, and which part of it: above a line across, beside one that goes down. */
  readonly label: readonly [number, number];
  readonly anchor: "start" | "middle" | "end";
}

/** Between two lanes. */
const LANE = 26;
const LABEL_GAP = 7;

/** `lane` counts from 0; lanes lie on both sides of the middle. */
export function pathBetween(a: Box, b: Box, lane: number): Path {
  const shift = (Math.ceil(lane / 2) * (lane % 2 === 0 ? 1 : -1) + 0.5) * LANE;
  const across = a.right <= b.left || b.right <= a.left;
  const from = across ? sideways(a, b, shift) : downwards(a, b, shift);
  const to = across ? sideways(b, a, shift) : downwards(b, a, shift);
  const [x, y] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  if (across) return { from, to, label: [x, y - LABEL_GAP], anchor: "middle" };
  // Away from the lane on the other side.
  return { from, to, label: [x + Math.sign(shift) * LABEL_GAP, y], anchor: shift < 0 ? "end" : "start" };
}

/** Point on the side of `a` that looks at `b`. */
function sideways(a: Box, b: Box, shift: number): readonly [number, number] {
  const middle = (Math.max(a.top, b.top) + Math.min(a.bottom, b.bottom)) / 2;
  const own = (a.top + a.bottom) / 2;
  const overlap = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return [a.right <= b.left ? a.right : a.left, (overlap > 0 ? middle : own) + shift];
}

function downwards(a: Box, b: Box, shift: number): readonly [number, number] {
  return [(a.left + a.right) / 2 + shift, a.bottom <= b.top ? a.bottom : a.top];
}
