/** The ports that speak to programs elsewhere, mail, databases, gateways, and to the kernel's load balancer. */
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { readLogin } from "../adapters/credentials.ts";
import { createMailer } from "../adapters/mail.ts";
import { createBinlogExporter } from "../adapters/mysql/binlog-export.ts";
import { createSqlPort } from "../adapters/mysql/client.ts";
import { createRedisPort } from "../adapters/redis/client.ts";
import type { RunOptions } from "../cli/run-options.ts";
import type { LvsConfig } from "../core/lvs/config.ts";
import { createAddressProbe } from "../linux/address-probe.ts";
import type { Arena } from "../linux/arena.ts";
import type { BackgroundPoll } from "../linux/background-poll.ts";
import { createDataCopies } from "../linux/data-copies.ts";
import { createDatabaseHost } from "../linux/database-host.ts";
import { createFenceMarks } from "../linux/fence-marks.ts";
import { createGatewayProbe } from "../linux/gateway.ts";
import { createIpvsPort } from "../linux/ipvs-opening.ts";
import { createNoteFiles } from "../linux/note-files.ts";
import { createPositionFiles } from "../linux/position-file.ts";
import { createProbePort } from "../linux/probe-port.ts";
import { createServerCopy } from "../linux/server-copy.ts";
import { createTailSource } from "../linux/tail-source.ts";
import type { TailKeepers } from "../ports/tail.ts";

export interface ServiceHost extends Pick<RunOptions, "stateDir" | "socketPath"> {
  /** What was told is on disk. */
  readonly flush: () => Promise<boolean>;
  readonly arena: Arena;
  readonly poll: BackgroundPoll;
  readonly lvs: LvsConfig;
  /** Who may have the log of a dead writer. */
  readonly keepers: TailKeepers;
}

export const services = ({ flush, stateDir, socketPath, arena, poll, lvs, keepers }: ServiceHost) => ({
  mailer: createMailer(),
  sql: createSqlPort(),
  redis: createRedisPort(),
  databases: createDatabaseHost(),
  fences: createFenceMarks(stateDir),
  redisFiles: { marks: createNoteFiles(stateDir, { durable: true }), copies: createDataCopies(Date.now) },
  takeover: {
    gateway: createGatewayProbe(),
    positions: createPositionFiles(),
    exporter: createBinlogExporter(join(stateDir, "rejoin")),
    tails: { keepers, sources: createTailSource(), crc32 },
    notes: createNoteFiles(dirname(socketPath), { durable: false }),
    copies: createServerCopy(),
    logins: { read: readLogin },
    records: createNoteFiles(stateDir, { durable: true }),
    flush,
  },
  // Fixed at the start, as net_namespace itself.
  ipvs: createIpvsPort(arena, lvs.options.netNamespace),
  probes: createProbePort(arena, poll),
  addresses: createAddressProbe(arena),
  random: Math.random,
});
