/**
 * What each instance was, from when to when, and why: made from the events that the page has. The part of time that is shown is a
 * window; zooming and moving keep it inside what is known and end at now.
 */
import type { EventEntry, InstanceView } from "../../control/contract/types.ts";

type State = InstanceView["state"];
export type Cause = InstanceView["cause"];

export interface Segment {
  readonly start: number;
  /** Null: it lasts. */
  readonly end: number | null;
  /** Null: the daemon was not there. */
  readonly state: State | null;
  /** Null for what was before the first event. */
  readonly cause: Cause | null;
}

export interface Lane {
  readonly instance: string;
  readonly segments: readonly Segment[];
}

/** Milliseconds since the epoch; `follow`: the end moves with the clock. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly follow: boolean;
}

export const LEAST_SPAN = 5_000;
export const MOST_SPAN = 30 * 86_400_000;

export function lanesOf(events: readonly EventEntry[], instances: readonly InstanceView[], now: number): Lane[] {
  return instances.map(({ name, state, since, cause }) => {
    const segments = segmentsOf(events, name);
    const last = segments.at(-1);
    // The journal may not reach back to the present state.
    if (last === undefined)
      return { instance: name, segments: [{ start: Math.min(since, now), end: null, state, cause }] };
    return { instance: name, segments };
  });
}

function segmentsOf(events: readonly EventEntry[], instance: string): Segment[] {
  const segments: Segment[] = [];
  const begin = (start: number, state: State | null, cause: Cause | null): void => {
    const before = segments.pop();
    if (before !== undefined) segments.push({ ...before, end: start });
    segments.push({ start, end: null, state, cause });
  };
  const first = events[0];
  for (const { body, time } of events) {
    if (body.kind === "vrrp" && body.instance === instance && body.report.kind === "state") {
      const { from, to, cause } = body.report;
      if (segments.length === 0 && first !== undefined && first.time < time) begin(first.time, from, null);
      begin(time, to, cause);
    } else if (body.kind === "stopped" && segments.length > 0) begin(time, null, null);
  }
  return segments;
}

export const spanOf = (millis: number, now: number): Span => ({ start: now - millis, end: now, follow: true });

/** The window as it is now: one that follows ends at this moment. */
export function spanNow(span: Span, now: number): Span {
  return span.follow ? { start: now - (span.end - span.start), end: now, follow: true } : span;
}

/** `factor` below 1 comes nearer; `around` stays where it is, as a share of the width from 0 to 1. */
export function zoom(span: Span, factor: number, around: number, now: number): Span {
  const length = span.end - span.start;
  const wanted = Math.min(MOST_SPAN, Math.max(LEAST_SPAN, length * factor));
  const fixed = span.follow ? 1 : around;
  const start = span.start + (length - wanted) * fixed;
  return within({ start, end: start + wanted, follow: span.follow }, now);
}

/** By a share of the width; to the past when negative. */
export function move(span: Span, share: number, now: number): Span {
  const shift = (span.end - span.start) * share;
  return within({ start: span.start + shift, end: span.end + shift, follow: false }, now);
}

function within(span: Span, now: number): Span {
  if (span.end < now) return { ...span, follow: false };
  return { start: now - (span.end - span.start), end: now, follow: true };
}

/** Steps that people read: at most `most` of them, at round times of the local clock. */
export function ticks({ start, end }: Span, most: number): number[] {
  const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800];
  const step = (steps.find((seconds) => (end - start) / (seconds * 1_000) <= most) ?? 2_592_000) * 1_000;
  const zone = new Date(start).getTimezoneOffset() * 60_000;
  const first = Math.ceil((start - zone) / step) * step + zone;
  const found: number[] = [];
  for (let at = first; at < end; at += step) found.push(at);
  return found;
}
