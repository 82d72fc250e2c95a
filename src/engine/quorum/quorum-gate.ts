/**
 * Asks the quorum store before the claim of a managed instance goes on to its server, and keeps what the store has granted: renewed while the
 * instance serves, given back when its address is gone and its server closed. Without `quorum_store` every question goes straight on.
 */
import type { HoldfastConfig, InstanceConfig } from "../../core/config/model.ts";
import type { Policy } from "../../core/database/config.ts";
import type { HoldfastEventBody } from "../../core/events/vocabulary.ts";
import { sameValue } from "../../core/lib/same-value.ts";
import { after, type Instant, seconds } from "../../core/lib/units.ts";
import { endpointsOf, type QuorumConfig } from "../../core/quorum/config.ts";
import { failureInWords, type StoreFailure } from "../../core/quorum/failure.ts";
import { strictest } from "../../core/quorum/policy.ts";
import type { StoreOutlook } from "../../core/quorum/words.ts";
import { minimumLeaseSeconds } from "../../core/vrrp/lease.ts";
import type { VrrpStateName } from "../../core/vrrp/state.ts";
import type { QuorumPort, QuorumStore } from "../../ports/quorum-store.ts";
import type { Timers } from "../../ports/timers.ts";
import type { GateAnswer, GateQuestion } from "../hook-engine.ts";
import type { GroupSettings } from "./group-host.ts";
import { GroupRecord } from "./group-record.ts";

export interface QuorumGateOptions {
  readonly timers: Timers;
  readonly quorum: { readonly port: QuorumPort; readonly host: string; readonly life: string };
  readonly publish: (body: HoldfastEventBody) => void;
  readonly answer: (answer: GateAnswer) => void;
  readonly next: (question: GateQuestion) => void;
  /** What was handed to `next` is not wanted any more. */
  readonly withdraw: (instance: string, gate: number) => void;
  readonly permit: (instance: string, until: Instant | null) => void;
  /** An instance must not serve, or may again (null). */
  readonly forbid: (instance: string, detail: string | null) => void;
  /** A claim that the store has refused would be granted now. */
  readonly retry: (instance: string) => void;
  /** Resolves when what was being closed for that instance is closed. */
  readonly closed: (instance: string) => Promise<void>;
}

export interface QuorumStatus {
  readonly kind: QuorumConfig["kind"];
  readonly endpoints: readonly string[];
  /** Which answered last; null: none. */
  readonly endpoint: string | null;
  /** Why it does not answer; null: it does, or was not asked yet. */
  readonly failure: StoreFailure | null;
  readonly since: Instant | null;
  readonly groups: readonly GroupRecord["status"][];
}

interface Group {
  readonly record: GroupRecord;
  /** The gate whose claim has not led to MASTER yet. */
  gate: number | null;
  serving: boolean;
}

/** How long an operator's order waits for the claim that it is meant for. */
const ORDER = seconds(60);
/** One answer that is lost is told to nobody. */
const FAILURES_TOLD = 2;

export class QuorumGate {
  readonly #options: QuorumGateOptions;
  readonly #groups = new Map<string, Group>();
  /** Of instances that are MASTER: a reload may give them a store. */
  readonly #masters = new Set<string>();
  #config: QuorumConfig | null = null;
  #store: QuorumStore | null = null;
  #failures = 0;
  #failure: StoreFailure | null = null;
  #since: Instant | null = null;
  #answers: boolean | null = null;

  constructor(options: QuorumGateOptions) {
    this.#options = options;
  }

