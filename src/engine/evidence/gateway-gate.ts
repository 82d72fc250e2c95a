/**
 * Asks the gateways of `track_gateway` before a claim goes on to databases and hooks: each by ICMP echo from an own socket and, where it is on the link
 * of the host, by ARP or neighbour discovery, because a gateway may drop pings by policy. One answer of either kind is enough. A claim that comes
 * after a refused one listens for a master first: when one is heard, the election withdraws the question.
 */
import type { HoldfastConfig } from "../../core/config/model.ts";
import { type GatewayEvidence, judgeGateways, listensFor } from "../../core/evidence/gateways.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { type Instant, type Micros, toMillis } from "../../core/lib/units.ts";
import type { AddressProbe } from "../../ports/address-probe.ts";
import type { Probe, ProbePort } from "../../ports/probes.ts";
import type { Timers } from "../../ports/timers.ts";
import type { GateAnswer, GateQuestion } from "../hook-engine.ts";

export interface GatewayGateOptions {
  readonly timers: Timers;
  readonly probes: ProbePort;
  readonly addresses: AddressProbe;
  readonly answer: (answer: GateAnswer) => void;
  readonly next: (question: GateQuestion) => void;
}

interface Asked {
  readonly evidence: GatewayEvidence;
  readonly advertInterval: Micros;
}

interface Run extends Asked {
  readonly question: GateQuestion;
  readonly reached: Set<IpAddress>;
  readonly silent: Set<IpAddress>;
  readonly probes: Probe[];
}

const IDENTIFIERS = 0x1_0000;

export class GatewayGate {
  readonly #options: GatewayGateOptions;
  readonly #runs = new Set<Run>();
  #asked: ReadonlyMap<string, Asked> = new Map();
  readonly #refused = new Map<string, Instant>();
  #nextIdentifier = 1;

  constructor(options: GatewayGateOptions) {
    this.#options = options;
  }

  configure({ instances }: HoldfastConfig): void {
    const wanted = instances.flatMap(({ vrrp, gateways }) =>
      gateways === null ? [] : [[vrrp.name, { evidence: gateways, advertInterval: vrrp.advertInterval }] as const],
    );
    this.#asked = new Map(wanted);
  }

  ask(question: GateQuestion): void {
    const asked = this.#asked.get(question.instance);
    if (question.which === "release" || asked === undefined) {
      this.#options.next(question);
      return;
    }
    const run: Run = { ...asked, question, reached: new Set(), silent: new Set(), probes: [] };
    this.#runs.add(run);
    for (const gateway of run.evidence.gateways) this.#probe(run, gateway);
    run.probes.push(this.#after(run));
  }

  cancel(instance: string, gate: number): void {
    for (const run of this.#runs) {
      if (run.question.instance === instance && run.question.gate === gate) this.#end(run);
    }
  }

  cancelAll(): void {
    for (const run of this.#runs) this.#end(run);
  }

  /** When it is over, whoever has not answered is silent. */
  #after(run: Run): Probe {
    const timer = this.#options.timers.schedule(run.evidence.timeout, () => {
      for (const gateway of run.evidence.gateways) run.silent.add(gateway);
      this.#judge(run);
    });
    return { cancel: () => timer.cancel() };
  }

  #probe(run: Run, gateway: IpAddress): void {
    const reached = (): void => {
      run.reached.add(gateway);
      this.#judge(run);
    };
    const identifier = this.#nextIdentifier;
    this.#nextIdentifier = (identifier + 1) % IDENTIFIERS;
    const target = { address: gateway, port: 0, timeout: run.evidence.timeout, ...NO_BINDING };
    const onReply = (reply: { readonly identifier: number }): void => {
      if (reply.identifier === identifier) reached();
    };
    // A way that fails at once says nothing yet: the other may still bring an answer.
    const onFailure = (): void => undefined;
    run.probes.push(this.#options.probes.echo(target, { identifier, sequence: 1 }, { onReply, onFailure }));
    void this.#askLink(run, gateway).then((answered) => {
      if (answered) reached();
    });
  }

  async #askLink(run: Run, gateway: IpAddress): Promise<boolean> {
    const { device } = this.#options.addresses.place(gateway);
    if (device === null) return false;
    const millis = toMillis(run.evidence.timeout);
    const answered = await this.#options.addresses.whoAnswers(gateway, { device, millis, first: true });
    return answered.ok && answered.value.length > 0;
  }

  #judge(run: Run): void {
    if (!this.#runs.has(run)) return;
    const verdict = judgeGateways(run.evidence, run);
    if (verdict.kind === "wait") return;
    this.#end(run);
    if (verdict.kind === "open") this.#open(run);
    else this.#refuse(run.question, verdict.reason);
  }

  #refuse({ instance, gate }: GateQuestion, reason: string): void {
    this.#refused.set(instance, this.#options.timers.now());
    this.#options.answer({ instance, gate, opened: false, reason });
  }

  #open({ question, evidence, advertInterval }: Run): void {
    const { timers, next } = this.#options;
    const listening = listensFor(this.#refused.get(question.instance), timers.now(), advertInterval);
    if (listening === 0) {
      next(question);
      return;
    }
    const run: Run = { question, evidence, advertInterval, reached: new Set(), silent: new Set(), probes: [] };
    this.#runs.add(run);
    const heardNobody = (): void => {
      this.#end(run);
      this.#refused.delete(question.instance);
      next(question);
    };
    const timer = timers.schedule(listening, heardNobody);
    run.probes.push({ cancel: () => timer.cancel() });
  }

  #end(run: Run): void {
    this.#runs.delete(run);
    for (const probe of run.probes) probe.cancel();
  }
}

const NO_BINDING = { bindAddress: null, bindPort: 0, bindInterface: null, mark: 0 } as const;
