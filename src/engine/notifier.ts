/**
 * Tells FIFOs and mail what instances and sync groups do, in the keeper's order. Keeps the state that each was last told,
 * decides what is told by the configuration in force, and owns pipes and mail queue; hooks are hook-engine's.
 */
import { hostname } from "node:os";
import type { FifoConfig, HoldfastConfig, InstanceNotices } from "../core/config/model.ts";
import type { HostEventBody } from "../core/events/host-events.ts";
import { eventLine, groupLine, instanceLine } from "../core/notify/fifo-lines.ts";
import { groupAlert, instanceAlert, type MailAlert } from "../core/notify/mail-alert.ts";
import { type ToldState, toldState } from "../core/notify/told-state.ts";
import type { VrrpReport } from "../core/vrrp/reports.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { FifoPort } from "../ports/fifo.ts";
import type { Mailer } from "../ports/mailer.ts";
import type { Spawner } from "../ports/spawner.ts";
import type { Timers } from "../ports/timers.ts";
import { scriptPolicy } from "./check-engine.ts";
import { createFifoWriter, type FifoWriter } from "./fifo-writer.ts";
import { createMailQueue, type MailQueue } from "./mail-queue.ts";

export interface NotifierOptions {
  readonly timers: Timers;
  readonly spawner: Spawner;
  readonly fifos: FifoPort;
  readonly mailer: Mailer;
  readonly wallMillis: () => number;
  readonly publish: (body: HostEventBody) => void;
  /** The whole daemon stops, so that STOP is told as STOP and not as the end of one instance. */
  readonly stopping: () => boolean;
}

export interface Notifier {
  /** At start and at each reload: pipes whose line in the file is unchanged, and their readers, go on. */
  configure(config: HoldfastConfig): void;
  /** Call with every report of the keeper, in its order. */
  report(instance: string, report: VrrpReport): void;
  /** A sync group has entered a state, after its members. */
  group(name: string, to: VrrpStateName): void;
  /** Virtual and real servers: a line for their pipes and a mail, either of which may be missing. */
  server(told: { readonly line: string | null; readonly alert: MailAlert | null }): void;
  /** Writes what is left, ends the readers; nothing is told afterwards. */
  close(): Promise<void>;
  kill(): void;
}

interface Pipe {
  readonly keyword: FifoConfig["keyword"];
  readonly writer: FifoWriter;
}

interface Told {
  state: ToldState | null;
  priority: number;
  notices: InstanceNotices;
  lastMail: ToldState | null;
  /** It has stopped: nothing more is to come, unless it begins anew. */
  ended: boolean;
}

const SILENT: InstanceNotices = { mail: false, priorityChanges: false, deleted: false };

const newTold = (): Told => ({ state: null, priority: 0, notices: SILENT, lastMail: null, ended: false });

export function createNotifier(options: NotifierOptions): Notifier {
  return new Teller(options);
}

class Teller implements Notifier {
  readonly #options: NotifierOptions;
  readonly #mail: MailQueue;
  readonly #instances = new Map<string, Told>();
  readonly #groups = new Map<string, Told>();
  #writers: readonly Pipe[] = [];
  /** Pipes that a reload took out of use and that still let their reader finish. */
  readonly #leaving = new Set<Promise<void>>();
  #config: HoldfastConfig | null = null;

  constructor(options: NotifierOptions) {
    this.#options = options;
    const { timers, mailer, wallMillis, publish } = options;
    this.#mail = createMailQueue({ timers, mailer, wallMillis, hostName: hostname() }, publish);
  }

  configure(config: HoldfastConfig): void {
    const reload = this.#config !== null;
    this.#config = config;
    this.#mail.configure(config.global.mail);
    this.#configureFifos(config);
    for (const { vrrp, notices } of config.instances) this.#instance(vrrp.name).notices = notices;
    this.#forget(config);
    if (reload && config.global.notify.statesOnReload) this.#tellStates(config);
  }

