/** The world as the checkers see it. */
import type { Client } from "./client.ts";
import type { Disturbances } from "./disturbance.ts";
import type { Host } from "./host.ts";
import type { Network } from "./network.ts";
import type { Trace } from "./trace.ts";
import type { Violation } from "./tracks.ts";

export interface Scene {
  /** True time, microseconds. */
  readonly now: number;
  readonly hosts: readonly Host[];
  readonly network: Network;
  readonly disturbances: Disturbances;
  readonly client: Client;
  readonly trace: Trace;
  host(node: number): Host;
  fail(violation: Violation): void;
}
