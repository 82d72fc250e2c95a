/** What a failover is given: its options, the configuration and the ways to the outside. */
import type { MhaConfig } from "../core/mha/config.ts";
import type { MhaEnvironment } from "./environment.ts";
import type { ManagerFiles } from "./files.ts";
import type { MhaLog } from "./log.ts";
import type { MasterShell } from "./ssh.ts";

export interface FailoverOptions {
  readonly conf: string;
  readonly interactive: boolean;
  readonly newMaster: { readonly host: string; readonly port: number } | null;
  readonly lastFailoverMinute: number;
  readonly ignoreLastFailover: boolean;
  readonly removeDeadMasterConf: boolean;
  readonly skipSaveMasterBinlog: boolean;
  readonly skipChangeMaster: boolean;
  readonly skipDisableReadOnly: boolean;
  readonly waitUntilGtidInSync: boolean;
  readonly ignoreBinlogServerError: boolean;
}

export interface FailoverContext {
  readonly env: MhaEnvironment;
  readonly log: MhaLog;
  readonly files: ManagerFiles;
  readonly config: MhaConfig;
  readonly shell: MasterShell;
  readonly options: FailoverOptions;
}