  report(instance: string, report: VrrpReport): void {
    const told = this.#instance(instance);
    if (report.kind !== "state") {
      if (report.kind === "priority") told.priority = report.to;
      const line = eventLine(instance, report, { state: told.state, priorityChanges: told.notices.priorityChanges });
      if (line !== null) this.#write(line);
      return;
    }
    const { deleted } = told.notices;
    const state = toldState(report.to, { stopping: this.#options.stopping(), deleted });
    told.ended = report.to === "STOP";
    if (told.ended && !this.#configured(instance)) this.#instances.delete(instance);
    if (state === null) return;
    told.state = state;
    told.priority = report.priority;
    this.#write(instanceLine(instance, state, report.priority));
    if (this.#mailWanted(told, state, told.notices.mail)) {
      this.#mail.send(instanceAlert(this.#routerId(), instance, state));
    }
  }

  group(name: string, to: VrrpStateName): void {
    const state = toldState(to, { stopping: this.#options.stopping(), deleted: false });
    if (state === null) return;
    const told = this.#groups.get(name) ?? newTold();
    this.#groups.set(name, told);
    told.state = state;
    const mail = this.#config?.groups.find((group) => group.name === name)?.mail ?? false;
    this.#write(groupLine(name, state));
    if (this.#mailWanted(told, state, mail)) this.#mail.send(groupAlert(this.#routerId(), name, state));
  }

  server({ line, alert }: { readonly line: string | null; readonly alert: MailAlert | null }): void {
    for (const { keyword, writer } of this.#writers) {
      if (line !== null && keyword !== "vrrp_notify_fifo") writer.write(line);
    }
    if (alert !== null && (this.#config?.global.mail ?? null) !== null) {
      this.#mail.send({ ...alert, subject: `[${this.#routerId()}] ${alert.subject}` });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers.map(({ writer }) => writer.close()), ...this.#leaving, this.#mail.close()]);
  }

  kill(): void {
    for (const { writer } of this.#writers) writer.kill();
  }

  #configureFifos(config: HoldfastConfig): void {
    const policy = scriptPolicy(config);
    const left = [...this.#writers];
    this.#writers = config.global.notify.fifos.map((fifo) => {
      const same = left.findIndex(({ writer }) => writer.matches(fifo, policy));
      const [kept] = same < 0 ? [] : left.splice(same, 1);
      const writer = kept?.writer ?? createFifoWriter(this.#options, { config: fifo, policy }, this.#options.publish);
      return { keyword: fifo.keyword, writer };
    });
    for (const { writer } of left) {
      const leaving = writer.close().then(() => void this.#leaving.delete(leaving));
      this.#leaving.add(leaving);
    }
  }

  /** Of instances that are gone the end is still to be told, if the keeper has not reported it yet. */
  #forget(config: HoldfastConfig): void {
    const instances = new Set(config.instances.map(({ vrrp }) => vrrp.name));
    for (const [name, { ended }] of this.#instances) {
      if (ended && !instances.has(name)) this.#instances.delete(name);
    }
    const groups = new Set(config.groups.map(({ name }) => name));
    for (const name of this.#groups.keys()) if (!groups.has(name)) this.#groups.delete(name);
  }

  #configured(instance: string): boolean {
    return this.#config?.instances.some(({ vrrp }) => vrrp.name === instance) ?? false;
  }

  /** fifo_write_vrrp_states_on_reload; keepalived writes groups first. */
  #tellStates(config: HoldfastConfig): void {
    for (const [name, { state }] of this.#groups) if (state !== null) this.#write(groupLine(name, state));
    for (const { vrrp } of config.instances) {
      const told = this.#instances.get(vrrp.name);
      if (told !== undefined && told.state !== null) this.#write(instanceLine(vrrp.name, told.state, told.priority));
    }
  }

  #instance(name: string): Told {
    const known = this.#instances.get(name);
    if (known !== undefined) return known;
    const told = newTold();
    this.#instances.set(name, told);
    return told;
  }

  #write(line: string): void {
    for (const { keyword, writer } of this.#writers) if (keyword !== "lvs_notify_fifo") writer.write(line);
  }

  /** Never the same state twice in a row, as keepalived. */
  #mailWanted(told: Told, state: ToldState, wanted: boolean): boolean {
    const mail = this.#config?.global.mail ?? null;
    if (mail === null || !wanted || told.lastMail === state || (mail.noFaults && state === "FAULT")) return false;
    told.lastMail = state;
    return true;
  }

  #routerId(): string {
    return this.#config?.global.routerId ?? hostname();
  }
}