  configure(config: HoldfastConfig): void {
    const changed = !sameValue(config.quorum, this.#config);
    const wanted = config.quorum === null ? new Map<string, GroupSettings>() : groupsOf(config, config.quorum);
    const granted = new Map<string, GroupRecord["granted"]>();
    for (const [instance, group] of this.#groups) {
      const settings = wanted.get(instance);
      if (!changed && sameValue(group.record.settings, settings)) continue;
      granted.set(instance, group.record.granted);
      this.#remove(instance, group, settings);
    }
    if (changed) this.#open(config.quorum);
    for (const [instance, settings] of wanted) {
      if (!this.#groups.has(instance)) this.#add(settings, granted.get(instance) ?? null);
    }
  }

  /** A new store or other addresses: what the old one has granted counts until the new one has granted more, and no longer. */
  #remove(instance: string, { record, gate }: Group, next: GroupSettings | undefined): void {
    record.end();
    this.#groups.delete(instance);
    const limited = next !== undefined && next.policy !== "availability";
    if (!limited || !this.#masters.has(instance)) this.#options.permit(instance, null);
    if (gate === null) return;
    this.#refuse({ instance, gate }, "its settings have changed, the claim begins again");
    this.#options.retry(instance);
  }

  /** A gate that what comes behind the grant has not answered yet. */
  #refuse({ instance, gate }: { readonly instance: string; readonly gate: number }, why: string): void {
    this.#options.withdraw(instance, gate);
    this.#options.answer({ instance, gate, opened: false, reason: `quorum_store: ${why}` });
  }

  #lost(instance: string, why: string): void {
    const group = this.#groups.get(instance);
    const gate = group?.gate ?? null;
    if (group === undefined || gate === null) return;
    this.#giveBack(instance, group);
    this.#refuse({ instance, gate }, why);
  }

  #open(config: QuorumConfig | null): void {
    this.#store?.close();
    this.#config = config;
    this.#store = config === null ? null : this.#options.quorum.port.open(config);
    [this.#failures, this.#failure, this.#since, this.#answers] = [0, null, null, null];
  }

  #add(settings: GroupSettings, granted: GroupRecord["granted"] | null): void {
    const { timers, quorum, publish, permit, forbid, retry } = this.#options;
    const { instance, group } = settings;
    if (this.#store === null || this.#config === null) return;
    const record = new GroupRecord(settings, {
      timers,
      store: this.#store,
      config: this.#config,
      host: quorum.host,
      life: quorum.life,
      tell: (action, epoch, detail) => publish({ kind: "quorum-store", instance, group, action, epoch, detail }),
      permit: (until) => permit(instance, until),
      forbid: (detail) => forbid(instance, detail),
      lost: (why) => this.#lost(instance, why),
      retry: () => retry(instance),
      asked: (failure) => this.#asked(failure),
    });
    const serving = this.#masters.has(instance);
    if (serving) record.adopt(granted);
    this.#groups.set(instance, { record, gate: null, serving });
  }

