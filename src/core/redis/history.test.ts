/** PSYNC's rule, and a model of servers that write, follow and are promoted: what the rule allows never loses a write. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasAllOf } from "./history.ts";
import type { History } from "./info.ts";

const history = (id: string, offset: number, formerId = "0", formerEnd = -1): History => ({
  id,
  offset,
  formerId,
  formerEnd,
  counted: true,
});

test("in one stream the offset decides", () => {
  expect(hasAllOf(history("a", 10), history("a", 10))).toBe(true);
  expect(hasAllOf(history("a", 9), history("a", 10))).toBe(false);
});

test("a promoted replica has what the old master had sent it, and not one byte more", () => {
  const promoted = history("b", 50, "a", 21);
  expect(hasAllOf(promoted, history("a", 20))).toBe(true);
  expect(hasAllOf(promoted, history("a", 21))).toBe(false);
});

test("streams without an id in common cannot be compared, whatever their offsets say", () => {
  expect(hasAllOf(history("a", 700), history("b", 700))).toBeNull();
});

test("a server without a backlog may have written since its promotion: its offset stands still", () => {
  const promoted = { ...history("b", 20, "a", 21), counted: false };
  expect(hasAllOf(history("a", 30), promoted)).toBe(false);
  expect(hasAllOf(history("a", 30), { ...promoted, counted: true })).toBe(true);
});

interface Server {
  history: History;
  /** Each write once, in the order in which this server has applied them. */
  writes: readonly number[];
}

type Action = { readonly kind: "write" | "promote" | "follow"; readonly who: number; readonly whom: number };

test("whoever is said to have everything has every write of the other", () => {
  const actions: fc.Arbitrary<Action> = fc.record({
    kind: fc.constantFrom("write" as const, "promote" as const, "follow" as const),
    who: fc.nat(2),
    whom: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(actions, { maxLength: 40 }), (script) => {
      const servers: Server[] = [0, 1, 2].map(() => ({ history: history("start", 0), writes: [] }));
      let next = 0;
      for (const { kind, who, whom } of script) act(servers, { kind, who, whom, fresh: ++next });
      for (const one of servers) {
        for (const other of servers) {
          if (hasAllOf(one.history, other.history) !== true) continue;
          expect(other.writes.every((write) => one.writes.includes(write))).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});

/** Every server is a master of its own until it follows another for a moment, which takes the whole stream of that one over. */
function act(servers: Server[], { kind, who, whom, fresh }: Action & { readonly fresh: number }): void {
  const server = servers[who] as Server;
  const other = servers[whom] as Server;
  // Two servers write in one stream only through a promotion, as REPLICAOF NO ONE makes it.
  if (kind === "write" && server.history.id === `id${who}`) {
    server.history = { ...server.history, offset: server.history.offset + 1 };
    server.writes = [...server.writes, fresh];
  } else if (kind === "promote" && server.history.id !== `id${who}`) {
    const { id, offset } = server.history;
    servers[who] = { ...server, history: history(`id${who}`, offset, id, offset + 1) };
    // An id is never used twice: whoever has the old one has a dead stream.
    for (const each of servers) rename(each, server, `id${who}`, `dead${fresh}`);
  } else if (kind === "follow") servers[who] = { history: other.history, writes: other.writes };
}

function rename(server: Server, promoted: Server, id: string, to: string): void {
  if (server === promoted) return;
  const { history: now } = server;
  if (now.id !== id && now.formerId !== id) return;
  server.history = { ...now, id: now.id === id ? to : now.id, formerId: now.formerId === id ? to : now.formerId };
}
