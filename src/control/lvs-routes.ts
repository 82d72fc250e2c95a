/** The routes of virtual servers: what the kernel has, and draining. Causes come from the latest events. */
import type { FastifyInstance } from "fastify";
import { eventInWords } from "../core/events/explain.ts";
import { serviceText } from "../core/lvs/ipvs/words.ts";
import type { LvsStatus, ServerStatus, ServiceStatus } from "../engine/lvs/lvs-status.ts";
import type { ControlActions } from "./actions.ts";
import type { DrainReply, LvsStatusReply } from "./contract/types.ts";
import type { ReadModel } from "./read-model.ts";
import { parse, sendError } from "./replies.ts";

type Schemas = typeof import("./contract/lvs-schemas.ts");

export function addLvs(
  app: FastifyInstance,
  { readModel, actions }: { readonly readModel: ReadModel; readonly actions: ControlActions },
  schemas: Schemas,
): void {
  app.get("/v1/lvs", (_request, reply) => reply.send(statusReply(actions.lvs?.() ?? NOTHING, readModel)));
  app.post("/v1/lvs/drain", { config: { role: "operate" } }, (request, reply) => {
    const body = parse(schemas.DrainRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const { server, service, drain } = body;
    const services = actions.drain?.({ server, service }, drain) ?? 0;
    if (services > 0)
      return reply.send({ api: 1, server, services, active: activeOf(actions, server, service) } satisfies DrainReply);
    const where = service === null ? "any virtual service" : service;
    const message = drain ? `${server} is no server of ${where}` : `${server} is not drained in ${where}`;
    return sendError(reply, 404, { code: "unknown-server", message, remedy: "see holdfast lvs status" });
  });
}

const NOTHING: LvsStatus = {
  kernel: "unused",
  version: "",
  detail: "",
  foreign: 0,
  refused: [],
  sync: [],
  services: [],
};

function activeOf(actions: ControlActions, server: string, service: string | null): number {
  const services = (actions.lvs?.() ?? NOTHING).services.filter((one) => service === null || one.service === service);
  const servers = services.flatMap((one) => one.servers.filter((other) => other.server === server));
  return servers.reduce((sum, { active }) => sum + active, 0);
}

function statusReply(status: LvsStatus, readModel: ReadModel): LvsStatusReply {
  return {
    api: 1,
    ...status,
    refused: status.refused.map((one) => ({ ...one, service: serviceText(one.service) })),
    sync: status.sync.map(({ state, interface: device, id }) => ({ state, interface: device, id })),
    services: status.services.map((service) => ({
      ...service,
      servers: service.servers.map((server) => ({ ...server, cause: causeOf(service, server, readModel) })),
    })),
  };
}

/** Whatever brought the server into the pool or out of it last. */
function causeOf({ virtualServer }: ServiceStatus, { realServer }: ServerStatus, readModel: ReadModel): string | null {
  if (virtualServer === null || realServer === null) return null;
  const last = readModel.recent().findLast(({ body }) => {
    if (body.kind !== "checker" && body.kind !== "real-server") return false;
    return body.service === virtualServer && body.server === realServer;
  });
  return last === undefined ? null : eventInWords(last.body);
}
