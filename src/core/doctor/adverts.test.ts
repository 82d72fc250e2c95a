// What was heard, packet by packet, and what the doctor makes of it. The packets are real ones: encoded, and read again as the tap does.
import { describe, expect, test } from "vitest";
import type { IpAddress } from "../lib/ip.ts";
import { seconds } from "../lib/units.ts";
import { unicastTransport, type VrrpInstanceConfig } from "../vrrp/config.ts";
import { configWith, ip, password, virtualAddress } from "../vrrp/example-config.ts";
import { encodeAdvert, type Packet } from "../vrrp/packet.ts";
import { type HeardAdvert, heardKey, judgeAdverts, type Listening, summarise } from "./adverts.ts";
import type { DaemonFacts } from "./daemon-facts.ts";
import { readTap } from "./tap.ts";

const [OWN, PEER] = [ip("192.168.11.81"), ip("192.168.11.82")];
const ours = configWith({ name: "VI_82", virtualRouterId: 82, interface: "eth0", advertInterval: seconds(1) });

function packetOf(config: VrrpInstanceConfig, source: IpAddress, priority = 100): Packet {
  const { transport } = config;
  const destination = transport.kind === "multicast" ? transport.group : OWN;
  const packet = readTap(encodeAdvert(config, { source, destination, priority }));
  if (packet === null) throw new Error("the packet cannot be read");
  return packet;
}

/** So many adverts of the peer by that configuration. */
const heard = (config: VrrpInstanceConfig, count = 3, source = PEER): readonly HeardAdvert[] =>
  Array.from({ length: count }, () => ({ interface: "eth0", direction: "in", packet: packetOf(config, source) }));
const sent = (count = 3): readonly HeardAdvert[] =>
  Array.from({ length: count }, () => ({ interface: "eth0", direction: "out", packet: packetOf(ours, OWN) }));

const delivered = new Set([heardKey("eth0", 4, 82)]);
const listening = (adverts: readonly HeardAdvert[], changes: Partial<Listening> = {}): Listening => ({
  seconds: 3.5,
  adverts,
  delivered,
  interfaces: new Set(["eth0"]),
  ...changes,
});

function daemon(state: string, peerState: string | null = null): DaemonFacts {
  const addresses = ours.advertised.map(({ address }) => address);
  const instance = { name: "VI_82", state, phase: state, holding: state === "MASTER", source: OWN };
  const peer = {
    peer: `${PEER}:8112`,
    connected: true,
    instances: [{ name: "VI_82", state: peerState ?? "", addresses }],
  };
  return {
    pid: 1,
    keeperPid: 2,
    stateDir: "/var/lib/holdfast",
    instances: [instance],
    peers: peerState === null ? [] : [peer],
  };
}

const judge = (
  adverts: readonly HeardAdvert[],
  by: DaemonFacts | null = daemon("BACKUP"),
  changes: Partial<Listening> = {},
) => judgeAdverts([ours], by, listening(adverts, changes)).map(({ id, what }) => `${id}: ${what}`);

describe("nothing is wrong", () => {
  test.each([
    ["a standby hears its master", heard(ours), daemon("BACKUP")],
    ["a master hears nobody", sent(), daemon("MASTER")],
    ["no daemon, and a master is heard", heard(ours), null],
    ["a takeover: the old master's last advert", [...heard(ours, 1), ...sent()], daemon("MASTER")],
  ])("%s", (_title, adverts, by) => {
    expect(judge(adverts, by)).toEqual([]);
  });

  test("what was heard is summed up by source", () => {
    const all = [...sent(2), ...heard(ours), ...heard(configWith({ ...ours, version: 3 }), 1, ip("192.168.11.83"))];
    expect(summarise(ours, null, listening(all))).toMatchObject({
      instance: "VI_82",
      sent: 2,
      heard: [
        { source: PEER, adverts: 3, priority: 100, refused: null },
        { source: "192.168.11.83", adverts: 1, refused: expect.stringContaining("version 3, ours is 2") },
      ],
    });
  });
});

