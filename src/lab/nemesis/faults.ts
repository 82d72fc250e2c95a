/**
 * Does to a pair what the plan says, and undoes it. A process that was stopped or killed is named by its id and start time, so that nobody else is
 * hit who got the number since.
 */
import { VIP } from "../lab.ts";
import { startTime } from "../processes.ts";
import { type FaultKind, otherOf, type PlannedFault, type Target } from "./plan.ts";
import type { PairStore } from "./store.ts";
import type { Subject, SubjectMember } from "./subject.ts";

type Undo = () => void | Promise<void>;

export interface Struck {
  heal(): Promise<void>;
}

/** What is found to be otherwise than the nemesis left it. */
export type Remark = (text: string, problem: boolean) => void;

export class Faults {
  readonly #subject: Subject;
  readonly #remark: Remark;
  /** Whose daemon the nemesis has ended itself. */
  readonly #ended = new Set<Target>();

  constructor(subject: Subject, remark: Remark) {
    this.#subject = subject;
    this.#remark = remark;
  }

  async strike({ kind, target }: Pick<PlannedFault, "kind" | "target">): Promise<Struck> {
    await this.ensureDaemon(target);
    const undo = await this.#do(kind, target);
    return {
      heal: async () => {
        await undo();
      },
    };
  }

  /** A daemon that ended without being killed is a finding; it is started again, as systemd would. */
  async ensureDaemon(target: Target): Promise<void> {
    if (this.#ended.has(target) || !this.#hasEnded(target)) return;
    const last =
      this.#member(target)
        .daemon?.program.lines.slice(-3)
        .map(({ text }) => text) ?? [];
    this.#remark(`the daemon on ${target} has ended by itself: ${last.join(" | ")}`, true);
    this.#subject.startDaemon(target);
  }

  #hasEnded(target: Target): boolean {
    return this.#member(target).daemon?.program.running !== true;
  }

