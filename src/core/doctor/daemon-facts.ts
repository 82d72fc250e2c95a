/** The daemon's own account of itself, as far as the doctor needs it. */
import type { IpAddress } from "../lib/ip.ts";

export interface DaemonInstance {
  readonly name: string;
  readonly state: string;
  readonly phase: string;
  readonly holding: boolean;
  /** Source of its adverts; null while the interface has none. */
  readonly source: IpAddress | null;
}

export interface DaemonFacts {
  readonly pid: number;
  /** Null while there is no keeper. */
  readonly keeperPid: number | null;
  readonly stateDir: string;
  readonly instances: readonly DaemonInstance[];
  readonly peers: readonly {
    /** ADDRESS:PORT */
    readonly peer: string;
    readonly connected: boolean;
    readonly instances: readonly {
      readonly name: string;
      readonly state: string;
      readonly addresses: readonly string[];
    }[];
  }[];
}
