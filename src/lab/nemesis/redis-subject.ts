/** A Redis pair for the nemesis: that of the incidents, with several applications that write. */
import type { DaemonKind } from "../daemon.ts";
import { IncidentScene, type Member } from "../incidents/scene.ts";
import type { Lab } from "../lab.ts";
import type { AddressObserver } from "../observer.ts";
import { type RunningProgram, until } from "../processes.ts";
import type { SeenWrite } from "./judgement.ts";
import type { Target } from "./plan.ts";
import { type PairStore, type StoreKind, startStore } from "./store.ts";
import type { Subject, SubjectMember } from "./subject.ts";

/** Beside the scene's own: one more in the network, and one on each database's host, which finds the address there whatever the network says. */
const APPLICATIONS = ["gateway", "db1", "db2"] as const;
const INTERVAL_MS = 50;

export class RedisSubject implements Subject {
  readonly database = "redis";
  readonly programs: { readonly host: Target; readonly program: RunningProgram }[] = [];
  readonly store: PairStore | null;
  readonly #scene: IncidentScene;

  private constructor(scene: IncidentScene, store: PairStore | null) {
    this.#scene = scene;
    this.store = store;
    for (const { name } of scene.members) this.#remember(name as Target);
    for (const host of APPLICATIONS) scene.writeFrom(host, INTERVAL_MS);
  }

  static async start(lab: Lab, kind: DaemonKind, wanted: StoreKind = "none"): Promise<RedisSubject> {
    const store = wanted === "none" ? null : await startStore(lab, wanted);
    return new RedisSubject(await IncidentScene.start(lab, kind, store?.block), store);
  }

  get kind(): DaemonKind {
    return this.#scene.kind;
  }

  get lab(): Lab {
    return this.#scene.lab;
  }

  get observer(): AddressObserver {
    return this.#scene.observer;
  }

  get members(): readonly [SubjectMember, SubjectMember] {
    const member = ({ name, server, daemon }: Member) => ({ name: name as Target, host: server.host, daemon });
    const [one, two] = this.#scene.members;
    return [member(one), member(two)];
  }

  #member(target: Target): Member {
    return this.#scene.members[target === "db1" ? 0 : 1];
  }

  #remember(host: Target): void {
    const program = this.#member(host).daemon?.program;
    if (program !== undefined) this.programs.push({ host, program });
  }

  startDaemon(target: Target): void {
    this.#scene.startDaemon(this.#member(target));
    this.#remember(target);
  }

  killDatabase(target: Target): Promise<void> {
    return this.#member(target).server.kill();
  }

  startDatabase(target: Target): Promise<void> {
    return this.#scene.startServer(this.#member(target));
  }

  async stopDatabase(target: Target): Promise<void> {
    const { server } = this.#member(target);
    process.kill(server.outsidePid(), "SIGTERM");
    await until(() => server.program?.running !== true || undefined, `redis-server on ${target} stops`, 15_000);
  }

  databaseRuns(target: Target): boolean {
    return this.#member(target).server.program?.running === true;
  }

  freezeDatabase(target: Target): void {
    this.#member(target).server.freeze();
  }

  thawDatabase(target: Target): Promise<void> {
    return this.#member(target).server.thaw();
  }

  writes(): readonly SeenWrite[] {
    return this.#scene.writes.map((write) => {
      const { key, client, start, end, ok } = write;
      return { key, client, start, end, ok, member: (this.#scene.answeredBy(write)?.name ?? null) as Target | null };
    });
  }

  stopWriting(): Promise<void> {
    return this.#scene.stopWriting();
  }

  whole(timeoutMs: number): Promise<void> {
    return this.#scene.inStep(timeoutMs);
  }

  async writer(): Promise<Target | null> {
    return ((await this.#scene.writer())?.name ?? null) as Target | null;
  }

  keysOn(target: Target): Promise<ReadonlySet<string>> {
    return this.#scene.keysOn(this.#member(target));
  }

  /** A Redis pair comes together by itself. */
  async operate(): Promise<null> {
    return null;
  }

  keysSetAside(): Promise<ReadonlySet<string>> {
    return this.#scene.copied();
  }

  async end(): Promise<void> {
    await this.lab.restoreLink("gateway");
    await this.#scene.end();
    await this.store?.kill();
  }
}
