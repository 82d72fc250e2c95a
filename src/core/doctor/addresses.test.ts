import { expect, test } from "vitest";
import { configWith, ip, virtualAddress } from "../vrrp/example-config.ts";
import { type AddressFacts, judgeAddresses } from "./addresses.ts";

const VIP = ip("192.168.11.100");
const vrrp = configWith({ name: "VI_1", interface: "eth0", advertised: [virtualAddress(VIP)] });

const daemon = (state: string, holding = state === "MASTER"): AddressFacts["daemon"] => ({
  pid: 1,
  keeperPid: 2,
  stateDir: "/var/lib/holdfast",
  instances: [{ name: "VI_1", state, phase: state, holding, source: null }],
  peers: [],
});
const daemonOf = daemon("MASTER") as NonNullable<AddressFacts["daemon"]>;
const here = { placesOf: () => ["eth0"] };
const answers = (...macs: string[]) => ({ answers: new Map([[VIP, macs]]) });
const [ONE, TWO] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
const OWN = "02:00:00:00:00:99";
const PERHAPS = "a holdfast runs (pid 9)";
const keepalived = (names: boolean | null) => ({
  keepalived: [{ pid: 77, file: "/etc/keepalived/keepalived.conf", names }],
});

/** A standby of a healthy pair, but for what is planted. */
const judge = (planted: Partial<AddressFacts>) => {
  const { findings, unseen } = judgeAddresses({
    instances: [vrrp],
    daemon: daemon("BACKUP"),
    perhaps: null,
    sending: new Set(),
    ownMacs: new Set([OWN]),
    placesOf: () => [],
    ...answers(ONE),
    mastered: new Set(["VI_1"]),
    keepalived: [],
    managers: [],
    ...planted,
  });
  return [
    ...findings.map(({ id, what, fix }) => `${id}: ${what}; ${fix}`),
    ...unseen.map(({ what, why, fix }) => `unseen: ${what}: ${why}; ${fix}`),
  ];
};

test.each<[string, Partial<AddressFacts>, RegExp]>([
  [
    "left on a standby",
    { ...here, ...answers() },
    /^vip-left-over: .*this host is BACKUP; holdfast release-stale 192\.168\.11\.100$/,
  ],
  [
    "left without a daemon",
    { ...here, ...answers(), daemon: null },
    /^vip-left-over: .*no daemon runs.*; ip addr del 192\.168\.11\.100\/32 dev eth0$/,
  ],
  [
    "no account of the daemon, and one may run",
    { ...here, ...answers(), daemon: null, perhaps: PERHAPS },
    /^unseen: whether 192\.168\.11\.100 is left over on eth0: a holdfast runs \(pid 9\); .*as root, with --socket/,
  ],
  [
    "no account of the daemon, and this host sends adverts of the router",
    { ...here, ...answers(), daemon: null, sending: new Set(["VI_1"]) },
    /^unseen: whether .*: adverts of its virtual router left this host/,
  ],
  [
    "the daemon that answers does not know the instance",
    { ...here, ...answers(), daemon: { ...daemonOf, instances: [] } },
    /^unseen: whether .*: the daemon that answers has no instance VI_1; holdfast doctor without -f/,
  ],
  [
    "answered for beside a master",
    { ...here, ...answers(ONE), daemon: daemon("MASTER") },
    /^vip-twice: .*02:00:00:00:00:01, beside this host,/,
  ],
  [
    "two others answer",
    answers(ONE as string, TWO as string),
    /^vip-twice: .*02:00:00:00:00:01, 02:00:00:00:00:02 on the link of eth0/,
  ],
  ["a master that nobody answers for", answers(), /^vip-silent: a master is heard, and nobody answers/],
  [
    "keepalived with our addresses",
    keepalived(true),
    /^keepalived-runs: keepalived runs \(pid 77\).*has addresses of ours; systemctl disable --now keepalived/,
  ],
  ["keepalived with a file nobody can read", keepalived(null), /^keepalived-runs: .*cannot be read/],
  [
    "networkd",
    { managers: [{ device: "eth0", manager: "systemd-networkd" }] },
    /^address-manager: .*KeepConfiguration=static/,
  ],
  [
    "NetworkManager",
    { managers: [{ device: "eth0", manager: "NetworkManager" }] },
    /^address-manager: .*nmcli device set eth0 managed no/,
  ],
])("planted: %s", (_title, planted, expected) => {
  const [finding, ...more] = judge(planted);
  expect(more).toEqual([]);
  expect(finding).toMatch(expected);
  if (finding?.startsWith("unseen")) expect(finding).not.toMatch(/addr del|release-stale/);
});

test.each<[string, Partial<AddressFacts>]>([
  ["a healthy standby", {}],
  ["a healthy master", { ...here, ...answers(), daemon: daemon("MASTER"), mastered: new Set() }],
  ["on its way up", { ...here, ...answers(), daemon: daemon("CLAIMING") }],
  ["keepalived holds it, and no Holdfast runs", { ...here, ...answers(), daemon: null, ...keepalived(true) }],
  ["became master while doctor listened", { ...here, ...answers(), sending: new Set(["VI_1"]) }],
  [
    "its own second interface in the segment answers",
    { ...here, ...answers(OWN), daemon: daemon("MASTER"), mastered: new Set() },
  ],
  ["the master answers with the virtual hardware address that this host has as well", answers(OWN)],
  ["nobody is master", { ...answers(), mastered: new Set() }],
  ["it could not be asked", { answers: new Map() }],
  ["another interface is managed", { managers: [{ device: "eth1", manager: "NetworkManager" }] }],
])("nothing to say: %s", (_title, planted) => {
  expect(judge(planted)).toEqual([]);
});
