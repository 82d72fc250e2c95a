import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProcessMeter } from "./process-figures.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("the event loop is measured only while somebody asks: it costs fifty wake-ups a second", () => {
  const meter = new ProcessMeter();
  expect(meter.measures).toBe(false);
  expect(meter.read().loopLag).toEqual({ p50: 0, p99: 0, max: 0 });
  expect(meter.measures).toBe(true);
  vi.advanceTimersByTime(299_000);
  meter.read();
  vi.advanceTimersByTime(299_000);
  expect(meter.measures).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect(meter.measures).toBe(false);
  meter.read();
  meter.stop();
  expect(meter.measures).toBe(false);
});