  #member(target: Target): SubjectMember {
    const found = this.#subject.members.find(({ name }) => name === target);
    if (found === undefined) throw new Error(`the pair has no ${target}`);
    return found;
  }

  async #do(kind: FaultKind, target: Target): Promise<Undo> {
    switch (kind) {
      case "kill-daemon":
        return await this.#killDaemon(target, "both");
      case "kill-control":
        return await this.#killDaemon(target, "control");
      case "kill-keeper":
        return await this.#killKeeper(target);
      case "freeze-daemon":
        return await this.#freeze(target, ["keeper", "control"]);
      case "freeze-keeper":
        return await this.#freeze(target, ["keeper"]);
      case "freeze-control":
        return await this.#freeze(target, ["control"]);
      case "power-off":
        return await this.#powerOff(target);
      case "kill-database":
        await this.#subject.killDatabase(target);
        return () => this.#startDatabase(target);
      case "restart-database":
        await this.#subject.stopDatabase(target);
        return () => this.#startDatabase(target);
      case "freeze-database":
        this.#subject.freezeDatabase(target);
        return () => this.#subject.thawDatabase(target);
      case "kill-store":
      case "stop-store":
      case "freeze-store":
        return await this.#store(kind);
      default:
        return await this.#cut(kind, target);
    }
  }

  async #cut(kind: FaultKind, target: Target): Promise<Undo> {
    const { lab } = this.#subject;
    switch (kind) {
      case "link-down":
        await lab.cutLink(target, "carrier");
        return () => lab.restoreLink(target);
      case "link-silent":
        await lab.cutLink(target, "silent");
        return () => lab.restoreLink(target);
      case "deaf":
        return await this.#drop([target]);
      case "partition":
        return await this.#drop([target, otherOf(target)]);
      case "cut-store":
        return await this.#cutStore(target);
      case "gateway-silent":
        await lab.cutLink("gateway", "silent");
        return () => lab.restoreLink("gateway");
      default:
        throw new Error(`${kind} is no cut`);
    }
  }

  /** Each of them gets nothing from the other one. ARP passes, as behind a router that filters. */
  async #drop(targets: readonly Target[]): Promise<Undo> {
    for (const target of targets) {
      const rule = `ip saddr ${this.#member(otherOf(target)).host.address} drop`;
      const table = `table inet nemesis { chain input { type filter hook input priority 0; ${rule}; }; }`;
      await this.#member(target).host.execOrThrow(["nft", table]);
    }
    return async () => {
      for (const target of targets)
        await this.#member(target).host.execOrThrow(["nft", "delete", "table", "inet", "nemesis"]);
    };
  }

  get #pairStore(): PairStore {
    const { store } = this.#subject;
    if (store === null) throw new Error("the pair has no quorum store");
    return store;
  }

  async #store(kind: "kill-store" | "stop-store" | "freeze-store"): Promise<Undo> {
    const store = this.#pairStore;
    const { program } = store;
    if (program?.running !== true) this.#remark("the quorum store has ended by itself", true);
    if (kind === "freeze-store") {
      await program?.signal("SIGSTOP");
      return () => program?.signal("SIGCONT");
    }
    await program?.signal(kind === "kill-store" ? "SIGKILL" : "SIGTERM");
    await program?.exited;
    return () => store.start();
  }

  /** What that host sends to the store is lost; the rest of its network works. */
  async #cutStore(target: Target): Promise<Undo> {
    const { host, port } = this.#pairStore;
    const rule = `ip daddr ${host.address} tcp dport ${port} drop`;
    const table = `table inet nemesis_store { chain output { type filter hook output priority 0; ${rule}; }; }`;
    await this.#member(target).host.execOrThrow(["nft", table]);
    return async () => {
      await this.#member(target).host.execOrThrow(["nft", "delete", "table", "inet", "nemesis_store"]);
    };
  }

  async #killDaemon(target: Target, which: "both" | "control"): Promise<Undo> {
    const { daemon } = this.#member(target);
    if (daemon === null) throw new Error(`no daemon was started on ${target}`);
    this.#ended.add(target);
    if (which === "both") await daemon.killBoth();
    else process.kill(await daemon.controlPid(), "SIGKILL");
    return () => this.#startDaemon(target);
  }

  #startDaemon(target: Target): void {
    this.#subject.startDaemon(target);
    this.#ended.delete(target);
  }

  async #killKeeper(target: Target): Promise<Undo> {
    process.kill(await this.#pidOf(target, "keeper"), "SIGKILL");
    // The other process has to start it again by itself.
    return () => this.ensureDaemon(target);
  }

  async #pidOf(target: Target, which: "keeper" | "control"): Promise<number> {
    const { daemon } = this.#member(target);
    if (daemon === null) throw new Error(`no daemon was started on ${target}`);
    return which === "keeper" ? await daemon.keeperPid() : await daemon.controlPid();
  }

  async #freeze(target: Target, which: readonly ("keeper" | "control")[]): Promise<Undo> {
    const pids = await Promise.all(which.map((it) => this.#pidOf(target, it)));
    const { daemon } = this.#member(target);
    const stopped = pids.map((pid) => ({ pid, started: startTime(pid) }));
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    return async () => {
      for (const { pid, started } of stopped) {
        if (started !== null && startTime(pid) === started) process.kill(pid, "SIGCONT");
      }
      // The nsenter above control has stopped with it; while it stands nobody hears that control has ended.
      await daemon?.program.signal("SIGCONT").catch(() => undefined);
      // One half may end the other half that hangs; systemd would start the daemon again.
      if (this.#hasEnded(target)) {
        this.#remark(`the daemon on ${target} has ended while a part of it hung`, false);
        this.#subject.startDaemon(target);
      }
    };
  }

  async #powerOff(target: Target): Promise<Undo> {
    const undo = await this.#killDaemon(target, "both");
    if (this.#subject.databaseRuns(target)) await this.#subject.killDatabase(target);
    // The host's kernel forgets what it had.
    await this.#member(target).host.exec(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    return async () => {
      await this.#startDatabase(target);
      await undo();
    };
  }

  async #startDatabase(target: Target): Promise<void> {
    if (!this.#subject.databaseRuns(target)) await this.#subject.startDatabase(target);
  }
}
