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
const here = { placesOf: () => ["eth0"] };
const answers = (...macs: string[]) => ({ answers: new Map([[VIP, macs]]) });
const [ONE, TWO] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
const keepalived = (names: boolean | null) => ({
  keepalived: [{ pid: 77, file: "/etc/keepalived/keepalived.conf", names }],
});

/** A standby of a healthy pair, but for what is planted. */
const judge = (planted: Partial<AddressFacts>) =>
  judgeAddresses({
    instances: [vrrp],
    daemon: daemon("BACKUP"),
    placesOf: () => [],
    ...answers(ONE),
    mastered: new Set(["VI_1"]),
    keepalived: [],
    managers: [],
    ...planted,
  }).map(({ id, what, fix }) => `${id}: ${what}; ${fix}`);

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
});

test.each<[string, Partial<AddressFacts>]>([
  ["a healthy standby", {}],
  ["a healthy master", { ...here, ...answers(), daemon: daemon("MASTER"), mastered: new Set() }],
  ["on its way up", { ...here, ...answers(), daemon: daemon("CLAIMING") }],
  ["keepalived holds it, and no Holdfast runs", { ...here, ...answers(), daemon: null, ...keepalived(true) }],
  ["nobody is master", { ...answers(), mastered: new Set() }],
  ["it could not be asked", { answers: new Map() }],
  ["another interface is managed", { managers: [{ device: "eth1", manager: "NetworkManager" }] }],
])("nothing to say: %s", (_title, planted) => {
  expect(judge(planted)).toEqual([]);
});
