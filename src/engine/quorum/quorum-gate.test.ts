// The gate over a store in memory, in virtual time: what becomes of a grant whose claim is not over yet, and of permits when settings change.
import { beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { HoldfastEventBody } from "../../core/events/vocabulary.ts";
import { type Instant, millis, seconds } from "../../core/lib/units.ts";
import type { GateAnswer, GateQuestion } from "../hook-engine.ts";
import { MemoryStore, type StoreView } from "../testing/memory-store.ts";
import { createVirtualTimers, type VirtualTimers } from "../testing/virtual-timers.ts";
import { QuorumGate } from "./quorum-gate.ts";

interface Wanted {
  readonly policy?: string;
  readonly store?: string | null;
  readonly managed?: boolean;
}

function configOf({ policy = "consistency", store = "", managed = true }: Wanted = {}): HoldfastConfig {
  const lines = [
    ...(store === null ? [] : ["quorum_store etcd {", "endpoint http://192.0.2.9:2379", store, "}"]),
    ...["redis cache {", "server 192.0.2.1", "peer 192.0.2.2", `policy ${policy}`, "}"],
    ...["vrrp_instance VI_1 {", "interface eth0", "virtual_router_id 51", "nopreempt"],
    ...["virtual_ipaddress {", "192.0.2.100", "}", ...(managed ? ["manage_redis cache"] : []), "}"],
  ];
  return loadConfig(memorySource({ "/k.conf": lines.join("\n") }), "/k.conf").config;
}

class Host {
  readonly gate: QuorumGate;
  readonly permits: (Instant | null)[] = [];
  readonly answers: GateAnswer[] = [];
  readonly asked: GateQuestion[] = [];
  readonly withdrawn: number[] = [];
  readonly forbids: (string | null)[] = [];
  readonly told: string[] = [];
  retries = 0;
  view: StoreView;

  constructor(life: string, store: MemoryStore, timers: VirtualTimers) {
    this.view = store.open();
    this.gate = new QuorumGate({
      timers,
      quorum: {
        port: {
          open: () => {
            this.view = store.open();
            return this.view;
          },
        },
        host: `host-${life}`,
        life,
      },
      publish: (body: HoldfastEventBody) => this.told.push(body.kind === "quorum-store" ? body.action : body.kind),
      answer: (answer) => this.answers.push(answer),
      next: (question) => this.asked.push(question),
      withdraw: (_instance, gate) => this.withdrawn.push(gate),
      permit: (_instance, until) => this.permits.push(until),
      forbid: (_instance, detail) => this.forbids.push(detail),
      retry: () => {
        this.retries += 1;
      },
      closed: () => Promise.resolve(),
    });
  }

  ask(gate: number): void {
    this.gate.ask({ type: "ask-gate", instance: "VI_1", gate, which: "claim" } as unknown as GateQuestion);
  }

  /** What is behind the grant says yes; the keeper does what it hears. */
  opens(gate: number): GateAnswer {
    const answer = this.gate.answered({ instance: "VI_1", gate, opened: true, reason: "" });
    if (answer.opened) this.gate.entered("VI_1", "MASTER");
    return answer;
  }

  get group() {
    return this.gate.status()?.groups[0];
  }
}

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

const granted = async (host: Host, config = configOf()): Promise<void> => {
  host.gate.configure(config);
  host.ask(1);
  await timers.advance(seconds(7));
  expect(host.asked).toHaveLength(1);
};
const master = async (host: Host, config = configOf()): Promise<void> => {
  await granted(host, config);
  expect(host.opens(1).opened).toBe(true);
};

describe("a grant whose claim is not over yet", () => {
  test.each(["availability", "consistency"])(
    "another daemon takes it meanwhile (%s): the claim is refused and withdrawn",
    async (policy) => {
      await granted(one, configOf({ policy }));
      other.gate.configure(configOf({ policy }));
      one.view.reachable = false;
      other.ask(1);
      await timers.advance(seconds(8));
      expect(other.opens(1).opened).toBe(true);
      one.view.reachable = true;
      await timers.advance(seconds(2));
      expect(one.answers).toMatchObject([{ gate: 1, opened: false, reason: expect.stringContaining("host-b has it") }]);
      expect(one.withdrawn).toEqual([1]);
      expect([one.group?.held, other.group?.held]).toEqual([false, true]);
    },
  );

  test("it could not be renewed before the server was ready: the answer is no, whatever the server says", async () => {
    await granted(one);
    one.view.reachable = false;
    await timers.advance(seconds(5));
    expect(one.forbids.at(-1)).toContain("cannot be reached");
    expect(one.opens(1)).toMatchObject({ opened: false, reason: expect.stringContaining("could not be renewed") });
  });

  test("availability: the store is lost meanwhile, and it goes on", async () => {
    await granted(one, configOf({ policy: "availability" }));
    one.view.reachable = false;
    await timers.advance(seconds(8));
    expect(one.opens(1).opened).toBe(true);
  });

  test("lost in the moment before MASTER is heard of: the address goes at once", async () => {
    await granted(one, configOf({ policy: "availability" }));
    expect(one.gate.answered({ instance: "VI_1", gate: 1, opened: true, reason: "" }).opened).toBe(true);
    const record = JSON.parse(store.now.value ?? "") as Record<string, unknown>;
    store.swap({
      key: "",
      expected: store.now,
      value: JSON.stringify({ ...record, life: "b", host: "host-b", epoch: 2 }),
    });
    await timers.advance(seconds(1));
    one.gate.entered("VI_1", "MASTER");
    expect(one.permits.at(-1)).toBe(timers.now());
  });

  test("a reload changes the store's settings: the claim begins again, and nothing is MASTER on the old grant", async () => {
    await granted(one);
    one.gate.configure(configOf({ store: "ttl 6" }));
    expect(one.answers).toMatchObject([{ gate: 1, opened: false, reason: expect.stringContaining("begins again") }]);
    expect([one.withdrawn, one.retries]).toEqual([[1], 1]);
    one.ask(2);
    await timers.advance(seconds(9));
    expect(one.opens(2).opened).toBe(true);
    expect(one.group).toMatchObject({ held: true });
  });
});

describe("permits", () => {
  test("the store is removed: nothing limits a MASTER, nor one that will be, nor comes a late answer of the old one", async () => {
    await master(one);
    let answer: () => void = () => undefined;
    one.view.late = new Promise((resolve) => {
      answer = resolve;
    });
    await timers.advance(seconds(1));
    one.gate.configure(configOf({ store: null }));
    expect(one.permits.at(-1)).toBeNull();
    answer();
    await timers.advance(seconds(5));
    expect(one.permits.at(-1)).toBeNull();

    await master(other);
    other.gate.entered("VI_1", "BACKUP");
    await timers.advance(seconds(1));
    expect(other.permits.at(-1)).not.toBeNull();
    other.gate.configure(configOf({ managed: false }));
    expect(other.permits.at(-1)).toBeNull();
  });

  test("another store under a MASTER: the old grant is the limit until the new one has granted", async () => {
    await master(one);
    const before = one.permits.at(-1) ?? 0;
    one.gate.configure(configOf({ store: "ttl 8" }));
    expect(one.permits.at(-1)).toBe(before);
    await timers.advance(millis(300));
    expect(one.permits.at(-1)).toBeGreaterThan(before);
  });

  test("availability becomes consistency: the address is bound from then on, also while the store is silent", async () => {
    await master(one, configOf({ policy: "availability" }));
    expect(one.permits.at(-1)).toBeNull();
    one.gate.configure(configOf());
    expect(one.permits.at(-1)).toBe(one.group?.until);
  });

  test("a store that is new under a MASTER: one answer that is lost takes nothing away", async () => {
    one.gate.configure(configOf({ store: null }));
    one.gate.entered("VI_1", "MASTER");
    one.gate.configure(configOf());
    await timers.advance(seconds(1));
    one.view.reachable = false;
    await timers.advance(seconds(1));
    one.view.reachable = true;
    await timers.advance(seconds(8));
    expect(one.forbids).toEqual([]);
    expect(one.group?.held).toBe(true);
  });
});

test("availability: a MASTER that outlives its record says so, and has it again when the store is back", async () => {
  await master(one, configOf({ policy: "availability" }));
  one.view.reachable = false;
  await timers.advance(seconds(6));
  expect(one.group).toMatchObject({ without: true, held: false });
  expect(one.told.filter((action) => action === "without")).toHaveLength(1);
  expect(one.permits.at(-1)).toBeNull();
  one.view.reachable = true;
  await timers.advance(seconds(8));
  expect(one.group).toMatchObject({ without: false, held: true });
});

test("a store that can be read and not written: the claim is refused once, and not tried again every second", async () => {
  one.gate.configure(configOf());
  await timers.advance(seconds(6));
  one.view.writable = false;
  one.ask(1);
  await timers.advance(seconds(20));
  expect(one.answers).toMatchObject([{ opened: false, reason: expect.stringContaining("ENOSPC") }]);
  expect(one.retries).toBe(0);
});

test("addresses that are changed under a MASTER: its record is still its own", async () => {
  await master(one);
  const text = configOf();
  const [instance] = text.instances;
  if (instance === undefined) throw new Error("no instance");
  const [address] = instance.vrrp.advertised;
  if (address === undefined) throw new Error("no address");
  const moved = { ...address, address: "192.0.2.101" as typeof address.address };
  const vrrp = { ...instance.vrrp, advertised: [moved] };
  one.gate.configure({ ...text, instances: [{ ...instance, vrrp }] });
  await timers.advance(seconds(3));
  expect(one.told).not.toContain("taken");
  expect(one.group).toMatchObject({ held: true, foreign: null });
  expect(store.now.value).toContain("192.0.2.101");
});
