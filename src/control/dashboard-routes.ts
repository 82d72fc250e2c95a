/**
 * The dashboard: its files, which have no secrets and are given to anyone who may reach the listener, and the question of who asks.
 * What the page shows and does comes through the API and its gatekeeper. No style, script or picture from elsewhere is allowed in.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { SessionReply } from "./contract/types.ts";
import { sendError } from "./replies.ts";

const ROOT = "/dashboard/";
const FILES = {
  "index.html": "text/html; charset=utf-8",
  "app.js": "text/javascript; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;
type FileName = keyof typeof FILES;

/** Trusted types: a script that puts text into the page as HTML fails, whatever the text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

interface PageFile {
  readonly plain: Buffer;
  readonly packed: Buffer;
  readonly etag: string;
}

export function addDashboard(app: FastifyInstance, folder: string): void {
  const read = createReader(folder);
  const config = { role: "anyone", counted: true } as const;
  app.get("/", { config }, (_request, reply) => reply.redirect(ROOT, 302));
  app.get("/dashboard", { config }, (_request, reply) => reply.redirect(ROOT, 301));
  for (const name of Object.keys(FILES) as FileName[]) {
    const path = name === "index.html" ? ROOT : `${ROOT}${name}`;
    app.get(path, { config }, (request, reply) => sendFile({ request, reply }, name, read(name)));
  }
}

/** Each file is read once, when it is first asked for: a daemon that nobody looks at keeps none of them. */
function createReader(folder: string): (name: FileName) => PageFile | null {
  const known = new Map<FileName, PageFile>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    try {
      const plain = readFileSync(join(folder, name));
      const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
      const file = { plain, packed: gzipSync(plain, { level: 9 }), etag };
      known.set(name, file);
      return file;
    } catch {
      return null;
    }
  };
}

function sendFile(
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  name: FileName,
  file: PageFile | null,
): FastifyReply {
  if (file === null) {
    const message = `the file ${name} of the dashboard is missing in this installation`;
    return sendError(reply, 404, {
      code: "not-found",
      message,
      remedy: "install Holdfast again, or run npm run build",
    });
  }
  const { plain, packed, etag } = file;
  void reply.headers({
    "content-type": FILES[name],
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    // Kept, and asked for each time: after an upgrade nobody looks through the old page.
    "cache-control": "no-cache",
    vary: "accept-encoding",
    etag,
  });
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(plain);
  return reply.header("content-encoding", "gzip").send(packed);
}

/** Who asks, as far as the gatekeeper knows; who comes by the Unix socket is root. */
export function addSession(app: FastifyInstance): void {
  app.get("/v1/session", (request, reply) => {
    const { who, role } = request.caller ?? { who: null, role: "admin" };
    return reply.send({ api: 1, host: hostname(), who, role } satisfies SessionReply);
  });
}
