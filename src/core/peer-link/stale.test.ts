import { expect, test } from "vitest";
import { parseIp } from "../lib/ip.ts";
import { judgeStale, type StaleFacts } from "./stale.ts";

const ip = (text: string) => {
  const address = parseIp(text);
  if (address === null) throw new Error(text);
  return address;
};
const VIP = ip("192.0.2.100");
const PEER_MAC = "02:00:00:00:00:02";
const seen = (own: boolean, macs: readonly string[]) => ({ own, interface: "eth0", macs, problem: null });
const here = (...macs: string[]) => ({ peer: null, seen: seen(true, macs), problem: null });
const peer = (own: boolean) => ({ peer: "192.0.2.2:8112", seen: seen(own, []), problem: null });
const silent = { peer: "192.0.2.2:8112", seen: null, problem: "not connected" };

const FACTS: StaleFacts = {
  address: VIP,
  places: [{ interface: "eth0", prefixLength: 32, takesAlong: [] }],
  isStatic: false,
  owners: [{ name: "VI_1", state: "BACKUP", phase: "BACKUP", holding: false }],
  keepalived: [],
  sights: [here(PEER_MAC), peer(true)],
  ownMacs: new Set(["02:00:00:00:00:01"]),
};

test.each([
  ["the peer answers and says so", {}, "peer 192.0.2.2:8112 says that it has it"],
  ["no instance of ours has it: keepalived's", { owners: [] }, "answers"],
  ["no peer link", { sights: [here(PEER_MAC)] }, `${PEER_MAC} answers for 192.0.2.100 on eth0`],
  ["the peer cannot be asked", { sights: [here(PEER_MAC), silent] }, "no peer could be asked"],
  ["a keepalived that has other addresses", { keepalived: [{ pid: 7, file: "/k", names: false }] }, "answers"],
])("left over: %s", (_name, change, proof) => {
  const verdict = judgeStale({ ...FACTS, ...(change as Partial<StaleFacts>) });
  expect(verdict).toMatchObject({ stale: true, proof: expect.stringContaining(proof) });
});

const owner = (change: object) => ({
  owners: [{ name: "VI_1", state: "BACKUP", phase: "BACKUP", holding: false, ...change }],
});

test.each([
  ["it is not here", { places: [] }, "not on this host"],
  ["nobody knows our state", { owners: null }, "does not answer"],
  ["MASTER", owner({ state: "MASTER" }), "is MASTER"],
  ["still holding it", owner({ holding: true }), "no left-over"],
  ["about to have it", owner({ phase: "CLAIMING" }), "is CLAIMING"],
  ["a static address", { isStatic: true }, "static_ipaddress"],
  ["keepalived has it", { keepalived: [{ pid: 7, file: "/k", names: true }] }, "pid 7"],
  ["keepalived's file is unreadable", { keepalived: [{ pid: 7, file: "/k", names: null }] }, "cannot be read"],
  [
    "it would take others along",
    { places: [{ interface: "eth0", prefixLength: 24, takesAlong: [ip("192.0.2.50")] }] },
    "192.0.2.50 as well",
  ],
  [
    "it could not be asked",
    { sights: [{ peer: null, seen: { ...seen(true, []), problem: "lo is no Ethernet" }, problem: null }] },
    "no Ethernet",
  ],
  ["nobody else answers", { sights: [here(), peer(false)] }, "nobody else answers"],
  ["only another card of this host answers", { sights: [here("02:00:00:00:00:01")] }, "nobody else answers"],
  ["two others answer", { sights: [here(PEER_MAC, "02:00:00:00:00:03")] }, "2 other hosts"],
  ["a stranger answers", { sights: [here(PEER_MAC), peer(false)] }, "no peer has the address"],
])("refused: %s", (_name, change, message) => {
  const verdict = judgeStale({ ...FACTS, ...(change as Partial<StaleFacts>) });
  expect(verdict).toMatchObject({ stale: false, refusal: { message: expect.stringContaining(message) } });
});
