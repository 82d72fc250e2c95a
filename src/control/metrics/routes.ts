/**
 * What programs ask rather than people: /metrics for Prometheus, /healthz (the daemon answers) and /readyz (it could serve) for load
 * balancers and Kubernetes. The last two say no more than yes or no: they need no token.
 */
import type { FastifyInstance } from "fastify";
import { freshStatus, healthOf, type StatusSource } from "../fresh-status.ts";
import { lvsView } from "../lvs-view.ts";
import type { EventCounts } from "./event-counts.ts";
import { CONTENT_TYPE, render } from "./exposition.ts";
import { families, type ProcessFigures } from "./families.ts";

export interface Meters {
  readonly counts: EventCounts;
  readonly process: () => ProcessFigures;
}

export function addMetrics(app: FastifyInstance, source: StatusSource, meters: Meters): void {
  app.get("/metrics", async (_request, reply) => {
    const status = await freshStatus(source);
    const lvs = source.actions.lvs === undefined ? null : lvsView(source.actions, source.readModel);
    const text = render(families({ status, lvs, counts: meters.counts, process: meters.process() }));
    return reply.header("content-type", CONTENT_TYPE).send(text);
  });
}

/** Whoever asks, without a token and as often as he likes, must not have the keeper asked each time: it has adverts to send. */
const READINESS_MILLIS = 500;

export function addProbes(app: FastifyInstance, source: StatusSource): void {
  const isReady = shared(READINESS_MILLIS, async () => healthOf(await freshStatus(source)).healthy);
  const anyone = { config: { role: "anyone" } } as const;
  app.get("/healthz", anyone, (_request, reply) => reply.type("text/plain").send("ok\n"));
  app.get("/readyz", anyone, async (_request, reply) => {
    const healthy = await isReady();
    return reply
      .code(healthy ? 200 : 503)
      .type("text/plain")
      .send(healthy ? "ready\n" : "not ready\n");
  });
}

/** One answer for all who ask before it is that old. */
function shared<T>(millis: number, find: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | null = null;
  return () => {
    const now = performance.now();
    if (last === null || now - last.at >= millis) last = { at: now, answer: find() };
    return last.answer;
  };
}
