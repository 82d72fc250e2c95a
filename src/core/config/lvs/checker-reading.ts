/** One checker block while it is read. */
import type { IpAddress } from "../../lib/ip.ts";
import type { Micros } from "../../lib/units.ts";
import type { CheckerTiming } from "../../lvs/checkers.ts";
import type { Settings } from "../settings.ts";
import type { Node } from "../tree.ts";

/** What checkers inherit from their real server. */
export interface CheckerDefaults {
  readonly name: string;
  readonly address: IpAddress;
  readonly port: number;
  readonly alpha: boolean;
  readonly delayLoop: Micros;
  readonly timeout: Micros;
  readonly retry: number | null;
  readonly delayBeforeRetry: Micros | null;
  readonly warmup: Micros | null;
  readonly virtualhost: string | null;
}

export interface CheckerReading {
  readonly node: Node;
  readonly settings: Settings;
  readonly timing: CheckerTiming;
  readonly defaults: CheckerDefaults;
}
