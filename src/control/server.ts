/**
 * The HTTP API of the contract, on a Unix socket and, behind a gatekeeper, on the listeners of http/. Owns routes, validation of questions and the form of errors; what is
 * answered comes from the read model, what is done from the actions. fastify and the schemas are loaded when the
 * API starts, not before: VRRP does not wait for them.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerFactory } from "fastify";
import { ok, type Result } from "../core/lib/result.ts";
import type { ControlActions } from "./actions.ts";
import { type ApiError, listenOnSocket, removeSocket } from "./api-socket.ts";
import type { EventEntry, HistoryReply } from "./contract/types.ts";
import { addDashboard, addSession } from "./dashboard-routes.ts";
import { addDoctor } from "./doctor-routes.ts";
import { streamEvents, withWords } from "./event-stream.ts";
import { type EventFilter, matches } from "./events-filter.ts";
import { explainInstance } from "./explain.ts";
import { explainServices } from "./explain-lvs.ts";
import { freshStatus, healthOf } from "./fresh-status.ts";
import { addLvs } from "./lvs-routes.ts";
import { lvsView } from "./lvs-view.ts";
import { addMetrics, addProbes, type Meters } from "./metrics/routes.ts";
import { addPeerReports } from "./peer-reports.ts";
import type { ReadModel } from "./read-model.ts";
import { addRepairs } from "./repair-routes.ts";
import { parse, sendError, unmanaged } from "./replies.ts";
import { addVip } from "./vip-routes.ts";

export interface HistorySource {
  /** Oldest first, at most `limit` of the latest that match. */
  read(filter: EventFilter, limit: number): Promise<{ events: readonly EventEntry[]; problems: readonly string[] }>;
}

export interface ApiOptions {
  readonly readModel: ReadModel;
  readonly actions: ControlActions;
  /** The journal; without it history is what the ring holds. */
  readonly history?: HistorySource;
  /** How long the keeper may take to answer before its last known state is shown. */
  readonly statusTimeoutMillis?: number;
  /** Without them there is no /metrics. */
  readonly meters?: Meters;
}

/** How an application differs from the one on the Unix socket. */
export interface Setting {
  readonly serverFactory?: FastifyServerFactory;
  /** Hooks before every route. */
  readonly guard?: (app: FastifyInstance) => void;
  /** Where the files of the dashboard lie; without it there is none. */
  readonly dashboardFolder?: string;
}

export interface ListenOptions extends ApiOptions {
  readonly socketPath: string;
}

export interface ApiServer {
  readonly socketPath: string;
  close(): Promise<void>;
}

/** An unforeseen error may name paths and servers of this host: over the network nobody reads it. */
const HIDDEN = {
  message: "an unforeseen error inside the daemon",
  remedy: "ask the same with `holdfast` on the host itself: there it is told in full",
};
/** The longest question is a group's name and a few flags. */
const LONGEST_BODY_BYTES = 65_536;

/** Serves the API; an error names the path and the remedy, and the daemon can go on without it. */
export async function startApi(options: ListenOptions): Promise<Result<ApiServer, ApiError>> {
  const app = await buildApi(options);
  await app.ready();
  const listening = await listenOnSocket(app.server, options.socketPath);
  if (!listening.ok) {
    await app.close();
    return listening;
  }
  return ok({
    socketPath: options.socketPath,
    async close() {
      app.server.close();
      app.server.closeAllConnections();
      removeSocket(options.socketPath);
      await app.close();
    },
  });
}

