// One group's record over a store in memory, in virtual time: what a daemon does when the store forgets, and when its settings are new.
import { beforeEach, describe, expect, test } from "vitest";
import { type Instant, after as later, millis, seconds } from "../../core/lib/units.ts";
import type { QuorumConfig } from "../../core/quorum/config.ts";
import { MemoryStore, type StoreView } from "../testing/memory-store.ts";
import { createVirtualTimers, type VirtualTimers } from "../testing/virtual-timers.ts";
import type { GroupSettings } from "./group-host.ts";
import { GroupRecord } from "./group-record.ts";

const CONFIG: QuorumConfig = {
  kind: "etcd",
  endpoints: [{ url: "http://192.0.2.9:2379", tls: false }],
  prefix: "/holdfast",
  credentials: null,
  tlsCa: null,
  tlsCert: null,
  tlsKey: null,
  ttl: seconds(4),
  renew: millis(500),
  timeout: millis(700),
};
const SETTINGS: GroupSettings = {
  instance: "VI_1",
  group: "redis/cache",
  key: "/holdfast/redis/cache",
  policy: "consistency",
  addresses: ["192.0.2.100"],
  shortestLease: seconds(1),
};
class Host {
  readonly view: StoreView;
  readonly record: GroupRecord;
  permitted: Instant | null = null;
  readonly told: string[] = [];

  constructor(life: string, store: MemoryStore, timers: VirtualTimers, ttl = CONFIG.ttl) {
    this.view = store.open();
    this.record = new GroupRecord(SETTINGS, {
      timers,
      store: this.view,
      config: { ...CONFIG, ttl },
      host: `host-${life}`,
      life,
      tell: (action) => this.told.push(action),
      permit: (until) => {
        this.permitted = until;
      },
      forbid: (detail) => this.told.push(detail === null ? "allowed" : "forbidden"),
      lost: (why) => this.told.push(`lost: ${why}`),
      retry: () => this.told.push("retry"),
      asked: () => undefined,
    });
  }

  /** Resolves to when it was granted. */
  async claim(timers: VirtualTimers): Promise<Instant | string> {
    const result = await this.record.claim();
    if (!result.granted) return result.reason;
    this.record.serves();
    return timers.now();
  }
}