describe("what is planted is found", () => {
  test("nobody is heard", () => {
    expect(judge([])).toEqual([
      "advert-none: no advert of virtual router 82 on eth0 was heard in 3.5 s, and this host is BACKUP",
    ]);
    expect(judge([], null)[0]).toContain("no daemon of this host sends any");
    const unicast = configWith({ ...ours, transport: unicastTransport([PEER]) });
    expect(judgeAdverts([unicast], null, listening([]))[0]?.what).toContain(`expected from ${PEER}`);
    // Too short to say so, or not listened at all.
    expect(judge([], daemon("BACKUP"), { seconds: 1.9 })).toEqual([]);
    expect(judge([], daemon("BACKUP"), { interfaces: new Set() })).toEqual([]);
  });

  test("a peer says that it is master, and is not heard", () => {
    const [finding, ...more] = judge([], daemon("BACKUP", "MASTER"));
    expect(more).toEqual([]);
    expect(finding).toMatch(
      /^advert-unheard: 192\.168\.11\.82:8112 says over the peer link that it is MASTER of virtual router 82/,
    );
    expect(judge([], daemon("BACKUP", "BACKUP"))[0]).toContain("advert-none");
  });

  test("adverts arrive and are dropped on this host", () => {
    const blocked = { delivered: new Set<string>() };
    expect(judge(heard(ours), daemon("BACKUP"), blocked)).toEqual([
      `advert-blocked-in: 3 adverts of ${PEER} for virtual router 82 on eth0 arrived at the interface, and no program was given one`,
    ]);
    expect(judge(heard(ours, 1), daemon("BACKUP"), blocked)).toEqual([]);
    expect(judge(heard(ours), daemon("BACKUP"), { delivered: null })).toEqual([]);
  });

  test("a master's adverts do not leave", () => {
    expect(judge([], daemon("MASTER"))).toEqual([
      "advert-blocked-out: this host is MASTER of virtual router 82 on eth0, and no advert left the interface in 3.5 s",
    ]);
  });

  test.each<[string, Partial<VrrpInstanceConfig>, RegExp]>([
    ["version", { version: 3 }, /^advert-refused: .*version 3, ours is 2/],
    ["interval", { advertInterval: seconds(2) }, /^advert-refused: .*interval 2 s, ours is 1 s/],
    [
      "authentication",
      { authentication: password("secret12") },
      /^advert-refused: .*authentication PASS, ours is none/,
    ],
    [
      "list of addresses",
      { advertised: [...ours.advertised, virtualAddress("192.168.11.101")] },
      /^advert-differs: .*192\.168\.11\.101/,
    ],
    [
      "another pair",
      { advertised: [virtualAddress("192.168.11.7")] },
      /^vrid-shared: .*uses virtual_router_id 82 for 192\.168\.11\.7$/,
    ],
    ["router id", { virtualRouterId: 83 }, /^vrid-differs: .*with virtual_router_id 83; this host's file says 82$/],
  ])("%s", (_title, changes, expected) => {
    const found = judge(heard(configWith({ ...ours, ...changes })));
    expect(found.filter((one) => expected.test(one))).toHaveLength(1);
  });

  test("a password is not told", () => {
    const mine = configWith({ ...ours, authentication: password("secret12") });
    const other = configWith({ ...ours, authentication: password("another1") });
    const [finding] = judgeAdverts([mine], null, listening(heard(other)));
    expect(finding?.what).toContain("the password differs");
    expect(JSON.stringify(finding)).not.toMatch(/secret|another/);
  });

  test("two masters, by adverts and by what the peer says", () => {
    expect(judge([...sent(), ...heard(ours)], daemon("MASTER"))).toEqual([
      `two-masters: this host sends adverts of virtual router 82 on eth0, and ${PEER} does so with priority 100`,
    ]);
    expect(judge(sent(), daemon("MASTER", "MASTER"))[0]).toMatch(/^two-masters: this host holds the addresses/);
  });

  test("one packet that a virtual interface and its base both see is one packet", () => {
    const vmac = configWith({ ...ours, sendsVia: "vrrp.82", hearsVia: "vrrp.82" });
    const twice = (adverts: readonly HeardAdvert[]) =>
      adverts.flatMap((one) => [one, { ...one, interface: "vrrp.82" }]);
    const both = { interfaces: new Set(["eth0", "vrrp.82"]) };
    const all = listening(twice([...sent(3), ...heard(ours, 1)]), both);
    expect(summarise(vmac, null, all)).toMatchObject({ sent: 3, heard: [{ adverts: 1 }] });
    // The old master's last advert before a takeover proves nothing, however often it is seen.
    expect(judgeAdverts([vmac], daemon("MASTER"), { ...all, delivered: new Set() })).toEqual([]);
  });

  test("a router of somebody else's is nobody's business", () => {
    const stranger = configWith({ ...ours, virtualRouterId: 9, advertised: [virtualAddress("192.168.11.9")] });
    expect(judge([...heard(ours), ...heard(stranger)])).toEqual([]);
  });
});
