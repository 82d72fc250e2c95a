/**
 * Services whose orders the kernel has refused: when each is tried again, and what is told of it. The first try again is at once, because a
 * table that somebody else has changed is often all there is to it; after that longer and longer. The same refusal is told once.
 */
import type { IpvsEventBody } from "../../core/events/ipvs-events.ts";
import { type Micros, micros, seconds, toSeconds } from "../../core/lib/units.ts";
import type { ServiceKey } from "../../core/lvs/config.ts";
import type { IpvsOrder } from "../../core/lvs/ipvs/model.ts";
import { orderText } from "../../core/lvs/ipvs/words.ts";
import type { KernelError } from "../../ports/network.ts";
import type { Timer, Timers } from "../../ports/timers.ts";
import { remedyFor } from "./remedies.ts";

const AT_ONCE = micros(0);
const FIRST_RETRY = seconds(1);
const LONGEST_RETRY = seconds(300);

export interface Failure {
  readonly order: IpvsOrder;
  readonly error: KernelError;
}

export interface RefusedService {
  readonly service: ServiceKey;
  readonly order: string;
  readonly errno: string;
  readonly remedy: string;
}

export interface Refusals {
  refuse(text: string, key: ServiceKey, failure: Failure): void;
  accept(text: string): void;
  /** Something else is wanted of it now: it is ordered anyway. */
  disturb(text: string): void;
  list(): readonly RefusedService[];
  stop(): void;
}

interface Refusal extends RefusedService {
  readonly wait: Micros;
  readonly timer: Timer;
}

export function createRefusals(
  timers: Timers,
  publish: (body: IpvsEventBody) => void,
  retry: (text: string) => void,
): Refusals {
  const refused = new Map<string, Refusal>();
  const tell = ({ service, order, errno, remedy, wait }: Refusal): void =>
    publish({ kind: "ipvs-refused", service, order, errno, remedy, retrySeconds: toSeconds(wait) });
  return {
    refuse(text, key, { order, error }) {
      const before = refused.get(text);
      before?.timer.cancel();
      const wait =
        before === undefined ? AT_ONCE : micros(Math.min(Math.max(before.wait * 2, FIRST_RETRY), LONGEST_RETRY));
      const timer = timers.schedule(wait, () => retry(text));
      const remedy = remedyFor(order, error.errno);
      const refusal = { service: key, order: orderText(order), errno: error.errno, remedy, wait, timer };
      refused.set(text, refusal);
      const told = before !== undefined && before.wait > AT_ONCE && before.errno === error.errno;
      if (wait > AT_ONCE && !told) tell(refusal);
    },
    accept(text) {
      const refusal = refused.get(text);
      if (refusal === undefined) return;
      refused.delete(text);
      refusal.timer.cancel();
      if (refusal.wait > AT_ONCE) publish({ kind: "ipvs-accepted", service: refusal.service });
    },
    disturb: (text) => refused.get(text)?.timer.cancel(),
    list: () => [...refused.values()].map(({ service, order, errno, remedy }) => ({ service, order, errno, remedy })),
    stop() {
      for (const { timer } of refused.values()) timer.cancel();
    },
  };
}
