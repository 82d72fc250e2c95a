/**
 * What each instance was and when, as coloured stretches with the name of the state in them, and the events of the same time as a list.
 * The window is moved and zoomed by buttons, keys, wheel and pointer.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { EventEntry } from "../../control/contract/types.ts";
import { timeText } from "../model/format.ts";
import { type Lane, lanesOf, move, type Span, spanNow, spanOf, ticks, zoom } from "../model/timeline.ts";
import { causeText, eventText } from "../words/words.ts";
import { useShared } from "./shared.ts";

const MINUTE = 60_000;
const RANGES = { m1: MINUTE, m10: 10 * MINUTE, h1: 60 * MINUTE, d1: 1_440 * MINUTE, d7: 10_080 * MINUTE } as const;
type Range = keyof typeof RANGES;
const NEARER = 0.5;
const STEP = 0.25;
const MOST_LISTED = 100;
const LANE_HEIGHT = 34;
const AXIS_HEIGHT = 22;

export function Timeline() {
  const { words, host, now } = useShared();
  const [span, setSpan] = useState<Span>(() => spanOf(RANGES.m10, now));
  const shown = spanNow(span, now);
  const { timeline: said } = words;
  const lanes = lanesOf(host.events, host.status?.instances ?? [], now);
  const change = (next: (span: Span) => Span): void => setSpan((before) => next(spanNow(before, now)));
  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title">{said.title}</h2>
      <div class="buttons small">
        {(Object.keys(RANGES) as Range[]).map((range) => (
          <button
            key={range}
            type="button"
            aria-pressed={shown.follow && Math.abs(shown.end - shown.start - RANGES[range]) < 1}
            onClick={() => setSpan(spanOf(RANGES[range], now))}
          >
            {said.ranges[range]}
          </button>
        ))}
        <button type="button" onClick={() => change((it) => move(it, -STEP, now))}>
          {said.earlier}
        </button>
        <button type="button" onClick={() => change((it) => move(it, STEP, now))}>
          {said.later}
        </button>
        <button type="button" data-zoom="in" onClick={() => change((it) => zoom(it, NEARER, 0.5, now))}>
          {said.zoomIn}
        </button>
        <button type="button" onClick={() => change((it) => zoom(it, 1 / NEARER, 0.5, now))}>
          {said.zoomOut}
        </button>
      </div>
      <Chart lanes={lanes} span={shown} onChange={change} />
      <Events span={shown} events={host.events} />
    </section>
  );
}

interface ChartProps {
  readonly lanes: readonly Lane[];
  readonly span: Span;
  readonly onChange: (next: (span: Span) => Span) => void;
}

function Chart({ lanes, span, onChange }: ChartProps) {
  const { words, now } = useShared();
  const area = useRef<HTMLDivElement>(null);
  const width = useWidth(area);
  useWheel(area, (factor, around) => onChange((it) => zoom(it, factor, around, now)));
  const drag = useDrag(width, (share) => onChange((it) => move(it, share, now)));
  const keys: Readonly<Record<string, (it: Span) => Span>> = {
    ArrowLeft: (it) => move(it, -STEP, now),
    ArrowRight: (it) => move(it, STEP, now),
    "+": (it) => zoom(it, NEARER, 0.5, now),
    "-": (it) => zoom(it, 1 / NEARER, 0.5, now),
    Home: (it) => spanOf(it.end - it.start, now),
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const act = keys[event.key === "=" ? "+" : event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onChange(act);
  };
  const place = (time: number): number => ((time - span.start) / (span.end - span.start)) * width;
  const height = lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  return (
    <>
      <div
        class="chart"
        ref={area}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved and zoomed by keys
        tabIndex={0}
        role="application"
        aria-labelledby="timeline-title"
        aria-describedby="timeline-help"
        onKeyDown={onKeyDown}
        {...drag}
      >
        <svg width={width} height={height} role="img" aria-label={summaryOf({ lanes, span, words, now })}>
          {ticks(span, Math.max(2, Math.floor(width / 110))).map((time) => (
            <g key={time} class="tick">
              <line x1={place(time)} x2={place(time)} y1={0} y2={height - AXIS_HEIGHT} />
              <text x={place(time)} y={height - 6} text-anchor="middle">
                {timeText(time, now)}
              </text>
            </g>
          ))}
          {lanes.map((lane, index) => (
            <LaneBars key={lane.instance} lane={lane} top={index * LANE_HEIGHT} place={place} width={width} />
          ))}
        </svg>
      </div>
      <p class="dim" id="timeline-help">
        {words.timeline.help}
      </p>
    </>
  );
}

interface LaneProps {
  readonly lane: Lane;
  readonly top: number;
  readonly place: (time: number) => number;
  readonly width: number;
}

/** Narrower stretches have no room for a name; the tip has it. */
const ROOM_FOR_NAME = 60;

