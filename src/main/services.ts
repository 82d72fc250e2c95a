/** The ports that speak to programs elsewhere: mail, databases, gateways. */
import { join } from "node:path";
import { createMailer } from "../adapters/mail.ts";
import { createBinlogExporter } from "../adapters/mysql/binlog-export.ts";
import { createSqlPort } from "../adapters/mysql/client.ts";
import { createDatabaseHost } from "../linux/database-host.ts";
import { createFenceMarks } from "../linux/fence-marks.ts";
import { createGatewayProbe } from "../linux/gateway.ts";
import { createPositionFiles } from "../linux/position-file.ts";

export interface ServiceHost {
  /** What was told is on disk. */
  readonly flush: () => Promise<boolean>;
  readonly stateDir: string;
}

export const services = ({ flush, stateDir }: ServiceHost) => ({
  mailer: createMailer(),
  sql: createSqlPort(),
  databases: createDatabaseHost(),
  fences: createFenceMarks(stateDir),
  takeover: {
    gateway: createGatewayProbe(),
    positions: createPositionFiles(),
    exporter: createBinlogExporter(join(stateDir, "rejoin")),
    flush,
  },
});
