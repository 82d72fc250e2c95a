/**
 * Lives a short life in front of ports that do nothing: election, adverts, a rival, a fault, a stop. V8 compiles a function
 * when it is first called; without this the first takeover would pay for that at the worst moment.
 */

import type { IpAddress } from "../core/lib/ip.ts";
import { instant, seconds } from "../core/lib/units.ts";
import { NO_STANDINGS } from "../core/link/messages.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { configWith, virtualAddress } from "../core/vrrp/example-config.ts";
import { encodeAdvert } from "../core/vrrp/packet.ts";
import { stagePorts } from "./stage-ports.ts";
import { createVrrpEngine } from "./vrrp-engine.ts";

/** Enough calls for the interpreter's caches; more would only lengthen the start. */
const LIVES = 4;

const EXTRA = virtualAddress("192.0.2.3");
const RIVAL = "192.0.2.2" as IpAddress;
const GROUP = "224.0.0.18" as IpAddress;

/** Returns the states that were entered: a warm-up that misses one is of little use. */
export function warmUp(): ReadonlySet<string> {
  const entered = new Set<string>();
  for (let life = 0; life < LIVES; life++) liveOnce(life % 2 === 0 ? 2 : 3, entered);
  return entered;
}

function liveOnce(version: 2 | 3, entered: Set<string>): void {
  const config = configWith({
    version,
    trackScripts: [{ key: "check", weight: 0, reverse: false }],
    leaseSeconds: 2,
    fenceSpan: seconds(2),
  });
  let now = instant(1);
  const engine = createVrrpEngine({
    ...stagePorts(),
    clock: { now: () => now },
    keys: { digests: { hmac: () => new Uint8Array(32) }, wallClock: { micros: () => now } },
    send: (message) => {
      JSON.stringify(message);
      if (message.type !== "event" || message.body.kind !== "vrrp") return;
      if (message.body.report.kind === "state") entered.add(message.body.report.to);
    },
  });
  const hear = (priority: number): void => {
    const packet = encodeAdvert(config, { source: RIVAL, destination: GROUP, priority });
    engine.handlePacket({ interfaceIndex: 1, packet, header: null, truncated: false });
  };
  const sleepTo = (wakeUps: number): void => {
    for (let count = 0; count < wakeUps; count++) {
      now = engine.nextDeadline() ?? now;
      engine.wake();
    }
  };
  const configure = (changes: Partial<VrrpInstanceConfig>): void =>
    engine.handleControl({ type: "configure", serial: 1, instances: [{ ...config, ...changes }], host: PLAIN_HOST });
  configure({});
  engine.handleControl({
    type: "standings",
    standings: { ...NO_STANDINGS, scripts: { check: { kind: "ok" } } },
    succeeded: ["check"],
  });
  hear(200);
  hear(0);
  sleepTo(8);
  // A reload while MASTER: another priority, an address that comes and one that goes.
  configure({ priority: config.priority + 1, advertised: [...config.advertised, EXTRA] });
  configure({});
  hear(50);
  hear(200);
  sleepTo(4);
  engine.handleControl({
    type: "standings",
    standings: { ...NO_STANDINGS, scripts: { check: { kind: "failed" } } },
    succeeded: [],
  });
  engine.handleControl({
    type: "standings",
    standings: { ...NO_STANDINGS, scripts: { check: { kind: "ok" } } },
    succeeded: ["check"],
  });
  engine.handleControl({ type: "status", id: 1 });
  engine.handleControl({ type: "stop" });
}
