/**
 * One run: a pair in the lab, applications that write, the faults of a plan, then quiet, then the evidence. Whatever fails on the way is a
 * finding, not the end of the run.
 */
import { wallClock } from "../clock.ts";
import { VIP } from "../lab.ts";
import { sleep, until } from "../processes.ts";
import { Faults, type Struck } from "./faults.ts";
import type { DoneFault, Ending, Evidence } from "./judgement.ts";
import { CALM_MS, type PlannedFault, type Target, wordsOf } from "./plan.ts";
import type { Subject } from "./subject.ts";

/** Everything is healed, and writes go on. */
const QUIET_MS = 20_000;
const WHOLE_MS = 60_000;
/** What a strike or a heal may take without moving the plan. */
const LATE_MS = 3_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class NemesisRun {
  readonly #subject: Subject;
  readonly #say: (text: string) => void;
  readonly #remarks: { at: number; text: string; problem: boolean }[] = [];
  readonly #done: Mutable<DoneFault>[] = [];
  readonly #lasting = new Map<PlannedFault, { readonly struck: Struck; readonly done: Mutable<DoneFault> }>();
  readonly #faults: Faults;
  #began = 0;
  #late = 0;

  constructor(subject: Subject, say: (text: string) => void) {
    this.#subject = subject;
    this.#say = say;
    this.#faults = new Faults(subject, (text, problem) => this.#remark(text, problem));
  }

  async play(plan: readonly PlannedFault[]): Promise<Evidence> {
    this.#began = wallClock();
    const steps = plan.flatMap((fault) => [
      { at: fault.at, act: () => this.#strike(fault) },
      { at: fault.at + fault.lasts, act: () => this.#heal(fault) },
    ]);
    for (const { at, act } of steps.sort((a, b) => a.at - b.at)) {
      const due = (): number => this.#began + this.#late + at - wallClock();
      if (this.#lasting.size === 0 && due() > CALM_MS - 1_000) await this.#operate();
      // What the operator needs longer than the calm has time for moves everything after it.
      if (due() < -LATE_MS) this.#late -= due();
      await sleep(Math.max(0, due()));
      await act();
    }
    for (const fault of [...this.#lasting.keys()]) await this.#heal(fault);
    return await this.#evidence();
  }

  async #strike(fault: PlannedFault): Promise<void> {
    this.#tell(`FAULT   ${wordsOf(fault)}, for ${(fault.lasts / 1_000).toFixed(1)} s`);
    const done: Mutable<DoneFault> = { ...fault, struckAt: wallClock(), healedAt: 0 };
    const struck = await this.#attempt(`${fault.kind} on ${fault.target}`, () => this.#faults.strike(fault));
    if (struck === null) return;
    this.#done.push(done);
    this.#lasting.set(fault, { struck, done });
  }

  async #heal(fault: PlannedFault): Promise<void> {
    const lasting = this.#lasting.get(fault);
    if (lasting === undefined) return;
    this.#lasting.delete(fault);
    await this.#attempt(`healing ${fault.kind} on ${fault.target}`, () => lasting.struck.heal());
    lasting.done.healedAt = wallClock();
    this.#tell(`healed  ${fault.kind} on ${fault.target}`);
  }

  /** First what comes by itself, then what the manual leaves to people. */
  async #operate(): Promise<void> {
    await sleep(QUIET_MS);
    const done = await this.#attempt("the operator", () => this.#subject.operate());
    if (done !== null) this.#remark(done, false);
  }

  async #evidence(): Promise<Evidence> {
    const subject = this.#subject;
    this.#tell("quiet: everything is healed");
    await this.#operate();
    for (const { name } of subject.members) await this.#faults.ensureDaemon(name);
    const waiting = subject.whole(WHOLE_MS).then(
      () => null,
      (error) => String(error),
    );
    let notWhole = await waiting;
    await subject.stopWriting();
    const to = wallClock();
    notWhole ??= await subject.whole(WHOLE_MS).then(
      () => null,
      (error) => String(error),
    );
    const { probes, events } = subject.observer;
    const evidence = {
      guarded: subject.store !== null,
      faults: this.#done,
      writes: subject.writes(),
      probes: probes.filter(({ at }) => at <= to),
      addresses: [...events],
      remarks: this.#remarks,
      span: { from: this.#began, to },
    };
    const ending = await this.#ending(notWhole);
    return { ...evidence, ending };
  }

  async #ending(notWhole: string | null): Promise<Ending> {
    const subject = this.#subject;
    const writer = await subject.writer();
    const holders = await this.#holders();
    const keys = { db1: await this.#keysOn("db1"), db2: await this.#keysOn("db2") };
    const setAside = (await this.#attempt("reading the copies", () => subject.keysSetAside())) ?? new Set<string>();
    for (const { daemon } of subject.members) {
      await this.#attempt("stopping a daemon", async () => daemon?.stop());
    }
    // A kernel lifetime may have a second left.
    const left = await until(
      async () => ((await this.#holders()).length === 0 ? [] : undefined),
      "no address is left",
      5_000,
    ).catch(() => this.#holders());
    return { notWhole, writer, holders, keys, setAside, left };
  }

  async #keysOn(target: Target): Promise<ReadonlySet<string>> {
    const keys = await this.#attempt(`the keys of ${target}`, () => this.#subject.keysOn(target));
    return keys ?? new Set();
  }

  async #holders(): Promise<readonly Target[]> {
    const held = await Promise.all(this.#subject.members.map(({ host }) => host.holds(VIP)));
    return this.#subject.members.filter((_, index) => held[index]).map(({ name }) => name);
  }

  async #attempt<T>(what: string, body: () => Promise<T>): Promise<T | null> {
    try {
      return await body();
    } catch (error) {
      this.#remark(`${what}: ${error instanceof Error ? error.message : String(error)}`, true);
      return null;
    }
  }

  #remark(text: string, problem: boolean): void {
    this.#remarks.push({ at: wallClock(), text, problem });
    this.#tell(text);
  }

  #tell(text: string): void {
    this.#say(`${((wallClock() - this.#began) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  }
}
