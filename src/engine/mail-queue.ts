/**
 * Alert mail: one at a time, in order, never in anybody's way. While the server does not take mail QUEUE_MAILS wait and are
 * tried again with a pause that doubles; beyond that the newest is dropped. The failure is told once, not once a mail.
 */
import type { MailConfig } from "../core/config/model.ts";
import type { HostEventBody } from "../core/events/host-events.ts";
import { type Micros, micros, seconds, toMillis } from "../core/lib/units.ts";
import type { MailAlert } from "../core/notify/mail-alert.ts";
import type { Mailer } from "../ports/mailer.ts";
import type { Timer, Timers } from "../ports/timers.ts";

export const QUEUE_MAILS = 100;
const RETRY_MIN = seconds(5);
const RETRY_MAX = seconds(300);
/** What mail may take of the stop. */
export const CLOSE_LIMIT = seconds(2);

export interface MailTools {
  readonly timers: Timers;
  readonly mailer: Mailer;
  readonly wallMillis: () => number;
  readonly hostName: string;
}

export interface MailQueue {
  configure(config: MailConfig | null): void;
  send(alert: MailAlert): void;
  /** Resolves when all has gone out or CLOSE_LIMIT has passed. */
  close(): Promise<void>;
}

export function createMailQueue(tools: MailTools, publish: (body: HostEventBody) => void): MailQueue {
  return new Queue(tools, publish);
}

interface Waiting {
  readonly alert: MailAlert;
  readonly time: number;
}

class Queue implements MailQueue {
  readonly #tools: MailTools;
  readonly #publish: (body: HostEventBody) => void;
  #config: MailConfig | null = null;
  readonly #waiting: Waiting[] = [];
  #sending = false;
  #failing = false;
  #pause: Micros = RETRY_MIN;
  #retry: Timer | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(tools: MailTools, publish: (body: HostEventBody) => void) {
    this.#tools = tools;
    this.#publish = publish;
  }

  configure(config: MailConfig | null): void {
    const before = this.#config;
    this.#config = config;
    if (config === null) this.#waiting.length = 0;
    // Another server is worth another try at once.
    if (before?.host !== config?.host || before?.port !== config?.port) this.#pumpNow();
  }

  send(alert: MailAlert): void {
    if (this.#config === null) return;
    if (this.#waiting.length >= QUEUE_MAILS) {
      this.#tell("dropped", alert, `${QUEUE_MAILS} mails wait already`);
      return;
    }
    this.#waiting.push({ alert, time: this.#tools.wallMillis() });
    this.#pump();
  }

  close(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#sending) return Promise.resolve();
    // A server that does not answer is not waited for.
    if (this.#failing) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = this.#tools.timers.schedule(CLOSE_LIMIT, resolve);
      this.#onEmpty = () => {
        limit.cancel();
        resolve();
      };
    });
  }

  #pumpNow(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#pump();
  }

  #pump(): void {
    const config = this.#config;
    const next = this.#waiting[0];
    if (this.#sending || this.#retry !== null) return;
    if (config === null || next === undefined) {
      this.#onEmpty?.();
      return;
    }
    this.#sending = true;
    const { hostName, mailer } = this.#tools;
    const { host, port, to, from, helo, connectTimeout } = config;
    const order = { host, port, to, from: from ?? `keepalived@${hostName}`, helo: helo ?? hostName };
    mailer.send({ ...order, timeoutMillis: toMillis(connectTimeout), ...next.alert, time: next.time }).then(
      () => this.#sent(next),
      (error: unknown) => this.#failed(next, error instanceof Error ? error.message : String(error)),
    );
  }

  #sent(mail: Waiting): void {
    this.#sending = false;
    this.#failing = false;
    this.#pause = RETRY_MIN;
    if (this.#waiting[0] === mail) this.#waiting.shift();
    this.#tell("sent", mail.alert, "");
    this.#pump();
  }

  #failed(mail: Waiting, detail: string): void {
    this.#sending = false;
    if (!this.#failing) this.#tell("failed", mail.alert, detail);
    this.#failing = true;
    this.#onEmpty?.();
    this.#retry = this.#tools.timers.schedule(this.#pause, () => this.#pumpNow());
    this.#pause = micros(Math.min(this.#pause * 2, RETRY_MAX));
  }

  #tell(action: "sent" | "failed" | "dropped", { subject }: MailAlert, detail: string): void {
    const server = this.#config === null ? "" : `${this.#config.host}:${this.#config.port}`;
    this.#publish({ kind: "mail", server, action, subject, detail });
  }
}
