/** What explain and outlook are told. */
import type { HoldfastConfig } from "../core/config/model.ts";
import type { EventEntry, InstanceView, StatusReply } from "./contract/types.ts";

export interface ExplainInput {
  readonly view: InstanceView;
  readonly status: StatusReply;
  readonly config: HoldfastConfig | null;
  /** Recent events, oldest first. */
  readonly events: readonly EventEntry[];
  readonly clockText: (time: number) => string;
}
