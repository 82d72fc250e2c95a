/**
 * Who may ask what by HTTP: tokens, roles, rate limits, and the record of who changed something. Put before every route of a
 * listener. The Unix socket needs none of it: its file mode lets root in alone.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { allows, type Role } from "../../core/api/tokens.ts";
import type { HostEventBody } from "../../core/events/host-events.ts";
import { printable } from "../../core/lib/printable.ts";
import type { ErrorReply } from "../contract/types.ts";
import { RateLimit } from "./rate.ts";
import { TokenStore } from "./token-store.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a route asks for by HTTP. Without it GET is `read` and everything else `admin`. */
    role?: Role | "anyone";
    /** The rate limit counts even where anyone may ask. */
    counted?: boolean;
  }
  interface FastifyRequest {
    caller?: Caller;
    /** Whether the same request would be let in now. */
    stillAllowed?: () => boolean;
  }
}

export interface Caller {
  /** Name of the token; null: a program on this host without one. */
  readonly who: string | null;
  readonly role: Role;
}

export interface GatekeeperOptions {
  readonly tokenFile: string | null;
  /** Requests a second of one address. */
  readonly rateLimit: number;
  /** Milliseconds of a clock that never steps. */
  readonly now: () => number;
  readonly publish: (body: HostEventBody) => void;
}

const BURST_SECONDS = 5;
/** A wrong token counts as so many requests: guessing is slow even for one who is patient. */
const WRONG_TOKEN_COST = 10;
const TELL_EVERY_MILLIS = 10_000;
const LONGEST_REQUEST_TEXT = 300;
const MOST_TOLD = 1_024;

export interface Refusal {
  readonly status: 401 | 403 | 421 | 429 | 503;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
  /** For the log, where it says more than a stranger should hear. */
  readonly detail?: string;
}

export function addGatekeeper(app: FastifyInstance, options: GatekeeperOptions): void {
  const { publish } = options;
  const gate = createGate(options);
  const told = createRefusalTeller(options);
  app.addHook("onRequest", async (request, reply) => {
    secure(reply);
    const entered = gate.enter(request);
    if ("status" in entered) {
      told(request, entered);
      return turnAway(reply, entered);
    }
    request.caller = entered;
    request.stillAllowed = () => !("status" in gate.judge(request));
    return undefined;
  });
  app.addHook("preHandler", async (request) => {
    if (isChange(request)) publish(recordOf(request, "asked", ""));
  });
  app.addHook("onResponse", async (request, reply) => {
    if (isChange(request) && request.caller !== undefined) {
      publish(recordOf(request, "answered", String(reply.statusCode)));
    }
  });
}

const isChange = ({ method }: FastifyRequest): boolean => method !== "GET" && method !== "HEAD";

/** Nothing of the API belongs into a frame, a cache or another site's page. */
function secure(reply: FastifyReply): void {
  void reply.headers({
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
  });
}

interface Gate {
  /** Counts the request. */
  enter(request: FastifyRequest): Caller | Refusal;
  /** Without counting it: for one that has been let in already. */
  judge(request: FastifyRequest): Caller | Refusal;
}

function createGate({ tokenFile, rateLimit, now }: GatekeeperOptions): Gate {
  const rate = new RateLimit({ rate: rateLimit, burst: rateLimit * BURST_SECONDS, now });
  const tokens = tokenFile === null ? null : new TokenStore(tokenFile);
  const judge = (request: FastifyRequest): Caller | Refusal => {
    const needed = roleOf(request);
    if (needed === "anyone") return { who: null, role: "read" };
    const stranger = tokens === null ? whyStrange(request) : null;
    if (stranger !== null) return stranger;
    const caller = identify(tokens, request);
    if ("status" in caller || allows(caller.role, needed)) return caller;
    const remedy =
      tokens === null ? "give token_file in the block api, or use the Unix socket" : "ask with another token";
    const message = `this needs the role ${needed}, and ${caller.who ?? "who comes without a token"} has ${caller.role}`;
    return { status: 403, code: "forbidden", message, remedy };
  };
  return {
    judge,
    enter(request) {
      const counted = roleOf(request) !== "anyone" || request.routeOptions.config.counted === true;
      // Health is not counted: it is asked by what must not be turned away, load balancers, often and without a secret.
      if (counted && !rate.take(request.ip)) return TOO_MANY;
      const judged = judge(request);
      if (judged === WRONG_TOKEN) rate.take(request.ip, WRONG_TOKEN_COST);
      return judged;
    },
  };
}