  #asked(failure: StoreFailure | null): void {
    this.#failures = failure === null ? 0 : this.#failures + 1;
    const answers = failure === null;
    if (!answers && this.#failures < FAILURES_TOLD) return;
    this.#failure = failure;
    if (answers === this.#answers) return;
    this.#answers = answers;
    this.#since = this.#options.timers.now();
    const detail = failure === null ? (this.#store?.endpoint ?? "") : failureInWords(failure);
    const action = answers ? "reached" : "unreachable";
    this.#options.publish({ kind: "quorum-store", instance: null, group: null, action, epoch: null, detail });
  }

  ask(question: GateQuestion): void {
    const group = this.#groups.get(question.instance);
    if (question.which === "release" || group === undefined) {
      this.#options.next(question);
      return;
    }
    const { instance, gate } = question;
    group.gate = gate;
    group.serving = false;
    void group.record.claim().then((result) => {
      if (group.gate !== gate) return;
      if (result.granted) {
        this.#options.next(question);
        return;
      }
      group.gate = null;
      this.#options.answer({ instance, gate, opened: false, reason: result.reason });
    });
  }

  /**
   * What the server or the hook behind it has said, as the keeper is to hear it: a claim that was refused gives back what it was granted, and one whose
   * grant is over by now is refused.
   */
  answered(answer: GateAnswer): GateAnswer {
    const { instance, gate, opened } = answer;
    const group = this.#groups.get(instance);
    if (group?.gate !== gate) return answer;
    const why = opened ? group.record.whyNotOpen : null;
    if (opened && why === null) return answer;
    this.#giveBack(instance, group);
    return why === null ? answer : { instance, gate, opened: false, reason: `quorum_store: ${why}` };
  }

  cancel(instance: string, gate: number): void {
    const group = this.#groups.get(instance);
    if (group?.gate === gate) this.#giveBack(instance, group);
  }

  cancelAll(): void {
    for (const [instance, group] of this.#groups) if (group.gate !== null) this.#giveBack(instance, group);
  }

  /** After the server was told to close, where it is open. */
  entered(instance: string, state: VrrpStateName): void {
    if (state === "MASTER") this.#masters.add(instance);
    else this.#masters.delete(instance);
    const group = this.#groups.get(instance);
    if (group === undefined) return;
    if (state === "MASTER") {
      group.gate = null;
      group.serving = true;
      group.record.serves();
    } else if (group.serving) this.#giveBack(instance, group);
  }

  #giveBack(instance: string, group: Group): void {
    group.gate = null;
    group.serving = false;
    group.record.abandon();
    void group.record.release(this.#options.closed(instance));
  }

  /** What a claim of that instance would hear of the store now; null: it does not ask one. */
  outlook(instance: string): StoreOutlook | null {
    return this.#groups.get(instance)?.record.outlook ?? null;
  }

  /** An operator's order for the next claim of that instance. Null: it is given; otherwise why not. */
  overrule(instance: string): string | null {
    const group = this.#groups.get(instance);
    if (group === undefined) return "no quorum store is asked for it";
    return group.record.overrule(after(this.#options.timers.now(), ORDER));
  }

  status(): QuorumStatus | null {
    if (this.#config === null) return null;
    return {
      kind: this.#config.kind,
      endpoints: endpointsOf(this.#config),
      endpoint: this.#store?.endpoint ?? null,
      failure: this.#failure,
      since: this.#since,
      groups: [...this.#groups.values()].map(({ record }) => record.status),
    };
  }

  /** After the servers are closed: gives back what is held, and resolves when that is written or cannot be. */
  async stop(): Promise<void> {
    await Promise.all([...this.#groups.values()].map(({ record }) => record.release(Promise.resolve())));
    for (const { record } of this.#groups.values()) record.end();
    this.#store?.close();
  }
}

function groupsOf(config: HoldfastConfig, { prefix }: QuorumConfig): ReadonlyMap<string, GroupSettings> {
  const wanted = new Map<string, GroupSettings>();
  for (const instance of config.instances) {
    const servers = managedBy(config, instance);
    const [first] = servers;
    if (first === undefined) continue;
    const { vrrp } = instance;
    wanted.set(vrrp.name, {
      instance: vrrp.name,
      group: first.group,
      key: `${prefix}/${first.group}`,
      policy: strictest(servers.map(({ policy }) => policy)),
      addresses: [...vrrp.advertised, ...vrrp.excluded].map(({ address }) => address),
      shortestLease: seconds(vrrp.leaseSeconds === null ? 0 : minimumLeaseSeconds(vrrp)),
    });
  }
  return wanted;
}

/** Servers of both products move with the address as one: the record is named after the first. */
function managedBy(
  { mysql, redis }: HoldfastConfig,
  { managesMysql, managesRedis }: InstanceConfig,
): readonly { readonly group: string; readonly policy: Policy }[] {
  const one = (kind: string, blocks: HoldfastConfig["mysql"] | HoldfastConfig["redis"], name: string | null) => {
    const block = blocks.find((other) => other.name === name);
    return block === undefined ? [] : [{ group: `${kind}/${block.name}`, policy: block.group.policy }];
  };
  return [...one("mysql", mysql, managesMysql), ...one("redis", redis, managesRedis)];
}
