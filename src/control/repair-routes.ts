/** The routes of what an operator orders by hand for a managed database group. */
import type { FastifyInstance } from "fastify";
import type { ControlActions } from "./actions.ts";
import { parse, unmanaged } from "./replies.ts";

type Schemas = typeof import("./contract/repair-schemas.ts");

export function addRepairs(app: FastifyInstance, actions: ControlActions, schemas: Schemas): void {
  const { repairs } = actions;
  app.post("/v1/mysql/takeover", async (request, reply) => {
    const body = parse(schemas.TakeoverRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const { name, ...order } = body;
    const plan = (await actions.takeover?.(name, order)) ?? null;
    if (plan === null) return unmanaged(reply, name);
    const given = plan.refused === null;
    const { consent, withoutStore } = order;
    return reply.send({ api: 1, name, ...plan, consented: consent && given, withoutStore: withoutStore && given });
  });
  app.post("/v1/init-writer", async (request, reply) => {
    const body = parse(schemas.InitWriterRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const outcome = (await actions.initWriter?.(body.name)) ?? null;
    return outcome === null ? unmanaged(reply, body.name) : reply.send({ api: 1, name: body.name, ...outcome });
  });
  app.post("/v1/mysql/rejoin", async (request, reply) => {
    const body = parse(schemas.RejoinRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const { name, ...order } = body;
    const outcome = (await repairs?.rejoin(name, order)) ?? null;
    return outcome === null ? unmanaged(reply, name) : reply.send({ api: 1, name, ...outcome });
  });
  app.post("/v1/mysql/skip", async (request, reply) => {
    const body = parse(schemas.SkipRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const { name, ...order } = body;
    const outcome = (await repairs?.skip(name, order)) ?? null;
    return outcome === null ? unmanaged(reply, name) : reply.send({ api: 1, name, ...outcome });
  });
  app.post("/v1/mysql/fence", async (request, reply) => {
    const body = parse(schemas.FenceRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const outcome = (await repairs?.fence(body.name, body.on)) ?? null;
    return outcome === null ? unmanaged(reply, body.name) : reply.send({ api: 1, name: body.name, ...outcome });
  });
}
