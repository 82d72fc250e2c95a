/** The API's question who answers for an address, and the order to remove one that was left over. */
import type { FastifyInstance } from "fastify";
import { parseIp } from "../core/lib/ip.ts";
import { judgeSights } from "../core/peer-link/who-answers.ts";
import type { ControlActions } from "./actions.ts";
import { parse, sendError } from "./replies.ts";

type Schemas = typeof import("./contract/peer-schemas.ts");

export function addVip(app: FastifyInstance, actions: ControlActions, schemas: Schemas): void {
  app.get("/v1/vip", async (request, reply) => {
    const query = parse(schemas.VipQuery, request.query, reply);
    if (query === null) return reply;
    const address = parseIp(query.address);
    if (address === null || actions.whoAnswers === undefined) {
      const message = `${query.address} is no address`;
      return sendError(reply, 400, { code: "bad-request", message, remedy: "write one address without its prefix" });
    }
    const sights = await actions.whoAnswers(address);
    return reply.send({ api: 1, address, ...judgeSights(sights), sights });
  });
  app.post("/v1/vip/release-stale", async (request, reply) => {
    const body = parse(schemas.ReleaseStaleRequest, request.body ?? {}, reply);
    if (body === null) return reply;
    const address = parseIp(body.address);
    if (address === null || actions.releaseStale === undefined) {
      const message = `${body.address} is no address`;
      return sendError(reply, 400, { code: "bad-request", message, remedy: "write one address without its prefix" });
    }
    return reply.send({ api: 1, address, ...(await actions.releaseStale(address, body.dryRun)) });
  });
}
