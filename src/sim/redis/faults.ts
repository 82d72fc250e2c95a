/** What goes wrong with a managed pair of Redis servers. */
import { CUT_FROM_PEER, DAEMON_FAULTS, MACHINE_FAULTS, type PairFaultTable, serverOf } from "../pair/faults.ts";
import type { RedisModel } from "./server.ts";

const OF_REDIS: PairFaultTable<RedisModel> = {
  "redis killed": (pair, node, prng) => {
    const server = serverOf(pair, node);
    server.crash();
    // systemd restarts it, or somebody does later.
    if (prng.chance(0.5)) pair.world.after(prng.logBetween(20_000, 20_000_000), () => server.start());
    return () => server.start();
  },
  "redis restarted at once": (pair, node) => {
    const server = serverOf(pair, node);
    server.crash();
    server.start();
    return () => server.start();
  },
  "redis hangs": (pair, node) => {
    const server = serverOf(pair, node);
    server.hang();
    return () => server.resume();
  },
};

/**
 * Without a boot guard a standby is protected from a writer that comes back empty by its own daemon alone, which has to be awake for that
 * (decision 102): with it every fault is there.
 */
const NEEDS_GUARD: ReadonlySet<string> = new Set([
  "kill control",
  "kill both",
  "stop daemon",
  "freeze control",
  "pause host",
  "power off",
]);

export function redisFaults(bootGuard: boolean): PairFaultTable<RedisModel> {
  const all = { ...DAEMON_FAULTS, ...OF_REDIS, ...MACHINE_FAULTS, ...CUT_FROM_PEER };
  return bootGuard ? all : Object.fromEntries(Object.entries(all).filter(([kind]) => !NEEDS_GUARD.has(kind)));
}
