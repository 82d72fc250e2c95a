/**
 * What the page knows of the daemon, kept up to date: the status is asked for at once when an event tells of a change, and every few
 * seconds for what changes without one (lags, weights, ages). When the daemon is gone the last state stays, marked as old, and the
 * connection is tried again for ever. Knows nothing of the page.
 */
import type {
  EventEntry,
  HistoryReply,
  LvsStatusReply,
  PeersReply,
  PositionsReply,
  SessionReply,
  StatusReply,
} from "../control/contract/types.ts";
import { type Api, ApiFailure, createApi } from "./api.ts";
import { readEvents } from "./follow.ts";

export type Connection = "connecting" | "live" | "lost" | "token-wanted";

export interface Snapshot {
  readonly connection: Connection;
  /** Why it is not live; null: nothing is wrong. */
  readonly problem: { readonly message: string; readonly remedy: string | null } | null;
  readonly session: SessionReply | null;
  readonly status: StatusReply | null;
  readonly lvs: LvsStatusReply | null;
  /** Of the managed groups, by name. */
  readonly positions: ReadonlyMap<string, PositionsReply["servers"]>;
  /** What the peers' daemons report of themselves. */
  readonly peers: PeersReply["peers"];
  /** Oldest first. */
  readonly events: readonly EventEntry[];
  /** When the status was last answered, by this browser's clock. */
  readonly answeredAt: number | null;
  /** How far the daemon's clock is ahead of this one, milliseconds. */
  readonly clockAhead: number;
}

export interface Live {
  readonly snapshot: Snapshot;
  readonly api: Api;
  /** Begins anew with that token; null: without one. */
  begin(token: string | null): void;
  /** Asks at once, after something was ordered. */
  refresh(): void;
}

const EVERY_MILLIS = 3_000;
/** Two questions for the status are at least this far apart: the daemon's rate limit is 20 requests a second. */
const LEAST_MILLIS = 250;
const RETRY_MILLIS = 1_000;
const MOST_EVENTS = 2_000;
/** Told only while somebody debugs, many times a second. */
const NOT_KEPT: ReadonlySet<string> = new Set(["packet", "timer"]);

const NOTHING: Snapshot = {
  connection: "connecting",
  problem: null,
  session: null,
  status: null,
  lvs: null,
  positions: new Map(),
  peers: [],
  events: [],
  answeredAt: null,
  clockAhead: 0,
};

export function createLive(onChange: (snapshot: Snapshot) => void): Live {
  let snapshot = NOTHING;
  let api = createApi(null);
  let current: AbortController | null = null;
  let asker: (() => void) | null = null;

  const set = (changes: Partial<Snapshot>): void => {
    snapshot = { ...snapshot, ...changes };
    onChange(snapshot);
  };
  const append = (entry: EventEntry): void => {
    if (NOT_KEPT.has(entry.body.kind)) return;
    const { events } = snapshot;
    if (entry.sequence <= (events.at(-1)?.sequence ?? 0)) return;
    set({ events: [...events.slice(-MOST_EVENTS), entry] });
  };
  const connection = async (signal: AbortSignal): Promise<void> => {
    const session = await api.get<SessionReply>("/v1/session");
    const history = await api.get<HistoryReply>("/v1/history?limit=1000&words=1");
    const facts = await ask(api);
    set({ session, events: history.events, ...facts, connection: "live", problem: null });
    const since = history.events.at(-1)?.sequence ?? 0;
    const stream = await api.stream(`/v1/events?since=${since}&words=1`, signal);
    const refresher = createRefresher({ ask: () => ask(api), tell: set, signal });
    asker = refresher.now;
    void followOthers({ api, names: () => snapshot.status?.mysql.map(({ name }) => name) ?? [], tell: set, signal });
    await Promise.race([
      readEvents(stream, (entry) => {
        append(entry);
        refresher.now();
      }),
      refresher.broken,
    ]);
    throw new ApiFailure(0, { code: "ended", message: "the daemon has ended the stream of events", remedy: null });
  };
  const run = async (controller: AbortController): Promise<void> => {
    const { signal } = controller;
    while (!signal.aborted) {
      const attempt = new AbortController();
      const failure = await connection(AbortSignal.any([signal, attempt.signal])).catch((error: unknown) => error);
      attempt.abort();
      if (signal.aborted) return;
      const { status, message, remedy } = asFailure(failure);
      set({ connection: status === 401 ? "token-wanted" : "lost", problem: { message, remedy } });
      if (status === 401) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
    }
  };
  return {
    get snapshot() {
      return snapshot;
    },
    get api() {
      return api;
    },
    begin(token) {
      current?.abort();
      current = new AbortController();
      api = createApi(token);
      snapshot = NOTHING;
      set({});
      void run(current);
    },
    refresh: () => asker?.(),
  };
}

function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiFailure(0, { code: "broken", message, remedy: null });
}

type Facts = Pick<Snapshot, "status" | "lvs" | "answeredAt" | "clockAhead">;

async function ask(api: Api): Promise<Facts> {
  const [status, lvs] = await Promise.all([api.get<StatusReply>("/v1/status"), api.get<LvsStatusReply>("/v1/lvs")]);
  const now = Date.now();
  return { status, lvs, answeredAt: now, clockAhead: status.now - now };
}

interface OtherOptions {
  readonly api: Api;
  readonly names: () => readonly string[];
  readonly tell: (changes: Pick<Snapshot, "positions" | "peers">) => void;
  readonly signal: AbortSignal;
}

/** Each answer asks other hosts, dead ones too: it may take seconds, and the status must not wait for it. */
async function followOthers({ api, names, tell, signal }: OtherOptions): Promise<void> {
  while (!signal.aborted) {
    if (!document.hidden) {
      const [peers, ...groups] = await Promise.all([
        api.get<PeersReply>("/v1/peers").catch(() => NO_PEERS),
        ...names().map((name) => positionsOf(api, name).catch(() => [])),
      ]);
      if (!signal.aborted) tell({ positions: new Map(groups.flat()), peers: peers.peers });
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MILLIS));
  }
}

const NO_PEERS: PeersReply = { api: 1, peers: [] };

/** Blocks that are only watched have none. */
async function positionsOf(api: Api, name: string): Promise<[string, PositionsReply["servers"]][]> {
  try {
    const { servers } = await api.get<PositionsReply>(`/v1/mysql/positions?name=${encodeURIComponent(name)}`);
    return [[name, servers]];
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return [];
    throw error;
  }
}

interface RefresherOptions {
  readonly ask: () => Promise<Facts>;
  readonly tell: (facts: Facts) => void;
  readonly signal: AbortSignal;
}

/** One question at a time; what is asked for meanwhile is one more afterwards. `broken` rejects when one fails. */
function createRefresher({ ask: question, tell, signal }: RefresherOptions) {
  let asking = false;
  let again = false;
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const now = async (): Promise<void> => {
    again = true;
    if (asking) return;
    asking = true;
    while (again && !signal.aborted) {
      again = false;
      try {
        tell(await question());
      } catch (error) {
        // Too many questions: the next one comes later.
        if (!(error instanceof ApiFailure && error.status === 429)) fail(error);
      }
      await new Promise((resolve) => setTimeout(resolve, LEAST_MILLIS));
    }
    asking = false;
  };
  const timer = setInterval(() => {
    if (!document.hidden) void now();
  }, EVERY_MILLIS);
  const shown = (): void => void now();
  document.addEventListener("visibilitychange", shown);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", shown);
  });
  return { now: () => void now(), broken };
}
