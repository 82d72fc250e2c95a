/** A managed server and its peer as models, with the manager between them, in virtual time. */
import type { HoldfastEventBody } from "../../core/events/vocabulary.ts";
import { ok } from "../../core/lib/result.ts";
import { millis } from "../../core/lib/units.ts";
import type { BinlogExport } from "../../ports/binlog-export.ts";
import type { Notes } from "../../ports/notes.ts";
import type { GateAnswer } from "../hook-engine.ts";
import { Fences } from "../mysql-fence.ts";
import { createMysqlManager, type MysqlManager } from "../mysql-manager.ts";
import type { TakeoverTools } from "../mysql-takeover.ts";
import { configOf } from "./configs.ts";
import { type ModelNetwork, ModelServer, modelNetwork } from "./model-mariadb.ts";
import { NO_COPIES, NO_FENCES, NO_TAKEOVER } from "./no-watches.ts";
import { createVirtualTimers, type VirtualTimers } from "./virtual-timers.ts";

export type StepEvent = Extract<HoldfastEventBody, { kind: "mysql-step" }>;

const CONFIG = (lines: string, instance: string) =>
  configOf(
    `mysql orders {\nserver 127.0.0.1\npeer 192.0.2.2\nrecord_position /positions\n${lines}\n}\n` +
      `vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.100\n}\nmanage_mysql orders\n${instance}\n}\n`,
  );

/** `lines` of the mysql block, `instance` of the vrrp_instance. */
export function managedWorld(lines = "", instance = "nopreempt"): ManagedWorld {
  return new ManagedWorld(lines, instance);
}

export function memoryNotes(): Notes {
  const texts = new Map<string, string>();
  return {
    read: async (name) => texts.get(name) ?? null,
    write: async (name, text) => {
      texts.set(name, text);
      return null;
    },
    remove: async (name) => {
      texts.delete(name);
    },
  };
}

class ManagedWorld {
  readonly timers: VirtualTimers;
  readonly own: ModelServer;
  readonly peer: ModelServer;
  /** Follows the peer; asked only where the lines name 192.0.2.3 as a replica. */
  readonly replica: ModelServer;
  readonly network: ModelNetwork;
  readonly events: StepEvent[] = [];
  readonly answers: GateAnswer[] = [];
  readonly files: string[] = [];
  readonly exports: BinlogExport[] = [];
  exportText: readonly string[] = [];
  tails: TakeoverTools["tails"] | null = null;
  readonly isolated: (number | null)[] = [];
  readonly handedOver: string[] = [];
  readonly gateway: { answer: "reachable" | "unreachable" | null } = { answer: "reachable" };
  readonly fences = new Fences(NO_FENCES, () => undefined);
  readonly notes: Notes;
  readonly disk = { writable: true };
  readonly onEvent: { call: (event: StepEvent) => void } = { call: () => undefined };
  readonly onHandOver: { call: () => void } = { call: () => undefined };
  readonly manager: MysqlManager;
  readonly #written: { readonly lines: string; readonly instance: string };
  #gate = 0;

  constructor(lines: string, instance: string, before: ManagedWorld | null = null) {
    this.#written = { lines, instance };
    this.timers = before?.timers ?? createVirtualTimers();
    this.own = before?.own ?? new ModelServer("192.0.2.1", 1);
    this.peer = before?.peer ?? new ModelServer("192.0.2.2", 2);
    this.replica = before?.replica ?? new ModelServer("192.0.2.3", 3);
    this.network = before?.network ?? modelNetwork(this.own, [this.own, this.peer, this.replica]);
    this.notes = before?.notes ?? memoryNotes();
    if (before === null) this.#join();
    this.manager = createMysqlManager({
      tools: this.#tools(),
      publish: (body) => {
        if (body.kind !== "mysql-step") return;
        this.events.push(body);
        this.onEvent.call(body);
      },
      fences: this.fences,
      isolate: (_, milliseconds) => this.isolated.push(milliseconds),
      handOver: (name) => {
        this.handedOver.push(name);
        this.onHandOver.call();
      },
      answer: (answer) => this.answers.push(answer),
      next: ({ instance: name, gate }) => this.answers.push({ instance: name, gate, opened: true, reason: "" }),
    });
    this.manager.configure(CONFIG(lines, instance));
  }

