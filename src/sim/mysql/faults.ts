/** What goes wrong with a managed pair of MariaDB servers. */
import type { Policy } from "../../core/database/config.ts";
import { CUT_FROM_PEER, DAEMON_FAULTS, MACHINE_FAULTS, type PairFaultTable, serverOf } from "../pair/faults.ts";
import type { ModelServer } from "./server.ts";

const OF_MYSQLD: PairFaultTable<ModelServer> = {
  "mysqld killed": (pair, node, prng) => {
    const server = serverOf(pair, node);
    server.crash();
    // systemd restarts it, or somebody does later.
    if (prng.chance(0.5)) pair.world.after(prng.logBetween(100_000, 20_000_000), () => server.start());
    return () => server.start();
  },
  "mysqld hangs": (pair, node) => {
    const server = serverOf(pair, node);
    server.hang();
    return () => server.resume();
  },
  "slow applier": (pair, node, prng) => {
    const server = serverOf(pair, node);
    server.applyMicros = prng.logBetween(10_000, 800_000);
    return () => {
      server.applyMicros = 300;
    };
  },
};

/** Under `availability` both sides of a cut between the two alone go on: it says so. */
export const mysqlFaults = (policy: Policy): PairFaultTable<ModelServer> => ({
  ...DAEMON_FAULTS,
  ...OF_MYSQLD,
  ...MACHINE_FAULTS,
  ...(policy === "availability" ? CUT_FROM_PEER : {}),
});
