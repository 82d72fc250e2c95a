import { beforeAll, describe, expect, it } from "vitest";
import { buildScenarios, inNamespace } from "./testing/in-namespace.ts";

beforeAll(buildScenarios);

interface Failure {
  readonly error: { readonly errno: string; readonly what: string };
}
interface Held {
  readonly validSeconds: number | null;
}

describe("adverts", () => {
  it("multicast and unicast arrive both ways with TTL 255, TOS 0xc0, the interface known, the message unchanged", () => {
    const { here, there } = inNamespace<Record<"here" | "there", { heard: object; failures: unknown[] }>>("adverts");
    const intact = "true ttl 255 tos 192 false 213396020001333a0a6300640a6300650000000000000000";
    expect(here).toEqual({ heard: { "224.0.0.18": intact, "10.0.0.1": intact }, failures: [] });
    expect(there).toEqual({ heard: { "224.0.0.18": intact, "10.0.0.2": intact }, failures: [] });
  });

  it("an interface that is gone is ENODEV for its own advert and keeps no other from being sent", () => {
    const seen = inNamespace<{ failures: (Failure & { slot: number })[]; sent: number; missing: Partial<Failure> }>(
      "advertErrors",
    );
    // Batches leave one after the other, multicast first.
    expect(seen.failures.map(({ slot, error }) => [slot, error.errno])).toEqual([
      [1, "ENODEV"],
      [3, "ENODEV"],
    ]);
    expect(seen.sent).toBe(2);
    expect(seen.missing.error?.errno).toBe("ENODEV");
    expect(seen.missing.error?.what).toContain("gone0");
  });

  it("more adverts than one sendmmsg takes all leave", () => {
    expect(inNamespace("manyAdverts")).toEqual({ failures: 0, sent: true });
  });
});

describe("addresses", () => {
  it("live as long as granted, renewals count from the renewal, and a dropped one is not brought back", () => {
    const seen = inNamespace<{
      added: Failure[];
      addedAgain: Failure[];
      afterSecondAdd: Held | null;
      renewed: Failure[];
      afterRenewal: Held | null;
      expired: Held | null;
      expiredBy: number;
      livedSeconds: number;
      renewedLate: Failure[];
      afterLateRenewal: Held | null;
    }>("lease");
    expect([seen.added, seen.addedAgain, seen.renewed]).toEqual([[], [], []]);
    expect(seen.afterSecondAdd?.validSeconds).toBe(5);
    expect(seen.afterRenewal?.validSeconds).toBe(2);
    expect(seen.expired).toBeNull();
    expect(seen.expiredBy).toBe(0);
    // The kernel is never early.
    expect(seen.livedSeconds).toBeGreaterThanOrEqual(1.99);
    expect(seen.renewedLate.map(({ error }) => error.errno)).toEqual(["EADDRNOTAVAIL"]);
    expect(seen.afterLateRenewal).toBeNull();
  });

  it("of IPv6 too, and the route of the host's own prefix does not end with them", () => {
    const seen = inNamespace<{
      added: Failure[];
      renewed: Failure[];
      afterRenewal: string[];
      late: Failure[];
      afterLate: string[];
      routes: string;
    }>("lease6");
    expect([seen.added, seen.renewed]).toEqual([[], []]);
    expect(seen.afterRenewal.sort()).toEqual(["2001:db8::51/64 2", "fe80::51/128 2"]);
    expect(seen.late.map(({ error }) => error.errno)).toEqual(["EADDRNOTAVAIL", "EADDRNOTAVAIL"]);
    expect(seen.afterLate).toEqual([]);
    // Without "expires": the host has that prefix for ever.
    expect(seen.routes).toMatch(/^2001:db8::\/64 proto kernel metric 256 pref/m);
  });

  it("hundreds go in and out in one call; what is gone already counts as removed", () => {
    const seen = inNamespace<{
      addFailures: Failure[];
      heldAfterAdd: number;
      mixed: Failure[];
      removeFailures: Failure[];
      heldAfterRemove: number;
      shown: string;
    }>("changes");
    expect([seen.addFailures, seen.heldAfterAdd]).toEqual([[], 300]);
    expect([seen.removeFailures, seen.heldAfterRemove]).toEqual([[], 0]);
    expect(seen.mixed.map(({ error }) => error)).toEqual([
      { errno: "ENODEV", what: "add 10.2.0.2/32 to interface 99" },
    ]);
    expect(seen.shown).toMatch(/inet 10\.2\.0\.1\/32 scope global a0\n\s+valid_lft forever preferred_lft forever/);
    expect(seen.shown).toMatch(/inet 10\.2\.0\.3\/32 /);
  });
});

