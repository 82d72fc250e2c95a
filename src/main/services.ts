/** The ports that speak to programs elsewhere: mail, databases, gateways. */
import { createMailer } from "../adapters/mail.ts";
import { createSqlPort } from "../adapters/mysql/client.ts";
import { createDatabaseHost } from "../linux/database-host.ts";
import { createGatewayProbe } from "../linux/gateway.ts";
import { createPositionFiles } from "../linux/position-file.ts";

/** `flush`: what was told is on disk. */
export const services = (flush: () => Promise<boolean>) => ({
  mailer: createMailer(),
  sql: createSqlPort(),
  databases: createDatabaseHost(),
  takeover: { gateway: createGatewayProbe(), positions: createPositionFiles(), flush },
});
