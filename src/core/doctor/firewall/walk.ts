/** Walks a packet through the chains that the kernel asks about it (nft(8), "Netfilter hooks"): who drops it, for certain or perhaps. */
import type { Action, FilterChain, FilterRule, PacketFilter, ProbePacket } from "./model.ts";

/** Somebody who drops it. */
export interface Obstacle {
  readonly chain: FilterChain;
  /** The base chain whose policy it is or from which the rule was reached. */
  readonly base: FilterChain;
  /** Null: the policy of the base chain. */
  readonly rule: FilterRule | null;
  /** False: it depends on what is not known. */
  readonly certain: boolean;
}

const HOOKS = { input: ["ingress", "prerouting", "input"], output: ["output", "postrouting", "egress"] } as const;

/** A jump into itself is refused by the kernel; this bounds listings that are damaged. */
const DEPTH_MAX = 64;

/** Every chain that stands in its way, in the order in which they are asked; empty: it passes. */
export function obstacles(filter: PacketFilter, packet: ProbePacket): readonly Obstacle[] {
  return HOOKS[packet.direction].flatMap((hook) =>
    filter
      .filter((chain) => isAsked(chain, hook, packet))
      .sort((one, other) => (one.base?.priority ?? 0) - (other.base?.priority ?? 0))
      .flatMap((chain) => new Walk(filter, packet, chain).obstacles()),
  );
}

function isAsked({ family, base }: FilterChain, hook: string, packet: ProbePacket): boolean {
  if (base === null || base.hook !== hook) return false;
  if (family === "netdev") return base.devices.includes(packet.interface);
  if (hook === "ingress" && !base.devices.includes(packet.interface)) return false;
  return family === "inet" || family === (packet.family === 4 ? "ip" : "ip6");
}

type Outcome = "accept" | "drop" | "through";

class Walk {
  readonly #filter: PacketFilter;
  readonly #packet: ProbePacket;
  readonly #base: FilterChain;
  readonly #found: Obstacle[] = [];
  /** It may have been let through before. */
  #perhapsAccepted = false;

  constructor(filter: PacketFilter, packet: ProbePacket, base: FilterChain) {
    this.#filter = filter;
    this.#packet = packet;
    this.#base = base;
  }

  obstacles(): readonly Obstacle[] {
    const outcome = this.#run(this.#base, true, 0);
    if (outcome === "through" && this.#base.base?.policy === "drop") this.#add(this.#base, null, true);
    return this.#found;
  }

  #add(chain: FilterChain, rule: FilterRule | null, certain: boolean): void {
    this.#found.push({ chain, base: this.#base, rule, certain: certain && !this.#perhapsAccepted });
  }

  /** `certain` false: nobody knows whether the packet gets here, so nothing here ends its way. */
  #run(chain: FilterChain, certain: boolean, depth: number): Outcome {
    if (depth > DEPTH_MAX) return "through";
    for (const rule of chain.rules) {
      const judged = rule.judge(this.#packet);
      if (judged === null) continue;
      const sure = certain && judged.certain;
      const outcome = this.#act(chain, rule, judged.action, { sure, depth });
      if (outcome === "next" || !judged.certain) continue;
      return sure ? outcome : "through";
    }
    return "through";
  }

  /** "next": the rules behind it are asked as well. */
  #act(
    chain: FilterChain,
    rule: FilterRule,
    action: Action,
    { sure, depth }: { readonly sure: boolean; readonly depth: number },
  ): Outcome | "next" {
    switch (action.kind) {
      case "drop":
        this.#add(chain, rule, sure);
        return "drop";
      case "accept":
        if (!sure) this.#perhapsAccepted = true;
        return "accept";
      case "return":
        // What follows may not be reached any more.
        if (!sure) this.#perhapsAccepted = true;
        return "through";
      case "jump": {
        const outcome = this.#follow(chain, action.target, sure, depth);
        return outcome === "through" ? "next" : outcome;
      }
      case "goto":
        return this.#follow(chain, action.target, sure, depth);
    }
  }

  #follow({ family, table, tool }: FilterChain, target: string, sure: boolean, depth: number): Outcome {
    const next = this.#filter.find(
      (one) => one.name === target && one.table === table && one.family === family && one.tool === tool,
    );
    return next === undefined ? "through" : this.#run(next, sure, depth + 1);
  }
}
