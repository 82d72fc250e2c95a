/** Asks on the link whether somebody has the addresses of an instance already, before its claim goes on (`claim_probe`). */
import type { HoldfastConfig, InstanceConfig } from "../../core/config/model.ts";
import { objectionOf, type ProbeAnswers, type RightfulMacs } from "../../core/evidence/address-probe.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { toMillis } from "../../core/lib/units.ts";
import { virtualMac } from "../../core/vrrp/virtual-interface.ts";
import type { AddressProbe } from "../../ports/address-probe.ts";
import type { GateAnswer, GateQuestion } from "../hook-engine.ts";

export interface AddressGateOptions {
  readonly addresses: AddressProbe;
  readonly answer: (answer: GateAnswer) => void;
  readonly next: (question: GateQuestion) => void;
}

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");

export class AddressGate {
  readonly #options: AddressGateOptions;
  readonly #open = new Set<GateQuestion>();
  #asked: ReadonlyMap<string, InstanceConfig> = new Map();

  constructor(options: AddressGateOptions) {
    this.#options = options;
  }

  configure({ instances }: HoldfastConfig): void {
    this.#asked = new Map(instances.filter(({ claimProbe }) => claimProbe != null).map((one) => [one.vrrp.name, one]));
  }

  ask(question: GateQuestion): void {
    const asked = this.#asked.get(question.instance);
    if (question.which === "release" || asked === undefined) {
      this.#options.next(question);
      return;
    }
    this.#open.add(question);
    void this.#judge(asked, question);
  }

  cancel(instance: string, gate: number): void {
    for (const one of this.#open) if (one.instance === instance && one.gate === gate) this.#open.delete(one);
  }

  cancelAll(): void {
    this.#open.clear();
  }

  async #judge(asked: InstanceConfig, question: GateQuestion): Promise<void> {
    const { instance, gate } = question;
    const [rightful, ...answers] = await Promise.all([
      this.#rightful(asked, question.preempts ?? null),
      ...asked.vrrp.advertised.map(({ address }) => this.#probe(asked, address)),
    ]);
    // Withdrawn meanwhile.
    if (!this.#open.delete(question)) return;
    const objection = answers.map((one) => objectionOf(one, rightful)).find((one) => one !== null) ?? null;
    if (objection === null) this.#options.next(question);
    else this.#options.answer({ instance, gate, opened: false, reason: objection });
  }

  async #probe({ vrrp, claimProbe }: InstanceConfig, address: IpAddress): Promise<ProbeAnswers> {
    const device = vrrp.interface;
    const millis = claimProbe == null ? 0 : toMillis(claimProbe);
    const answered = await this.#options.addresses.whoAnswers(address, { device, millis });
    const problem = answered.ok ? null : answered.error;
    return { address, interface: device, macs: answered.ok ? answered.value : [], problem };
  }

  /** The master that is preempted answers from its own hardware address or from the virtual one of the router. */
  async #rightful(asked: InstanceConfig, master: IpAddress | null): Promise<RightfulMacs> {
    if (master === null) return new Set();
    const { macs } = await this.#probe(asked, master);
    const { family, virtualRouterId } = asked.vrrp;
    return macs.length === 0 ? "any" : new Set([...macs, hex(virtualMac(family, virtualRouterId))]);
  }
}
