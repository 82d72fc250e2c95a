/**
 * A test advert for a peer that has been told to listen for it: the way of a real one, and nobody's election. Its type is 15, which every receiver
 * must discard (RFC 9568 section 5.2.2: type 1 is the only one), and its virtual router id is 0, which no router can have (section 6.1: from 1 on). Pure.
 */
import { type IpAddress, ipBytes } from "../lib/ip.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import { writeChecksum } from "../vrrp/message.ts";
import { advertLayout, encodeAdvert, type Packet } from "../vrrp/packet.ts";
import { found, type HostFinding, type Unseen } from "./catalogue.ts";

export const TEST_ROUTER = 0;
const TEST_TYPE = 15;
const TYPE_BITS = 0xf0;
/** The lowest that is no resignation. */
const PRIORITY = 1;

/** `nonce`, an address of the instance's family, is what the listener looks for. */
export function encodeTestAdvert(
  vrrp: VrrpInstanceConfig,
  { source, destination }: { readonly source: IpAddress; readonly destination: IpAddress },
  nonce: IpAddress,
): Uint8Array {
  const carried = { address: nonce, prefixLength: 32, device: null, broadcast: null, label: null, scope: 0 };
  const plain: VrrpInstanceConfig = {
    ...vrrp,
    virtualRouterId: TEST_ROUTER,
    authentication: { kind: "none" },
    authHmac: null,
    advertised: [carried],
  };
  const packet = encodeAdvert(plain, { source, destination, priority: PRIORITY });
  const { start, end } = advertLayout(plain);
  packet[start] = ((packet[start] as number) & TYPE_BITS) | TEST_TYPE;
  packet.fill(0, start + CHECKSUM, start + CHECKSUM + 2);
  const endpoints = { source: ipBytes(source), destination: ipBytes(destination) };
  writeChecksum(packet, { start, end }, plain, endpoints);
  return packet;
}

const CHECKSUM = 6;

export const isTestAdvert = ({ virtualRouterId, type, addresses }: Packet, nonce: IpAddress): boolean =>
  virtualRouterId === TEST_ROUTER && type === TEST_TYPE && addresses.includes(nonce);

/** What came of it, peer by peer. */
export interface TestOutcome {
  readonly vrrp: VrrpInstanceConfig;
  /** Why it could not be sent; null: it was. */
  readonly unsent: string | null;
  readonly peers: readonly {
    readonly peer: string;
    /** Null: the peer could not be asked; `problem` says why. */
    readonly heard: {
      readonly interface: string | null;
      readonly arrived: boolean;
      /** Null: not known there. */
      readonly delivered: boolean | null;
      readonly problem: string | null;
      /** Its instance has auth_type AH: what has no authentication header is given to nobody there. */
      readonly ah: boolean;
    } | null;
    readonly problem: string | null;
    /** The peer's wall clock against this host's, milliseconds; null: not known. */
    readonly clockOffset: number | null;
  }[];
}

/** Beyond this two logs are not to be laid side by side. */
const OFFSET_MOST = 1_000;

export function judgeTests(outcomes: readonly TestOutcome[]): {
  readonly findings: readonly HostFinding[];
  readonly unseen: readonly Unseen[];
} {
  const findings = outcomes.flatMap((one) => one.peers.flatMap((peer) => deafness(one, peer)));
  const unseen = outcomes.flatMap((one) => one.peers.flatMap((peer) => untold(one, peer)));
  return { findings: [...findings, ...offsets(outcomes)], unseen };
}

type Told = TestOutcome["peers"][number];

function deafness({ vrrp, unsent }: TestOutcome, { peer, heard }: Told): readonly HostFinding[] {
  if (unsent !== null) return [found("peer-deaf", vrrp.name, `a test advert for ${peer} cannot be sent: ${unsent}`)];
  if (heard === null) return [];
  if (heard.ah) {
    const what = `${peer} has auth_type AH for virtual router ${vrrp.virtualRouterId}, and this host's file has not: each refuses the other's adverts`;
    return [found("peer-deaf", vrrp.name, what, "the same authentication block in both files; holdfast check A B")];
  }
  if (heard.problem !== null) return [];
  const at = `${heard.interface ?? "the interface"} of ${peer}`;
  if (!heard.arrived) {
    const fix = `holdfast doctor here and on ${peer}; where neither names a rule: what lies between ${vrrp.interface} and ${at}`;
    return [found("peer-deaf", vrrp.name, `test adverts do not arrive at ${at}`, fix)];
  }
  if (heard.delivered !== false) return [];
  const what = `test adverts arrive at ${at}, and that host gives them to no program`;
  return [found("peer-deaf", vrrp.name, what, `holdfast doctor on ${peer}: it names the rule, or the setting`)];
}

function untold({ vrrp, unsent }: TestOutcome, { peer, heard, problem }: Told): readonly Unseen[] {
  const why = problem ?? heard?.problem ?? null;
  if (unsent !== null || why === null) return [];
  return [{ what: `whether adverts of ${vrrp.name} reach ${peer}`, why, fix: `holdfast doctor on ${peer}` }];
}

function offsets(outcomes: readonly TestOutcome[]): readonly HostFinding[] {
  const windows = outcomes.flatMap(({ vrrp }) => vrrp.authHmac?.timeWindow ?? []);
  const most = Math.min(OFFSET_MOST, ...windows.map((seconds) => seconds * 1_000));
  const peers = new Map(outcomes.flatMap((one) => one.peers.map(({ peer, clockOffset }) => [peer, clockOffset])));
  return [...peers].flatMap(([peer, offset]) => {
    if (offset === null || Math.abs(offset) <= most) return [];
    const way = offset > 0 ? "ahead of" : "behind";
    const fix = "chronyc tracking (or timedatectl timesync-status) on both; the same servers on both";
    return [found("clock-offset", peer, `its clock is ${Math.round(Math.abs(offset))} ms ${way} this host's`, fix)];
  });
}