function identify(tokens: TokenStore | null, request: FastifyRequest): Caller | Refusal {
  if (tokens === null) return { who: null, role: "read" };
  const token = /^Bearer (\S{1,512})$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined) return NO_TOKEN;
  const found = tokens.find(token);
  if (!found.ok) return { ...TOKENS_UNUSABLE, detail: found.error };
  return found.value === null ? WRONG_TOKEN : { who: found.value.name, role: found.value.role };
}

function roleOf(request: FastifyRequest): Role | "anyone" {
  return request.routeOptions.config.role ?? (isChange(request) ? "admin" : "read");
}

/**
 * Without tokens the address is the only protection: a page from elsewhere, whose name was made to point here (DNS rebinding),
 * must not read. Its own name gives it away. One that asks by our name cannot read the answer, but must not set anything going either;
 * browsers say from where they ask.
 */
function whyStrange({ headers }: FastifyRequest): Refusal | null {
  if (!isOwnName(headers.host)) return FOREIGN_NAME;
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  const foreign = site === "cross-site" || site === "same-site";
  return foreign || (origin !== undefined && !isOwnOrigin(origin)) ? FOREIGN_PAGE : null;
}

function isOwnName(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]*)(?::\d+)?$/i.exec(host ?? "")?.[1] ?? "";
  return name === "localhost" || name.startsWith("[") || /^127(?:\.\d{1,3}){3}$/.test(name);
}

const isOwnOrigin = (origin: string): boolean => isOwnName(/^https?:\/\/([^/]*)$/.exec(origin)?.[1]);

const NO_TOKEN: Refusal = {
  status: 401,
  code: "no-token",
  message: "no token was given",
  remedy: "send Authorization: Bearer TOKEN; `holdfast token add` makes one",
};
const WRONG_TOKEN: Refusal = { status: 401, code: "wrong-token", message: "the token is unknown", remedy: null };
const TOKENS_UNUSABLE: Refusal = {
  status: 503,
  code: "tokens-unusable",
  message: "the token file cannot be used, so nobody gets in",
  remedy: "the daemon's log says what is wrong with it",
};
const FOREIGN_PAGE: Refusal = {
  status: 403,
  code: "foreign-page",
  message: "a page from elsewhere asks nothing here",
  remedy: "ask by a program, or give token_file in the block api",
};
const TOO_MANY: Refusal = {
  status: 429,
  code: "too-many-requests",
  message: "too many requests from this address",
  remedy: "ask less often, or raise rate_limit in the block api",
};
const FOREIGN_NAME: Refusal = {
  status: 421,
  code: "foreign-name",
  message: "without tokens the API answers to localhost and to loopback addresses only",
  remedy: "ask by 127.0.0.1, or give token_file in the block api",
};

async function turnAway(reply: FastifyReply, { status, code, message, remedy }: Refusal): Promise<FastifyReply> {
  if (status === 401) void reply.header("www-authenticate", "Bearer");
  if (status === 429) void reply.header("retry-after", "1");
  return reply.code(status).send({ api: 1, error: { code, message, remedy } } satisfies ErrorReply);
}

function recordOf(request: FastifyRequest, action: "asked" | "answered", detail: string): HostEventBody {
  const body = action === "asked" && request.body !== undefined ? ` ${JSON.stringify(request.body)}` : "";
  const text = printable(`${request.method} ${request.url}${body}`).slice(0, LONGEST_REQUEST_TEXT);
  const who = request.caller?.who ?? null;
  return { kind: "api-request", action, who, from: request.ip, request: text, detail, more: 0 };
}

/** One line per address in ten seconds, the others are counted: whoever knocks all night must not fill the journal. */
function createRefusalTeller({ now, publish }: GatekeeperOptions) {
  const told = new Map<string, { at: number; more: number }>();
  return (request: FastifyRequest, { message, detail = message }: Refusal): void => {
    const before = told.get(request.ip);
    if (before !== undefined && now() - before.at < TELL_EVERY_MILLIS) {
      before.more += 1;
      return;
    }
    if (told.size >= MOST_TOLD) told.delete(told.keys().next().value ?? "");
    told.set(request.ip, { at: now(), more: 0 });
    const text = printable(`${request.method} ${request.url}`).slice(0, LONGEST_REQUEST_TEXT);
    publish({
      kind: "api-request",
      action: "refused",
      who: request.caller?.who ?? null,
      from: request.ip,
      request: text,
      detail,
      more: before?.more ?? 0,
    });
  };
}
