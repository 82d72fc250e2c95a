/** A part of the control process that lives with the configuration: what is watched, databases, LVS. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";

export interface Part {
  /** At the start, before the keeper runs, and with every reload that is applied. */
  configure(config: HoldfastConfig): void;
  /** An instance has entered a state; after the hooks were told. */
  entered?(instance: string, state: VrrpStateName): void;
  /** Begins nothing new; resolves when what it started has ended. Called before the keeper lets the addresses go. */
  stop(): void | Promise<void>;
  /** The keeper has let the addresses go; resolves when nothing of the part is left. */
  stopped?(): Promise<void>;
}
