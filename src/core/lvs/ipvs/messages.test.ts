import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IpAddress, ipFromBytes } from "../../lib/ip.ts";
import { type NetlinkMessage, NLM_F_ACK, readAttributes, readMessages, viewOf } from "../../netlink/message.ts";
import type { Persistence, ServiceKey } from "../config.ts";
import {
  askInfo,
  askTimeouts,
  dumpDaemons,
  dumpDestinations,
  dumpServices,
  lookUpFamily,
  writeOrder,
} from "./messages.ts";
import type { DestinationRecord, IpvsDestination, IpvsOrder, IpvsService, ServiceRecord, SyncDaemon } from "./model.ts";
import { RECORDED } from "./recorded.suite.ts";
import { readDaemon, readDestination, readFamilyId, readInfo, readService, readTimeouts } from "./records.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const message = (text: string): NetlinkMessage => readMessages(unhex(text))[0] as NetlinkMessage;

const NO_FLAGS = { onePacket: false, flag1: false, flag2: false, flag3: false };
const DR = { method: "dr", tunnel: null } as const;
const NAT = { method: "nat", tunnel: null } as const;
const IPIP = { method: "tun", tunnel: { type: "ipip", port: 0, checksum: "none" } } as const;
const WEB = key("tcp", "10.9.0.1", 80);
const DNS6: ServiceKey = { ...key("udp", "2001:db8::1", 53), family: 6 } as ServiceKey;

function key(protocol: "tcp" | "udp" | "sctp", address: string, port: number): ServiceKey {
  return { kind: "address", family: 4, protocol, address: address as IpAddress, port };
}
const mark = (number: number, family: 4 | 6 = 4): ServiceKey => ({ kind: "fwmark", family, mark: number });

function service(of: ServiceKey, scheduler: string, change: Partial<IpvsService> = {}): IpvsService {
  return { key: of, scheduler, flags: NO_FLAGS, persistence: null, ...change };
}

function destination(address: string, port: number, change: Partial<IpvsDestination> = {}): IpvsDestination {
  const rest = { forwarding: DR, weight: 1, upperThreshold: 0, lowerThreshold: 0 };
  return { address: address as IpAddress, port, ...rest, ...change };
}

const persistence = (timeout: number, granularity = 0xffff_ffff, engine: string | null = null): Persistence => ({
  timeout,
  granularity,
  engine,
});

const daemon = (state: SyncDaemon["state"], id: number, change: Partial<SyncDaemon> = {}): SyncDaemon => ({
  state,
  interface: "lo",
  id,
  maxLength: null,
  group: null,
  port: null,
  ttl: null,
  ...change,
});

