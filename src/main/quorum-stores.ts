/** The kinds of quorum store. The code of one is loaded when `quorum_store` asks for it. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { unreachable } from "../core/lib/assert.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import type { QuorumConfig } from "../core/quorum/config.ts";
import type { StoreFailure } from "../core/quorum/failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { QuorumPort, QuorumStore } from "../ports/quorum-store.ts";

export interface QuorumHost {
  readonly version: string;
  readonly clock: Clock;
}

/** `life`: this daemon from its start to its end. */
export function quorumStores(host: QuorumHost): {
  readonly port: QuorumPort;
  readonly host: string;
  readonly life: string;
} {
  const life = randomUUID();
  return { port: { open: (config) => deferred(load(config, life, host)) }, host: hostname(), life };
}

async function load(config: QuorumConfig, life: string, { version, clock }: QuorumHost): Promise<QuorumStore> {
  switch (config.kind) {
    case "etcd":
      return (await import("../adapters/etcd/client.ts")).openEtcd(config);
    case "witness": {
      const { WitnessStore } = await import("../control/witness/store.ts");
      return new WitnessStore({ config, clock, myself: { host: hostname(), version, boot: life } });
    }
    default:
      return unreachable(config);
  }
}

/** Questions that come before the code is there wait for it. Code that is gone, as after an upgrade beneath a running daemon, is a store that fails. */
function deferred(loading: Promise<QuorumStore>): QuorumStore {
  let store: QuorumStore | null = null;
  const loaded: Promise<Result<QuorumStore, StoreFailure>> = loading.then(
    (one) => {
      store = one;
      return ok(one);
    },
    (error: unknown) =>
      err({ kind: "setup", detail: `its code cannot be loaded, restart the daemon: ${String(error)}` }),
  );
  return {
    async read(key) {
      const found = await loaded;
      return found.ok ? found.value.read(key) : found;
    },
    async swap(swap) {
      const found = await loaded;
      return found.ok ? found.value.swap(swap) : found;
    },
    get endpoint() {
      return store?.endpoint ?? null;
    },
    close: () => void loaded.then((found) => (found.ok ? found.value.close() : undefined)),
  };
}
