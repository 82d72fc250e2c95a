/**
 * What the keeper says to control, and its silence while control begins anew: everything is kept until the next `hello` and told then,
 * in order. Heartbeats and answers of before are worth nothing to the one who comes; they are left out.
 */
import type { FromKeeper } from "../core/link/messages.ts";

export interface KeeperVoice {
  send(message: FromKeeper): void;
  /** `paused` is the last word until resume(). */
  pause(): void;
  resume(): void;
}

/** A second of the worst storm of events; what is beyond is lost, as where control does not read. */
const MOST_KEPT = 10_000;

export function createKeeperVoice(say: (message: FromKeeper) => void): KeeperVoice {
  let kept: FromKeeper[] | null = null;
  return {
    send(message) {
      if (kept === null) say(message);
      else if (message.type !== "heartbeat" && message.type !== "status" && kept.length < MOST_KEPT) kept.push(message);
    },
    pause() {
      if (kept !== null) return;
      say({ type: "paused" });
      kept = [];
    },
    resume() {
      const waiting = kept ?? [];
      kept = null;
      for (const message of waiting) say(message);
    },
  };
}
