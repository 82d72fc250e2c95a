/** What a case is: its name, the rows it yields, and how it is measured. The list itself is in main.ts. */
import type { Lab } from "../lab/lab.ts";
import type { DaemonName } from "./daemons.ts";
import type { Measurements } from "./report.ts";

export type Labs = Readonly<Record<DaemonName, Lab>>;

export interface CaseOptions {
  readonly runs: number;
  readonly progress: (line: string) => void;
}

export interface BenchCase {
  readonly name: string;
  /** Names of the rows, for --case: one measurement may yield several. */
  readonly rows: readonly string[];
  /** When --runs does not say. */
  readonly runs: number;
  measure(labs: Labs, options: CaseOptions): Promise<readonly Measurements[]>;
}