/** What an administrator typed, and the same as an order of ours. */
const SPOKEN: readonly (readonly [string, IpvsOrder])[] = [
  [
    "ipvsadm -A -t 10.9.0.1:80 -s wrr -p 120 -M 255.255.255.0",
    { kind: "add-service", service: service(WEB, "wrr", { persistence: persistence(120, 0xffff_ff00) }) },
  ],
  [
    "ipvsadm -A -u [2001:db8::1]:53 -s sh -b sh-port,sh-fallback -o",
    {
      kind: "add-service",
      service: service(DNS6, "sh", { flags: { onePacket: true, flag1: true, flag2: true, flag3: false } }),
    },
  ],
  [
    "ipvsadm -A --sctp-service 10.9.0.1:9899 -s lc",
    { kind: "add-service", service: service(key("sctp", "10.9.0.1", 9899), "lc") },
  ],
  [
    "ipvsadm -A -u 10.9.0.1:5060 -s rr -p 60 --pe sip",
    {
      kind: "add-service",
      service: service(key("udp", "10.9.0.1", 5060), "rr", { persistence: persistence(60, 0xffff_ffff, "sip") }),
    },
  ],
  [
    "ipvsadm -A -f 7 -s mh -b mh-port",
    { kind: "add-service", service: service(mark(7), "mh", { flags: { ...NO_FLAGS, flag2: true } }) },
  ],
  ["ipvsadm -A -f 8 -6 -s fo", { kind: "add-service", service: service(mark(8, 6), "fo") }],
  ["ipvsadm -E -f 7 -s rr", { kind: "set-service", service: service(mark(7), "rr") }],
  [
    "ipvsadm -a -t 10.9.0.1:80 -r 10.9.0.11:8080 -m -w 3 -x 100 -y 50",
    {
      kind: "add-destination",
      key: WEB,
      destination: destination("10.9.0.11", 8080, {
        forwarding: NAT,
        weight: 3,
        upperThreshold: 100,
        lowerThreshold: 50,
      }),
    },
  ],
  [
    "ipvsadm -e -t 10.9.0.1:80 -r 10.9.0.12:80 -g -w 0",
    { kind: "set-destination", key: WEB, destination: destination("10.9.0.12", 80, { weight: 0 }) },
  ],
  [
    "ipvsadm -a -u [2001:db8::1]:53 -r [2001:db8::11]:53 -i -w 1",
    { kind: "add-destination", key: DNS6, destination: destination("2001:db8::11", 53, { forwarding: IPIP }) },
  ],
  [
    "ipvsadm -a -t 10.9.0.1:80 -r 10.9.0.13:80 -i -w 2 --tun-type gue --tun-port 6080 --tun-csum",
    {
      kind: "add-destination",
      key: WEB,
      destination: destination("10.9.0.13", 80, {
        weight: 2,
        forwarding: { method: "tun", tunnel: { type: "gue", port: 6080, checksum: "full" } },
      }),
    },
  ],
  [
    "ipvsadm -a -f 7 -r 10.9.0.14 -g",
    { kind: "add-destination", key: mark(7), destination: destination("10.9.0.14", 0) },
  ],
  ["ipvsadm --set 900 120 300", { kind: "set-timeouts", timeouts: { tcp: 900, tcpFin: 120, udp: 300 } }],
  [
    "ipvsadm --start-daemon backup --mcast-interface lo --syncid 6",
    { kind: "start-daemon", daemon: daemon("backup", 6) },
  ],
  ["ipvsadm --stop-daemon backup", { kind: "stop-daemon", state: "backup" }],
  ["ipvsadm --stop-daemon master", { kind: "stop-daemon", state: "master" }],
  ["ipvsadm -C", { kind: "flush" }],
];

/** The request of a command that changes something: not a look-up of the family or of the version. */
function requestOf(command: string): string {
  const found = RECORDED.filter((exchange) => exchange.command === command).map(({ request }) => request);
  const orders = found.filter((request) => !request.startsWith("1000", 8) && !request.startsWith("0f", 32));
  if (orders.length === 0) throw new Error(`nothing is recorded of: ${command}`);
  return orders[0] as string;
}

/** By command number, and then attributes as a tree: the order of attributes and what pads them means nothing. */
function essence(bytes: Uint8Array): unknown {
  const [parsed] = readMessages(bytes);
  if (parsed === undefined) return null;
  const tree = (payload: Uint8Array, start: number): Record<string, unknown> =>
    Object.fromEntries(
      [...readAttributes(payload, start)].map(([type, value]) => [
        type,
        start > 0 && type <= 3 ? tree(value, 0) : hex(value),
      ]),
    );
  return { command: parsed.payload[0], attributes: tree(parsed.payload, 4) };
}

/** Only what the kernel looks at: ipvsadm fills in more than it needs. */
function withoutExcess(request: Uint8Array, kind: IpvsOrder["kind"]): unknown {
  const all = essence(request) as { command: number; attributes: Record<string, Record<string, string>> };
  const serviceTree = all.attributes[1];
  if (serviceTree !== undefined && !kind.endsWith("-service"))
    for (const type of [6, 7, 8, 9]) delete serviceTree[type];
  if (kind === "stop-daemon") all.attributes[3] = { 1: all.attributes[3]?.[1] ?? "" };
  const server = all.attributes[2];
  if (server !== undefined) {
    if (server[3] !== "02000000") delete server[13];
    if (server[13] !== "01") delete server[14];
    if (server[13] === "00" || server[13] === undefined) delete server[15];
  }
  return all;
}