/** The application without a socket, as tests use it. */
export async function buildApi(options: ApiOptions, setting: Setting = {}): Promise<FastifyInstance> {
  const { serverFactory, guard, dashboardFolder } = setting;
  const schemas = await import("./contract/schemas.ts");
  const { default: fastify } = await import("fastify");
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: LONGEST_BODY_BYTES,
    ...(serverFactory === undefined ? {} : { serverFactory }),
  });
  guard?.(app);
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, 404, {
      code: "not-found",
      message: `no such path: ${request.url}`,
      remedy: "the API is under /v1",
    }),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    const message = error instanceof Error ? error.message : String(error);
    if (status < 500) return sendError(reply, status, { code: "bad-request", message, remedy: null });
    return sendError(reply, status, {
      code: "internal",
      ...(guard === undefined ? { message, remedy: null } : HIDDEN),
    });
  });
  addQueries(app, options, schemas);
  addReload(app, options, schemas);
  addRestart(app, options, schemas);
  addOperations(app, options, schemas);
  addPositions(app, options, schemas);
  addSwitchover(app, options, schemas);
  addRepairs(app, options.actions, await import("./contract/repair-schemas.ts"));
  addLvs(app, options, await import("./contract/lvs-schemas.ts"));
  addProbes(app, options);
  if (options.meters !== undefined) addMetrics(app, options, options.meters);
  addVip(app, options.actions, await import("./contract/peer-schemas.ts"));
  addDoctor(app, options.actions, await import("./contract/doctor-schemas.ts"));
  addSession(app);
  addPeerReports(app, options.actions, schemas.PeerReport);
  if (dashboardFolder !== undefined) addDashboard(app, dashboardFolder);
  return app;
}

type Schemas = typeof import("./contract/schemas.ts");

function addQueries(app: FastifyInstance, options: ApiOptions, schemas: Schemas): void {
  const { readModel } = options;
  app.get("/v1/status", () => freshStatus(options));
  app.get("/v1/health", async (_request, reply) => {
    const health = healthOf(await freshStatus(options));
    return reply.code(health.healthy ? 200 : 503).send(health);
  });
  app.get("/v1/explain", async (request, reply) => {
    const query = parse(schemas.ExplainQuery, request.query, reply);
    if (query === null) return reply;
    const status = await freshStatus(options);
    const told = { view: lvsView(options.actions, readModel), events: readModel.recent(), clockText };
    if (query.server !== undefined) {
      const services = explainServices(told, query.server);
      if (services.length === 0) return unknownServer(reply, query.server);
      return { api: 1, now: status.now, explanations: [], services };
    }
    const views = status.instances.filter((view) => query.instance === undefined || view.name === query.instance);
    if (views.length === 0 && query.instance !== undefined) return unknownInstance(reply, query.instance, readModel);
    const explanations = views.map((view) =>
      explainInstance({ view, status, config: readModel.config, events: readModel.recent(), clockText }),
    );
    const services = query.instance === undefined ? explainServices(told, null) : [];
    return { api: 1, now: status.now, explanations, services };
  });
  app.get("/v1/history", async (request, reply) => {
    const query = parse(schemas.HistoryQuery, request.query, reply);
    if (query === null) return reply;
    if (isUnknown(readModel, query.instance)) return unknownInstance(reply, query.instance, readModel);
    const found = await history(options, query, query.limit);
    return query.words === undefined ? found : { ...found, events: found.events.map(withWords) };
  });
  app.get("/v1/events", (request: FastifyRequest, reply) => {
    const query = parse(schemas.EventsQuery, request.query, reply);
    if (query === null) return;
    if (isUnknown(readModel, query.instance)) {
      void unknownInstance(reply, query.instance, readModel);
      return;
    }
    const lastSeen = Number(request.headers["last-event-id"]);
    const since = query.since ?? (Number.isSafeInteger(lastSeen) ? lastSeen : readModel.lastSequence);
    streamEvents(readModel, reply, { ...query, since });
  });
}