describe("the record of a group", () => {
  let timers: VirtualTimers;
  let store: MemoryStore;
  let one: Host;
  let other: Host;

  beforeEach(() => {
    timers = createVirtualTimers();
    store = new MemoryStore();
    one = new Host("a", store, timers);
    other = new Host("b", store, timers);
  });

  const granted = async (host: Host): Promise<void> => {
    const claim = host.claim(timers);
    await timers.advance(seconds(7));
    expect(await claim).toBeTypeOf("number");
  };

  test("emptied under a holder that is cut off: the other is granted after the holder's grant and silence are over", async () => {
    await granted(one);
    one.view.reachable = false;
    store.empty();
    const until = one.permitted;
    if (until === null) throw new Error("nothing was permitted");
    const claim = other.claim(timers);
    await timers.advance(seconds(12));
    const at = await claim;
    expect(at).toBeTypeOf("number");
    expect(Number(at)).toBeGreaterThan(until + 1_100_000);
    expect(store.epoch).toBe(2);
    // The first one never writes over it.
    one.view.reachable = true;
    await timers.advance(seconds(2));
    expect(store.epoch).toBe(2);
    expect(other.told).not.toContain("taken");
  });

  test("emptied under a holder that reaches it: the record is there again at the next turn, and the other is refused", async () => {
    await granted(one);
    store.empty();
    const claim = other.claim(timers);
    await timers.advance(seconds(12));
    expect(await claim).toContain("renews it");
    expect(store.epoch).toBe(1);
    expect(one.told).toEqual(["granted"]);
  });

  test("a holder whose grant is over writes nothing into an empty store before it has waited", async () => {
    await granted(one);
    one.view.reachable = false;
    await timers.advance(seconds(6));
    store.empty();
    one.view.reachable = true;
    await timers.advance(seconds(4));
    expect(store.epoch).toBeNull();
    await timers.advance(seconds(2));
    expect(store.epoch).toBe(1);
  });

  test("given back where the key is gone: the next claim of the same daemon waits as well", async () => {
    await granted(one);
    one.view.reachable = false;
    store.empty();
    await one.record.release(Promise.resolve());
    one.view.reachable = true;
    const claim = one.claim(timers);
    await timers.advance(seconds(4));
    expect(store.epoch).toBeNull();
    await timers.advance(seconds(3));
    expect(await claim).toBeTypeOf("number");
  });

  test("new settings under a holder: what was granted before goes on counting, and an empty store is written at once", async () => {
    await granted(one);
    const before = one.record.granted;
    one.record.end();
    store.empty();
    const next = new Host("a", store, timers);
    next.record.adopt(before);
    await timers.advance(millis(100));
    expect(store.epoch).toBe(1);
    expect(Number(next.permitted)).toBeGreaterThan(Number(before.until));
  });

  test("new settings under a holder that had no store: it is claimed like by anybody, and nothing is permitted before", async () => {
    other.record.adopt(null);
    other.record.serves();
    await timers.advance(seconds(5));
    expect([store.epoch, other.permitted]).toEqual([null, null]);
    await timers.advance(seconds(1));
    expect(store.epoch).toBe(1);
    expect(other.permitted).not.toBeNull();
  });

  test("takeover says what the store would: a record that is renewed, then the wait for it, then the write", async () => {
    expect(other.record.outlook).toEqual({
      steps: ["ask the quorum store, which has not answered yet"],
      refusal: null,
    });
    await granted(one);
    expect(other.record.outlook.refusal).toContain("host-a holds the record in epoch 1 and renews it");
    one.view.reachable = false;
    await timers.advance(seconds(3));
    expect(other.record.outlook).toMatchObject({
      steps: [expect.stringMatching(/host-a has the record .* in 2\.\d s/)],
    });
    await timers.advance(seconds(3));
    expect(other.record.outlook.steps).toEqual(["write the record of redis/cache into the quorum store"]);
    expect(one.record.outlook.refusal).toMatch(/cannot be reached .* policy consistency does not claim without it/);
  });

  test("an operator's order: never against a store that answers, nor before whoever was granted must have let go", async () => {
    await timers.advance(seconds(1));
    const until = (): Instant => later(timers.now(), seconds(60));
    expect(one.record.overrule(until())).toContain("answers");
    one.view.reachable = false;
    await timers.advance(seconds(5));
    expect(one.record.overrule(until())).toMatch(/may still serve .* order it again in 0\.\d s/);
    expect(one.told).not.toContain("ordered");
    await timers.advance(seconds(1));
    expect(one.record.overrule(until())).toBeNull();
    expect(one.record.outlook).toMatchObject({ steps: [expect.stringContaining("go on without")], refusal: null });
  });

  test("with the order a claim goes on without the store, once; back it takes the record, and is bound by it again", async () => {
    one.view.reachable = false;
    await timers.advance(seconds(8));
    expect(one.told).toEqual(["forbidden"]);
    expect(one.record.overrule(later(timers.now(), seconds(60)))).toBeNull();
    expect(one.told).toEqual(["forbidden", "ordered", "allowed"]);
    const claim = one.claim(timers);
    await timers.advance(seconds(1));
    expect(await claim).toBeTypeOf("number");
    await timers.advance(seconds(90));
    expect(one.told.slice(3)).toEqual(["overridden"]);
    expect([one.permitted, one.record.status.without]).toEqual([null, true]);
    one.view.reachable = true;
    await timers.advance(seconds(7));
    expect([store.epoch, one.record.status.held, one.record.status.without]).toEqual([1, true, false]);
    expect(one.permitted).not.toBeNull();
    one.view.reachable = false;
    await timers.advance(seconds(5));
    expect(one.told.slice(-2)).toEqual(["expiring", "forbidden"]);
  });

  test("an order that nobody uses is over after its time; one that meets a living holder yields to it", async () => {
    one.view.reachable = false;
    await timers.advance(seconds(8));
    one.record.overrule(later(timers.now(), seconds(60)));
    await timers.advance(seconds(62));
    expect(one.told.at(-1)).toBe("forbidden");
    one.record.overrule(later(timers.now(), seconds(60)));
    const claim = one.claim(timers);
    await timers.advance(seconds(1));
    await claim;
    await granted(other);
    one.view.reachable = true;
    await timers.advance(seconds(3));
    expect(one.told.at(-1)).toBe("taken");
    expect(Number(one.permitted)).toBeLessThanOrEqual(timers.now());
    expect(store.epoch).toBe(1);
  });

  const ordered = (host: Host): void => {
    expect(host.record.overrule(later(timers.now(), seconds(60)))).toBeNull();
  };

  test("a store that answers between the order and the claim has ended it: the other one holds, and is not joined", async () => {
    await granted(one);
    other.view.reachable = false;
    await timers.advance(seconds(7));
    ordered(other);
    other.view.reachable = true;
    await timers.advance(seconds(3));
    const refused = other.claim(timers);
    await timers.advance(seconds(3));
    expect(await refused).toContain("renews it");
    other.view.reachable = false;
    await timers.advance(seconds(2));
    const again = other.claim(timers);
    await timers.advance(seconds(3));
    expect(await again).toContain("policy consistency does not claim without it");
    expect(other.told).not.toContain("overridden");
  });

  test("one answer is enough, and a silence that is as long again is no order", async () => {
    one.view.reachable = false;
    await timers.advance(seconds(8));
    ordered(one);
    one.view.reachable = true;
    await timers.advance(millis(600));
    one.view.reachable = false;
    await timers.advance(seconds(8));
    expect(one.told.at(-1)).toBe("forbidden");
    expect(one.record.outlook.refusal).toContain("policy consistency does not claim without it");
  });

  test("a grant ends the order: who loses the store afterwards lets go in order, and claims nothing while the other is granted", async () => {
    for (const host of [one, other]) host.view.reachable = false;
    await timers.advance(seconds(8));
    ordered(one);
    for (const host of [one, other]) host.view.reachable = true;
    await timers.advance(seconds(1));
    await granted(one);
    one.view.reachable = false;
    await timers.advance(seconds(6));
    expect(one.told.slice(-2)).toEqual(["expiring", "forbidden"]);
    await one.record.release(Promise.resolve());
    const claims = [one.claim(timers), other.claim(timers)];
    await timers.advance(seconds(7));
    const [mine, others] = await Promise.all(claims);
    expect(mine).toContain("policy consistency does not claim without it");
    expect(others).toBeTypeOf("number");
  });

  test("a claim that is withdrawn has used the order", async () => {
    one.view.reachable = false;
    await timers.advance(seconds(8));
    ordered(one);
    const claim = one.claim(timers);
    one.record.abandon();
    expect(await claim).toContain("withdrawn");
    const next = one.claim(timers);
    await timers.advance(seconds(1));
    expect(await next).toContain("does not claim without it");
  });

  test("the silence that an order needs is that of the longest ttl known: of a holder whose ttl is longer than the own one", async () => {
    const slow = new Host("c", store, timers, seconds(12));
    const claim = slow.claim(timers);
    await timers.advance(seconds(15));
    expect(await claim).toBeTypeOf("number");
    one.view.reachable = false;
    await timers.advance(seconds(12));
    expect(one.record.overrule(later(timers.now(), seconds(60)))).toMatch(/may still serve .* order it again in/);
    await timers.advance(seconds(2));
    ordered(one);
  });

  test("new settings under one that serves by order: it goes on, and the store that answers then grants it as any other", async () => {
    one.view.reachable = false;
    await timers.advance(seconds(8));
    ordered(one);
    const claim = one.claim(timers);
    await timers.advance(seconds(1));
    await claim;
    const before = one.record.granted;
    one.record.end();
    const next = new Host("a", store, timers);
    next.view.reachable = false;
    next.record.adopt(before);
    await timers.advance(seconds(30));
    expect([next.told, next.permitted, next.record.status.without]).toEqual([[], null, true]);
    next.view.reachable = true;
    await timers.advance(seconds(7));
    expect([store.epoch, next.record.status.held, next.record.status.without]).toEqual([1, true, false]);
  });
});