describe("requests to IPVS", () => {
  it.each(SPOKEN)("%s", (command, order) => {
    const recorded = unhex(requestOf(command));
    const ours = writeOrder(order, { familyId: 28, sequence: 1 }, true);
    expect(withoutExcess(ours, order.kind)).toEqual(withoutExcess(recorded, order.kind));
  });

  it("a new service is ipvsadm's, byte for byte behind the header", () => {
    for (const [command, order] of SPOKEN.filter(([, { kind }]) => kind === "add-service")) {
      const ours = hex(writeOrder(order, { familyId: 28, sequence: 1 }, true));
      expect(ours.slice(32)).toBe(requestOf(command).slice(32));
      expect(ours.slice(0, 8)).toBe(requestOf(command).slice(0, 8));
    }
  });

  it("keepalived's orders for its own file are ours", () => {
    const said = RECORDED.filter(({ command }) => command === "keepalived").map(({ request }) => request.slice(32));
    const orders: readonly IpvsOrder[] = [
      { kind: "flush" },
      { kind: "set-timeouts", timeouts: { tcp: 700, tcpFin: 70, udp: 77 } },
      {
        kind: "start-daemon",
        daemon: daemon("master", 9, { maxLength: 1300, port: 8850, ttl: 3, group: "224.0.0.83" as IpAddress }),
      },
      { kind: "add-service", service: service(WEB, "wrr", { persistence: persistence(90, 0xffff_0000) }) },
      {
        kind: "add-service",
        service: service(mark(12), "sh", { flags: { onePacket: true, flag1: false, flag2: true, flag3: false } }),
      },
    ];
    for (const order of orders) {
      expect(said).toContain(hex(writeOrder(order, { familyId: 28, sequence: 1 }, true)).slice(32));
    }
  });

  it("lookups and dumps are ipvsadm's", () => {
    const head = { familyId: 28, sequence: 1 };
    const bodies = RECORDED.map(({ request }) => request.slice(32));
    for (const ours of [lookUpFamily(1), askInfo(head), askTimeouts(head), dumpServices(head), dumpDaemons(head)]) {
      expect(bodies).toContain(hex(ours).slice(32));
    }
    expect(bodies).toContain(hex(dumpDestinations(WEB, head)).slice(32));
  });

  it("an order that is not acknowledged asks for no answer but an error", () => {
    const flagsOf = (acknowledged: boolean): number =>
      viewOf(writeOrder({ kind: "flush" }, { familyId: 28, sequence: 1 }, acknowledged)).getUint16(6, true);
    expect(flagsOf(true) & NLM_F_ACK).toBe(NLM_F_ACK);
    expect(flagsOf(false) & NLM_F_ACK).toBe(0);
  });
});

const answers = (command: string): readonly NetlinkMessage[] =>
  RECORDED.filter((exchange) => exchange.command === command).flatMap((exchange) => exchange.answers.map(message));
const present = <T>(values: readonly (T | null)[]): readonly T[] => values.filter((value) => value !== null);

describe("answers of the kernel", () => {
  it("the family's number, IPVS's version, the timeouts", () => {
    const first = RECORDED[0]?.command ?? "";
    expect(present(answers(first).map(readFamilyId))).toEqual([28]);
    expect(present(answers(first).map(readInfo))).toEqual([{ version: "1.2.1", connectionTableSize: 4096 }]);
    expect(present(answers("ipvsadm -L -n --timeout").map(readTimeouts))).toEqual([
      { tcp: 900, tcpFin: 120, udp: 300 },
    ]);
  });

  it("both sync daemons with everything that was set", () => {
    const group = "224.0.0.82" as IpAddress;
    expect(present(answers("ipvsadm -L -n --daemon").map(readDaemon))).toEqual([
      daemon("master", 5, { maxLength: 1400, group, port: 8849, ttl: 2 }),
      daemon("backup", 6, { maxLength: 65_507, group: "224.0.0.81" as IpAddress, port: 8848, ttl: 1 }),
    ]);
  });

  it("the services that were set up, as they were set up", () => {
    const seen = present(answers("ipvsadm -S -n").map(readService));
    // -E has changed that one, and its flags with it.
    const wanted = SPOKEN.flatMap(([, order]) =>
      order.kind === "add-service" ? [order.service.scheduler === "mh" ? service(mark(7), "rr") : order.service] : [],
    );
    const byText = (one: IpvsService, other: IpvsService) =>
      JSON.stringify(one.key) < JSON.stringify(other.key) ? -1 : 1;
    expect(seen.map(({ stats: _, ...rest }: ServiceRecord) => rest).sort(byText)).toEqual([...wanted].sort(byText));
  });

  it("the servers that were set up, as they were set up", () => {
    const seen = present(answers("ipvsadm -S -n").map((one) => readDestination(one, 4)));
    const plain = seen.map(
      ({
        stats: _,
        activeConnections: _a,
        inactiveConnections: _i,
        persistentConnections: _p,
        ...rest
      }: DestinationRecord) => rest,
    );
    const wanted = SPOKEN.flatMap(([, order]) =>
      order.kind === "add-destination" || order.kind === "set-destination" ? [order.destination] : [],
    );
    expect(plain).toHaveLength(wanted.length);
    for (const one of wanted) expect(plain).toContainEqual(one);
  });

  it("what is no answer of IPVS is nothing", () => {
    for (const { request } of RECORDED.filter(({ command }) => command.endsWith("-C"))) {
      expect(readService(message(request))).toBeNull();
      expect(readDestination(message(request), 4)).toBeNull();
      expect(readDaemon(message(request))).toBeNull();
    }
  });
});