function addReload(app: FastifyInstance, { actions }: ApiOptions, schemas: Schemas): void {
  app.post("/v1/reload", async (request, reply) => {
    const body = parse(schemas.ReloadRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const outcome = await actions.reload(body.dryRun);
    return reply.code(outcome.outcome === "refused" ? 422 : 200).send({ api: 1, ...outcome });
  });
}

function addRestart(app: FastifyInstance, { actions }: ApiOptions, schemas: Schemas): void {
  app.post("/v1/restart", async (request, reply) => {
    const body = parse(schemas.RestartRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const outcome = await actions.restart?.(body.dryRun);
    return reply.send({ api: 1, ...(outcome ?? { outcome: "refused", detail: "this daemon cannot", version: null }) });
  });
}

function addOperations(app: FastifyInstance, { actions }: ApiOptions, schemas: Schemas): void {
  app.get("/v1/log-level", (_request, reply) => {
    const level = actions.logLevel?.() ?? "info";
    return reply.send({ api: 1, level, before: level });
  });
  app.post("/v1/log-level", (request, reply) => {
    const body = parse(schemas.LogLevelRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const before = actions.logLevel?.() ?? "info";
    actions.setLogLevel?.(body.level);
    return reply.send({ api: 1, level: actions.logLevel?.() ?? "info", before });
  });
  app.post("/v1/dump", async (request, reply) => {
    const body = parse(schemas.DumpRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const report = (await actions.dump?.(body.kind)) ?? { files: [], problems: ["this daemon writes no dumps"] };
    return reply.send({ api: 1, ...report });
  });
}

function addPositions(app: FastifyInstance, { actions }: ApiOptions, schemas: Schemas): void {
  app.get("/v1/mysql/positions", async (request, reply) => {
    const query = parse(schemas.PositionsQuery, request.query, reply);
    if (query === null) return reply;
    const servers = (await actions.positions?.(query.name)) ?? null;
    return servers === null ? unmanaged(reply, query.name) : reply.send({ api: 1, name: query.name, servers });
  });
  app.get("/v1/mysql/doctor", async (request, reply) => {
    const query = parse(schemas.PositionsQuery, request.query, reply);
    if (query === null) return reply;
    const report = (await actions.examine?.(query.name)) ?? null;
    return report === null ? unmanaged(reply, query.name) : reply.send({ api: 1, name: query.name, ...report });
  });
}

function addSwitchover(app: FastifyInstance, { actions }: ApiOptions, schemas: Schemas): void {
  app.post("/v1/mysql/switchover", { config: { role: "operate" } }, async (request, reply) => {
    const body = parse(schemas.SwitchoverRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const { name, dryRun } = body;
    const outcome = (await actions.switchover?.(name, dryRun)) ?? null;
    return outcome === null ? unmanaged(reply, name) : reply.send({ api: 1, name, ...outcome });
  });
}

async function history(options: ApiOptions, filter: EventFilter, limit: number): Promise<HistoryReply> {
  const { readModel } = options;
  const inRing = readModel.recent().filter((entry) => matches(entry, filter, readModel.config));
  const ringStart = readModel.recent()[0]?.sequence ?? readModel.lastSequence + 1;
  const ringIsEnough = inRing.length >= limit || ringStart <= (filter.since ?? 0) + 1;
  if (ringIsEnough || options.history === undefined) return { api: 1, events: inRing.slice(-limit), problems: [] };
  const { events, problems } = await options.history.read({ ...filter, before: ringStart }, limit);
  const older = events.filter((entry) => matches(entry, filter, readModel.config));
  return { api: 1, events: [...older, ...inRing].slice(-limit), problems: [...problems] };
}

/** Neither configured nor seen lately: one that a reload has taken away still has its history. */
function isUnknown(readModel: ReadModel, name: string | undefined): name is string {
  const { config } = readModel;
  if (name === undefined || config === null) return false;
  if (config.instances.some(({ vrrp }) => vrrp.name === name)) return false;
  return !readModel.recent().some(({ body }) => "instance" in body && body.instance === name);
}

function unknownInstance(reply: FastifyReply, name: string, readModel: ReadModel): FastifyReply {
  const known = readModel.config?.instances.map(({ vrrp }) => vrrp.name).join(", ") ?? "";
  const remedy = known === "" ? "the daemon runs no instance" : `it runs ${known}`;
  return sendError(reply, 404, { code: "unknown-instance", message: `there is no instance ${name}`, remedy });
}

function unknownServer(reply: FastifyReply, name: string): FastifyReply {
  const message = `no virtual server has ${name}`;
  return sendError(reply, 404, { code: "unknown-server", message, remedy: "see holdfast lvs status" });
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Time of day, with the date when it is not today's. */
export function clockText(time: number, now = Date.now()): string {
  const date = new Date(time);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}
