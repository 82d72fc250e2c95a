/**
 * What this daemon reports of itself to its peers, and what they report: people look at one host and see all of them. A report comes from
 * another daemon, perhaps of another version, so it is checked like any answer from outside.
 */
import type { FastifyInstance } from "fastify";
import type { ControlActions, PeerReportAnswer } from "./actions.ts";
import type { PeerReport, PeersReply } from "./contract/types.ts";
import { withWords } from "./event-stream.ts";
import { freshStatus, type StatusSource } from "./fresh-status.ts";

/** The latest ones; with the status of some hundred instances they stay far below what the link carries. */
const MOST_EVENTS = 500;

export async function reportOf(source: StatusSource): Promise<string> {
  const status = await freshStatus(source);
  const events = source.readModel.recent().slice(-MOST_EVENTS).map(withWords);
  return JSON.stringify({ status, events } satisfies PeerReport);
}

type Schema = typeof import("./contract/schemas.ts").PeerReport;

export function addPeerReports(app: FastifyInstance, actions: ControlActions, schema: Schema): void {
  app.get("/v1/peers", async (_request, reply) => {
    const answers = (await actions.peerReports?.()) ?? [];
    const peers = answers.map((answer) => readAnswer(answer, schema));
    return reply.send({ api: 1, peers } satisfies PeersReply);
  });
}

function readAnswer({ peer, json, problem }: PeerReportAnswer, schema: Schema): PeersReply["peers"][number] {
  if (json === null) return { peer, report: null, problem };
  const read = schema.safeParse(parsed(json));
  if (read.success) return { peer, report: read.data, problem: null };
  return { peer, report: null, problem: "its report cannot be read: bring both daemons to one version" };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
