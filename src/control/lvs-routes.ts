/** The routes of virtual servers: what the kernel has and the checks found, and draining. */
import type { FastifyInstance } from "fastify";
import type { ControlActions } from "./actions.ts";
import type { DoctorReply, DrainReply } from "./contract/types.ts";
import { lvsNow, lvsView } from "./lvs-view.ts";
import type { ReadModel } from "./read-model.ts";
import { parse, sendError } from "./replies.ts";

type Schemas = typeof import("./contract/lvs-schemas.ts");

export function addLvs(
  app: FastifyInstance,
  { readModel, actions }: { readonly readModel: ReadModel; readonly actions: ControlActions },
  schemas: Schemas,
): void {
  app.get("/v1/lvs", (_request, reply) => reply.send(lvsView(actions, readModel)));
  app.get("/v1/lvs/doctor", async (_request, reply) => {
    const findings = [...(await (actions.examineLvs?.() ?? [])), ...writtenFaults(readModel)];
    const servers = readModel.config?.lvs.servers.map(({ name }) => name) ?? [];
    return reply.send({ api: 1, name: "virtual servers", servers, findings } satisfies DoctorReply);
  });
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

function activeOf(actions: ControlActions, server: string, service: string | null): number {
  const services = lvsNow(actions).services.filter((one) => service === null || one.service === service);
  const servers = services.flatMap((one) => one.servers.filter((other) => other.server === server));
  return servers.reduce((sum, { active }) => sum + active, 0);
}

/** What of the file is served otherwise than written: a port with DR or TUN above all. */
function writtenFaults({ diagnostics }: ReadModel): DoctorReply["findings"] {
  return diagnostics
    .filter(({ code }) => code === "server-adjusted")
    .map(({ message, remedy, span }) => ({
      id: "lvs-adjusted",
      severity: "warning" as const,
      server: null,
      what: message,
      why:
        span === null
          ? "it is served otherwise than written"
          : `${span.file}:${span.line} is served otherwise than written`,
      fix: remedy ?? "see holdfast check",
    }));
}
