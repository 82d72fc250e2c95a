/**
 * What `lvs status` shows: the kernel's table as it is now, beside what the file asks for. Reads, decides nothing. A server of the file that is
 * not in the kernel is shown as well: it is down.
 */
import type { LvsConfig, RealServerConfig, VirtualServerConfig } from "../../core/lvs/config.ts";
import type { DestinationRecord, ServiceRecord, SyncDaemon } from "../../core/lvs/ipvs/model.ts";
import { destinationText, serviceText } from "../../core/lvs/ipvs/words.ts";
import { serviceKeys } from "../../core/lvs/service-keys.ts";
import type { IpvsPort } from "../../ports/ipvs.ts";
import type { IpvsTableState } from "./ipvs-table.ts";

/** A server of a service, as destinationText and serviceText write them; service null: of every service. */
export interface ServerChoice {
  readonly service: string | null;
  readonly server: string;
}

export interface ServerStatus {
  /** "192.0.2.10:80"; for one that is down as the file has it. */
  readonly server: string;
  /** As keepalived names it; null: the file has none there (sorry server, others' entries). */
  readonly realServer: string | null;
  /** up: gets connections; drained: by an operator; idle: weight 0; down: not in the kernel. */
  readonly state: "up" | "drained" | "idle" | "down";
  readonly method: string;
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
  readonly connections: number;
  readonly connectionRate: number;
  readonly inByteRate: number;
  readonly outByteRate: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

export interface ServiceStatus {
  readonly service: string;
  /** As keepalived names it; null: it is not ours. */
  readonly virtualServer: string | null;
  readonly scheduler: string;
  /** Seconds; null: not persistent. */
  readonly persistence: number | null;
  /** The instance that must be MASTER for it; null: always there. */
  readonly onlyOnMaster: string | null;
  readonly present: boolean;
  readonly connections: number;
  readonly connectionRate: number;
  readonly inByteRate: number;
  readonly outByteRate: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly servers: readonly ServerStatus[];
}

export interface LvsStatus extends IpvsTableState {
  readonly sync: readonly SyncDaemon[];
  readonly services: readonly ServiceStatus[];
}

export interface StatusSources {
  readonly ipvs: IpvsPort;
  readonly config: LvsConfig;
  readonly table: IpvsTableState;
  readonly isDrained: (choice: ServerChoice) => boolean;
}

export function lvsStatus({ ipvs, config, table, isDrained }: StatusSources): LvsStatus {
  const read = table.kernel === "ready" ? ipvs.services() : null;
  const records = new Map((read?.ok ? read.value : []).map((record) => [serviceText(record.key), record]));
  const daemons = table.kernel === "ready" ? ipvs.daemons() : null;
  const services: ServiceStatus[] = [];
  for (const virtual of config.servers) {
    for (const key of serviceKeys(virtual)) {
      const text = serviceText(key);
      const record = records.get(text) ?? null;
      records.delete(text);
      services.push(statusOf({ text, virtual, record }, ipvs, isDrained));
    }
  }
  for (const [text, record] of records) services.push(statusOf({ text, virtual: null, record }, ipvs, isDrained));
  return { ...table, sync: daemons?.ok ? daemons.value : [], services };
}

interface Pair {
  readonly text: string;
  readonly virtual: VirtualServerConfig | null;
  readonly record: ServiceRecord | null;
}

function statusOf(
  { text, virtual, record }: Pair,
  ipvs: IpvsPort,
  isDrained: StatusSources["isDrained"],
): ServiceStatus {
  const read = record === null ? null : ipvs.destinations(record.key);
  const present = read?.ok ? read.value : [];
  const servers = present.map((one) => {
    const server = destinationText(one);
    const real = virtual?.realServers.find((other) => isSame(other, one)) ?? null;
    return serverStatus(one, real, isDrained({ service: text, server }));
  });
  const missing = (virtual?.realServers ?? []).filter((real) => !present.some((one) => isSame(real, one)));
  return {
    service: text,
    virtualServer: virtual?.name ?? null,
    scheduler: record?.scheduler ?? virtual?.scheduler ?? "",
    persistence: (record ?? virtual)?.persistence?.timeout ?? null,
    onlyOnMaster: virtual?.onlyOnMaster ?? null,
    present: record !== null,
    connections: record?.stats.connections ?? 0,
    connectionRate: record?.stats.connectionRate ?? 0,
    inByteRate: record?.stats.inByteRate ?? 0,
    outByteRate: record?.stats.outByteRate ?? 0,
    inBytes: record?.stats.inBytes ?? 0,
    outBytes: record?.stats.outBytes ?? 0,
    servers: [...servers, ...missing.map(downServer)],
  };
}

/** A port of 0 takes that of the service. */
function isSame(real: RealServerConfig, { address, port }: DestinationRecord): boolean {
  return real.address === address && (real.port === port || real.port === 0 || port === 0);
}

function serverStatus(one: DestinationRecord, real: RealServerConfig | null, drained: boolean): ServerStatus {
  const idle = one.weight === 0;
  return {
    server: destinationText(one),
    realServer: real?.name ?? null,
    state: drained ? "drained" : idle ? "idle" : "up",
    method: one.forwarding.method,
    weight: one.weight,
    active: one.activeConnections,
    inactive: one.inactiveConnections,
    connections: one.stats.connections,
    connectionRate: one.stats.connectionRate,
    inByteRate: one.stats.inByteRate,
    outByteRate: one.stats.outByteRate,
    inBytes: one.stats.inBytes,
    outBytes: one.stats.outBytes,
  };
}

function downServer(real: RealServerConfig): ServerStatus {
  return {
    server: destinationText(real),
    realServer: real.name,
    state: "down",
    method: real.forwarding.method,
    weight: 0,
    active: 0,
    inactive: 0,
    connections: 0,
    connectionRate: 0,
    inByteRate: 0,
    outByteRate: 0,
    inBytes: 0,
    outBytes: 0,
  };
}