  #join(): void {
    this.own.source = this.peer;
    this.peer.source = this.own;
    this.replica.source = this.peer;
    this.replica.sources = [this.own, this.peer];
    for (const one of [this.own, this.peer, this.replica]) one.io = true;
  }

  /** Another daemon, that many milliseconds after this one has ended. */
  async restarted(gapMillis: number): Promise<ManagedWorld> {
    this.manager.entered("V", "STOP");
    await this.pass(20);
    await this.manager.stop();
    this.timers.freeze(millis(gapMillis));
    const { lines, instance } = this.#written;
    const next = new ManagedWorld(lines, instance, this);
    await next.pass(50);
    await next.manager.guard();
    return next;
  }

  #tools(): TakeoverTools {
    const tails = () => this.tails ?? NO_TAKEOVER.tails;
    return {
      sql: this.network,
      timers: this.timers,
      gateway: { ask: async () => this.gateway.answer },
      positions: {
        write: async (directory, name) => {
          this.files.push(`${directory}/${name}`);
          return ok(name);
        },
      },
      exporter: {
        run: async (order) => {
          this.exports.push(order);
          for (const line of this.exportText) order.line(line);
          return ok(order.file === null ? null : `/state/${order.file}`);
        },
      },
      get tails() {
        return tails();
      },
      copies: NO_COPIES,
      logins: NO_TAKEOVER.logins,
      notes: this.notes,
      records: this.notes,
      wallMillis: () => Date.UTC(2026, 0, 2, 3, 4, 5) + Math.floor((this.timers.now() - 1_000_000) / 1_000),
      flush: async () => this.disk.writable,
    };
  }

  /** The check sees the own server, and what follows from it is done. */
  async look(): Promise<void> {
    const { own, peer } = this;
    const barred = own.user !== "repl";
    const replica = {
      channel: "",
      source: "192.0.2.2:3306",
      io: own.io && !barred ? (peer.reach === "up" ? "running" : "connecting") : "stopped",
      sql: "running",
      lag: 0,
      drained: true,
      ioError: null,
      sqlError: null,
    } as const;
    this.manager.looked("orders", {
      version: { product: "mariadb", major: 10, minor: 11, patch: 19 },
      closedBy: own.readOnly ? "read_only" : null,
      connections: null,
      replicas: [replica],
      blindFor: null,
      disks: [],
    });
    await this.pass(20);
  }

  /** Seen following, with the other daemon logged in. */
  async follows(): Promise<void> {
    await this.look();
  }

  /** Asks the gate and lets time pass until it is answered, or for that long. */
  async ask(which: "claim" | "release", limitMillis = 15_000): Promise<GateAnswer | undefined> {
    this.#gate += 1;
    const gate = this.#gate;
    this.manager.ask({ instance: "V", which, gate, priority: 100 });
    const answer = () => this.answers.find((one) => one.gate === gate);
    for (let passed = 0; passed < limitMillis && answer() === undefined; passed += 10) await this.pass(10);
    return answer();
  }

  /** Becomes the writer, as after a claim. */
  async serve(): Promise<void> {
    await this.look();
    await this.ask("claim");
    this.manager.entered("V", "MASTER");
  }

  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      for (const server of [this.own, this.peer, this.replica]) {
        server.receive();
        server.work();
      }
      await this.timers.advance(millis(10));
      for (let turn = 0; turn < 60; turn++) await Promise.resolve();
    }
  }

  lastGate(): number {
    return this.#gate;
  }
}
