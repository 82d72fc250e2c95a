/** The pages of docs/ whose commands are run, and the hosts that each one asks of its reader. */
import { PAIR_TOPOLOGY, type Topology } from "../../src/lab/lab.ts";
import { MHA_TOPOLOGY } from "../../src/lab/mha-scene.ts";

export interface RunPage {
  /** Of docs/NAME.md and docs/NAME.zh-CN.md. */
  readonly name: string;
  readonly topology: Topology;
  /** Hosts with an installed MariaDB; it has run nowhere yet. */
  readonly databases: readonly string[];
  /** Blocks that no test runs, each with its reason on the page. */
  readonly notRun: number;
}

export const PAGES: readonly RunPage[] = [
  { name: "tutorial", topology: PAIR_TOPOLOGY, databases: ["db1", "db2"], notRun: 1 },
  { name: "from-keepalived", topology: PAIR_TOPOLOGY, databases: ["db1", "db2"], notRun: 1 },
  { name: "from-sentinel", topology: PAIR_TOPOLOGY, databases: [], notRun: 1 },
  { name: "from-mha", topology: MHA_TOPOLOGY, databases: ["db1", "db2", "db3"], notRun: 1 },
  { name: "reading-the-log", topology: PAIR_TOPOLOGY, databases: [], notRun: 0 },
  { name: "split-brain", topology: PAIR_TOPOLOGY, databases: [], notRun: 0 },
];
