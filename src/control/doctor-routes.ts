/** The API's part in the doctor of a host: the peers are asked by the daemon, who alone has the key of the link. */
import type { FastifyInstance } from "fastify";
import type { ControlActions } from "./actions.ts";
import { parse } from "./replies.ts";

type Schemas = typeof import("./contract/doctor-schemas.ts");

export function addDoctor(app: FastifyInstance, actions: ControlActions, schemas: Schemas): void {
  app.post("/v1/doctor/advert-test", async (request, reply) => {
    const test = parse(schemas.AdvertTestRequest, request.body ?? {}, reply);
    if (test === null) return reply;
    return reply.send({ api: 1, peers: (await actions.advertTest?.(test)) ?? [] });
  });
}
