/**
 * Takes over once in front of ports that do nothing, shortly before it may be for real. What a takeover runs has not run for minutes: it is
 * compiled (warm-up.ts), but no processor has it in its caches, and fetching it then costs a millisecond. While a master is heard this
 * never happens, because each advert moves the deadline before the time for it comes.
 */
import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, instant, millis } from "../core/lib/units.ts";
import { NO_STANDINGS } from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import { configWith } from "../core/vrrp/example-config.ts";
import { encodeAdvert } from "../core/vrrp/packet.ts";
import { stagePorts } from "./stage-ports.ts";
import { createVrrpEngine } from "./vrrp-engine.ts";

/** Long enough for a rehearsal with cold caches; short against the 26 ms that 10 ms adverts leave at least. */
const LEAD = millis(3);
/** What was rehearsed this recently is still warm: a thousand instances take over after one rehearsal. */
const WARM = millis(50);

export interface Rehearsal {
  /**
   * Call before sleeping, with the engine's next deadline: rehearses if a claim is due within LEAD, and returns when to wake up, which is LEAD
   * before a claim that is further away.
   */
  before(deadline: Instant | null, now: Instant): Instant | null;
}

/** `claimIsNext`: whether the deadline given is that of a BACKUP which will claim then. */
export function createRehearsal(claimIsNext: () => boolean): Rehearsal {
  const perform = createStage();
  let performedAt = Number.NEGATIVE_INFINITY;
  return {
    before(deadline, now) {
      if (deadline === null || deadline <= now || deadline - performedAt < WARM || !claimIsNext()) return deadline;
      if (deadline - LEAD > now) return (deadline - LEAD) as Instant;
      performedAt = now;
      perform();
      return deadline;
    },
  };
}

/** A virtual router of its own, BACKUP between the performances. */
function createStage(): () => void {
  const config = configWith({ version: 3, leaseSeconds: 2 });
  let now = instant(1);
  const engine = createVrrpEngine({
    ...stagePorts(),
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: (message) => void JSON.stringify(message),
  });
  const source = "192.0.2.2" as IpAddress;
  const packet = encodeAdvert(config, { source, destination: "224.0.0.18" as IpAddress, priority: 200 });
  const hearMaster = (): void => engine.handlePacket({ interfaceIndex: 1, packet, header: null, truncated: false });
  engine.handleControl({ type: "configure", serial: 1, instances: [config], host: PLAIN_HOST });
  engine.handleControl({ type: "standings", standings: NO_STANDINGS, succeeded: [] });
  hearMaster();
  return () => {
    now = engine.nextDeadline() ?? now;
    engine.wake();
    hearMaster();
  };
}