function LaneBars({ lane, top, place, width }: LaneProps) {
  const { words, now } = useShared();
  return (
    <g>
      {lane.segments.map(({ start, end, state, cause }) => {
        const left = Math.max(0, place(start));
        const right = Math.min(width, place(end ?? now));
        if (right <= 0 || left >= width) return null;
        const name = state ?? words.timeline.absent;
        const why = cause === null ? "" : `${words.and}${words.timeline.because} ${causeText(words, cause)}`;
        return (
          <g key={start} class={`stretch ${(state ?? "absent").toLowerCase()}`} data-state={state ?? ""}>
            <rect x={left} y={top + 4} width={Math.max(2, right - left)} height={LANE_HEIGHT - 8} rx={3}>
              <title>{`${lane.instance}${words.colon}${name}${why}`}</title>
            </rect>
            {right - left > ROOM_FOR_NAME && (
              <text x={left + 6} y={top + LANE_HEIGHT / 2 + 5} clip-path="none">
                {right - left > 2.5 * ROOM_FOR_NAME ? `${lane.instance} ${name}` : name}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function summaryOf({
  lanes,
  span,
  words,
  now,
}: Pick<ChartProps, "lanes" | "span"> & Pick<ReturnType<typeof useShared>, "words" | "now">) {
  const { timeline } = words;
  const parts = lanes.map(({ instance, segments }) => {
    const changes = segments.filter(({ start, cause }) => cause !== null && start >= span.start && start <= span.end);
    return timeline.summary(instance, changes.length, segments.at(-1)?.state ?? timeline.absent);
  });
  return [timeline.shown(timeText(span.start, now), timeText(span.end, now)), ...parts].join(". ");
}

function Events({ span, events }: { readonly span: Span; readonly events: readonly EventEntry[] }) {
  const { words, now } = useShared();
  const [onlyStates, setOnlyStates] = useState(true);
  const { timeline: said } = words;
  const isState = ({ body }: EventEntry): boolean => body.kind === "vrrp" && body.report.kind === "state";
  const inside = events.filter((it) => it.time >= span.start && it.time <= span.end && (!onlyStates || isState(it)));
  const listed = inside.slice(-MOST_LISTED).reverse();
  return (
    <>
      <h3>{said.events}</h3>
      <label>
        <input
          type="checkbox"
          checked={onlyStates}
          onChange={({ currentTarget }) => setOnlyStates(currentTarget.checked)}
        />{" "}
        {said.transitions}
      </label>
      {inside.length > listed.length && <p class="dim">{said.most(listed.length)}</p>}
      {listed.length === 0 ? (
        <p class="dim">{said.noEvents}</p>
      ) : (
        <ol class="events">
          {listed.map((entry) => {
            const { text, foreign } = eventText(words, entry);
            return (
              <li key={entry.sequence} data-kind={entry.body.kind}>
                <time dateTime={new Date(entry.time).toISOString()}>{timeText(entry.time, now)}</time>{" "}
                <span {...(foreign ? { lang: "en" } : {})}>{text}</span>
              </li>
            );
          })}
        </ol>
      )}
    </>
  );
}

function useWidth(area: { readonly current: HTMLDivElement | null }): number {
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** With Ctrl, as maps do it: a plain wheel scrolls the page. Not passive, or the browser would zoom the page. */
function useWheel(
  area: { readonly current: HTMLDivElement | null },
  zoomBy: (factor: number, around: number) => void,
): void {
  const latest = useRef(zoomBy);
  latest.current = zoomBy;
  useEffect(() => {
    const element = area.current;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const box = element?.getBoundingClientRect();
      if (box === undefined) return;
      latest.current(event.deltaY < 0 ? 0.8 : 1.25, (event.clientX - box.left) / box.width);
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, []);
}

function useDrag(width: number, moveBy: (share: number) => void) {
  const from = useRef<number | null>(null);
  const end = (): void => {
    from.current = null;
  };
  return {
    onPointerDown(event: PointerEvent) {
      from.current = event.clientX;
    },
    onPointerMove(event: PointerEvent) {
      if (from.current === null || event.buttons === 0 || width === 0) return;
      moveBy((from.current - event.clientX) / width);
      from.current = event.clientX;
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}
