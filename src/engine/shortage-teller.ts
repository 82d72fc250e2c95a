/** Tells once that the host has run out of something, and once that it has it again; not for every program. */
import type { Command } from "../core/config/model.ts";
import type { HostEventBody } from "../core/events/host-events.ts";
import type { Shortage } from "../ports/spawner.ts";

/** For CommandTools.onShortage. */
export function createShortageTeller(
  publish: (body: HostEventBody) => void,
): (what: Shortage | null, command: Command) => void {
  let current: Shortage | null = null;
  return (what, { text }) => {
    if (what === current) return;
    const before = current;
    current = what;
    if (what !== null) publish({ kind: "shortage", what, action: `${text} cannot be started`, over: false });
    else if (before !== null) publish({ kind: "shortage", what: before, action: `${text} was started`, over: true });
  };
}