const anyIp = (family: 4 | 6): fc.Arbitrary<IpAddress> => {
  const bytes = family === 4 ? 4 : 16;
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => ipFromBytes(family, value, 0));
};
const anyKey: fc.Arbitrary<ServiceKey> = fc.constantFrom(4 as const, 6 as const).chain((family) =>
  fc.oneof(
    fc.record({
      kind: fc.constant("address" as const),
      family: fc.constant(family),
      protocol: fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const),
      address: anyIp(family),
      port: fc.integer({ min: 0, max: 65_535 }),
    }),
    fc.record({
      kind: fc.constant("fwmark" as const),
      family: fc.constant(family),
      mark: fc.integer({ min: 1, max: 0xffff_ffff }),
    }),
  ),
);
const anyService: fc.Arbitrary<IpvsService> = anyKey.chain((of) =>
  fc.record({
    key: fc.constant(of),
    scheduler: fc.constantFrom("rr", "wlc", "lblcr", "sh", "other"),
    flags: fc.record({ onePacket: fc.boolean(), flag1: fc.boolean(), flag2: fc.boolean(), flag3: fc.boolean() }),
    persistence: fc.option(
      fc.record({
        timeout: fc.integer({ min: 1, max: 2_678_400 }),
        granularity: of.family === 4 ? fc.integer({ min: 0, max: 0xffff_ffff }) : fc.integer({ min: 1, max: 128 }),
        engine: fc.option(fc.constant("sip")),
      }),
    ),
  }),
);

describe("codec of IPVS", () => {
  it("what is written about a service is read back as it was", () => {
    fc.assert(
      fc.property(anyService, (one) => {
        const bytes = writeOrder({ kind: "add-service", service: one }, { familyId: 28, sequence: 1 }, true);
        const { stats: _, ...read } = readService(readMessages(bytes)[0] as NetlinkMessage) as ServiceRecord;
        expect(read).toEqual(one);
      }),
    );
  });

  it("no bytes make reading throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 64 }), (payload, type) => {
        const odd = { type, flags: 0, sequence: 1, port: 0, payload };
        for (const read of [readFamilyId, readInfo, readTimeouts, readService, readDaemon]) read(odd);
        readDestination(odd, 4);
        readDestination(odd, 6);
      }),
    );
  });

  it("damage to a recorded answer never makes reading throw", () => {
    const dump = RECORDED.filter(({ command }) => command === "ipvsadm -S -n").flatMap((exchange) => exchange.answers);
    fc.assert(
      fc.property(fc.constantFrom(...dump), fc.nat(), fc.nat(255), fc.nat(), (text, place, value, cut) => {
        const bytes = unhex(text);
        const payload = bytes.subarray(16, Math.max(16, bytes.length - (cut % 40)));
        if (payload.length > 0) payload[place % payload.length] = value;
        const odd = { type: 28, flags: 0, sequence: 1, port: 0, payload };
        readService(odd);
        readDestination(odd, 4);
      }),
    );
  });
});
