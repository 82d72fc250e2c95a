/** The kinds of quorum store. The code of one is loaded when `quorum_store` asks for it. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { unreachable } from "../core/lib/assert.ts";
import type { QuorumConfig } from "../core/quorum/config.ts";
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

/** Questions that come before the code is there wait for it. */
function deferred(loading: Promise<QuorumStore>): QuorumStore {
  let store: QuorumStore | null = null;
  void loading.then((loaded) => {
    store = loaded;
  });
  return {
    read: async (key) => (await loading).read(key),
    swap: async (swap) => (await loading).swap(swap),
    get endpoint() {
      return store?.endpoint ?? null;
    },
    close: () => void loading.then((loaded) => loaded.close()),
  };
}
