/** The quorum store of a pair under the nemesis: `holdfast witness` or an etcd on a third host, which is neither the gateway nor of the pair. */
import { EtcdServer } from "../etcd.ts";
import type { Lab, LabHost } from "../lab.ts";
import type { RunningProgram } from "../processes.ts";
import { WITNESS_KEY, WitnessServer } from "../witness.ts";

export type StoreKind = "none" | "witness" | "etcd";

export interface PairStore {
  readonly host: LabHost;
  readonly port: number;
  /** `quorum_store` of both daemons. */
  readonly block: string;
  readonly program: RunningProgram | null;
  start(): Promise<void>;
  kill(): Promise<void>;
}

const HOST = "client";
const PAIR = ["db1", "db2"];

/** A new and empty one, that runs. */
export async function startStore(lab: Lab, kind: Exclude<StoreKind, "none">): Promise<PairStore> {
  const store = kind === "etcd" ? etcdStore(lab.host(HOST)) : witnessStore(lab, lab.host(HOST));
  await store.start();
  return store;
}

function witnessStore(lab: Lab, host: LabHost): PairStore {
  const server = new WitnessServer(host);
  server.prepare();
  return {
    host,
    port: 8_113,
    block: `quorum_store witness {\n    endpoint ${host.address}\n    key 1 ${WITNESS_KEY}\n    active_key 1\n}\n`,
    get program() {
      return server.program;
    },
    start: () => server.start(...PAIR.map((name) => lab.host(name).address)),
    kill: () => server.kill(),
  };
}

function etcdStore(host: LabHost): PairStore {
  const server = new EtcdServer(host);
  server.prepare();
  return {
    host,
    port: 2_379,
    block: `quorum_store etcd {\n    endpoint ${server.url}\n}\n`,
    get program() {
      return server.program;
    },
    start: () => server.start(),
    kill: () => server.kill(),
  };
}