describe("announcements", () => {
  it("every address is announced the asked number of times, in bursts of any size", () => {
    const seen = inNamespace<{
      result: { frames: number; error: unknown };
      seen: number[];
      large: { frames: number; error: unknown };
      gone: { frames: number } & Failure;
      withoutMac: object;
    }>("announce");
    expect(seen.result).toEqual({ frames: 10, error: null });
    expect(seen.seen).toEqual([5, 5]);
    expect(seen.large).toEqual({ frames: 1500, error: null });
    expect(seen.gone.frames).toBe(0);
    expect(seen.gone.error).toEqual({ errno: "ENXIO", what: "announce addresses on gone0" });
    expect(seen.withoutMac).toEqual({ frames: 0, error: null });
  });
});

describe("addresses in use elsewhere", () => {
  it("are heard while they are held here, and other ARP wakes nobody; at most 64 frames a wake-up", () => {
    const seen = inNamespace<Record<string, unknown> & { mac: string }>("conflicts");
    expect(seen).toEqual({
      mac: seen.mac,
      nothingHeld: [[], 0],
      held: [`true 10.0.0.100 ${seen.mac}`],
      replaced: [`true 10.0.0.101 ${seen.mac}`],
      othersOnly: [[], 0],
      own: [],
      many: [200, true],
      // Too many for the filter: 100 come in, 60 are ours.
      tooMany: [60, true],
    });
  });
});

describe("notifications", () => {
  it("tell of carrier, state, removal, and who removed an address", () => {
    expect(inNamespace("links")).toEqual({
      carrierLost: true,
      carrierBack: true,
      down: true,
      up: true,
      foreignRemoval: true,
      ownRemovalKnown: true,
      removed: true,
    });
  });

  it("a loss is told, and after it everything is told again", () => {
    expect(inNamespace("overrun")).toEqual({ told: true, goesOn: true });
  });
});

describe("the guard", () => {
  it("takes off what is there and resigns once, whatever became of the other interfaces", () => {
    expect(inNamespace("guard")).toEqual({
      released: { removed: ["10.0.0.100", "10.0.0.101"], errors: [] },
      adverts: 1,
      left: ["127.0.0.1", "10.0.0.1"],
    });
  });
});

describe("the process", () => {
  it("without capabilities every port says EPERM and the check names what is missing", () => {
    const seen = inNamespace<{
      capabilities: { error: { missing: string[] } };
      adverts: Failure;
      announce: Failure;
      change: Failure["error"][];
    }>("powerless", { powerless: true });
    expect(seen.capabilities.error.missing).toEqual(["CAP_NET_ADMIN", "CAP_NET_RAW"]);
    expect([seen.adverts.error.errno, seen.announce.error.errno]).toEqual(["EPERM", "EPERM"]);
    expect(seen.change).toEqual([{ errno: "EPERM", what: "add 10.0.0.1/32 to lo" }]);
  });

  it("survives every signal that control takes, the real-time ones included", () => {
    expect(inNamespace("signals")).toEqual({ survived: [1, 2, 10, 12, 13, 15, 36, 63, 64] });
  });
});

describe("who answers for an address", () => {
  it("is heard also with the virtual hardware address that this host's own macvlan has", () => {
    expect(inNamespace("virtualNeighbour")).toEqual({
      held: { ok: true, value: ["00:00:5e:00:02:33"] },
      free: { ok: true, value: [] },
    });
  });
});
