/** How a question is validated, and how an error is answered. */
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { ErrorReply } from "./contract/types.ts";

/** Null: it has been answered with what is wrong with it. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, reply: FastifyReply): T | null {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const message = result.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; ");
  void sendError(reply, 400, { code: "bad-request", message, remedy: null });
  return null;
}

export function sendError(reply: FastifyReply, status: number, error: ErrorReply["error"]): FastifyReply {
  return reply.code(status).send({ api: 1, error } satisfies ErrorReply);
}

export function unmanaged(reply: FastifyReply, name: string): FastifyReply {
  const message = `no instance manages a mysql block ${name}`;
  return sendError(reply, 404, { code: "unknown-mysql", message, remedy: "see manage_mysql in the configuration" });
}
