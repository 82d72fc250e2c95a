import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HoldfastEvent, HoldfastEventBody } from "../core/events/vocabulary.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { readJournal } from "./journal-reader.ts";
import { eventAt, fakeClock } from "./testing/samples.ts";

const NEVER = 3_600_000;
let folder: string;
let plane: ControlPlane | null = null;
let told: string[] = [];
let unwritable = 0;
let publish: (body: HoldfastEventBody) => void = () => undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-plane-"));
  told = [];
  unwritable = 0;
});
afterEach(async () => {
  await plane?.close();
  plane = null;
  rmSync(folder, { recursive: true });
});

const stateDir = (): string => join(folder, "state");

async function start(journalRetryMillis: number): Promise<ControlPlane> {
  const clock = fakeClock();
  const listeners: ((event: HoldfastEvent) => void)[] = [];
  publish = (body) => {
    for (const listener of listeners) listener(eventAt(clock, body));
  };
  plane = await startControlPlane({
    clock,
    events: {
      subscribe: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    version: "0.1.0",
    pid: 1,
    configFile: "/k.conf",
    stateDir: stateDir(),
    socketPath: join(folder, "s"),
    dashboardFolder: folder,
    actions: {
      status: async () => [],
      reload: async () => ({ outcome: "unchanged", changes: [], diagnostics: [], detail: "" }),
    },
    onJournalUnwritable: () => {
      unwritable += 1;
    },
    publish: (body) => publish(body),
    onProblem: (message) => told.push(message),
    journalRetryMillis,
  });
  return plane;
}

const reload = (detail: string): HoldfastEventBody => ({ kind: "reload", outcome: "applied", detail });
const stopping: HoldfastEventBody = { kind: "stopping", signal: "SIGTERM" };

/** A file where the directory should be: nobody, not even root, can make a journal there. */
const block = (): void => writeFileSync(stateDir(), "");
const unblock = (): void => rmSync(stateDir());

async function written(): Promise<readonly [number, string][]> {
  const { events } = await readJournal(stateDir(), {}, 100);
  return events.map((entry) => [entry.sequence, entry.body.kind]);
}

/** The test's own time limit ends a wait that never ends. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a journal that cannot be opened at the start", () => {
  it("is reported once, and is tried again by itself; what happened meanwhile is written then", async () => {
    block();
    const { readModel } = await start(20);
    expect(told).toEqual([expect.stringMatching(/cannot be opened: .*; make it a directory/)]);
    publish(stopping);
    expect(readModel.status().journal.writable).toBe(false);
    unblock();
    await until(() => plane?.journal !== null);
    expect(readModel.status().journal).toMatchObject({ writable: true, detail: null });
    publish(stopping);
    await plane?.journal?.flush();
    expect(await written()).toEqual([
      [1, "stopping"],
      [2, "stopping"],
    ]);
    expect(told.slice(1)).toEqual([`the journal in ${stateDir()} can be written now`]);
    expect(unwritable).toBe(1);
  });

  it("is tried at a reload, without waiting", async () => {
    block();
    await start(NEVER);
    unblock();
    publish(reload("a"));
    await until(() => plane?.journal !== null);
    await plane?.journal?.flush();
    expect(await written()).toEqual([[1, "reload"]]);
  });

  it("goes on with the numbers of the journal that is found there", async () => {
    mkdirSync(stateDir());
    await start(NEVER);
    for (const detail of ["a", "b", "c"]) publish(reload(detail));
    await plane?.close();
    const aside = join(folder, "aside");
    renameSync(stateDir(), aside);
    block();
    const { readModel } = await start(NEVER);
    publish(stopping);
    expect(readModel.recent().map((entry) => entry.sequence)).toEqual([1]);
    unblock();
    renameSync(aside, stateDir());
    publish(reload("d"));
    await until(() => plane?.journal !== null);
    await plane?.journal?.flush();
    expect((await written()).map(([sequence]) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(readModel.recent().map((entry) => entry.sequence)).toEqual([4, 5]);
  });

  it("does not keep the daemon from stopping", async () => {
    block();
    await start(NEVER);
    await plane?.close();
    unblock();
    publish(reload("late"));
    expect(plane?.journal).toBeNull();
    plane = null;
  });
});
