/** Sends test adverts while the peers' daemons listen for them, and asks what they heard. */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { HostDoctorAsk } from "../cli/commands/host-doctor.ts";
import { CliError } from "../cli/exit-codes.ts";
import type { AdvertTestReply } from "../control/contract/types.ts";
import { hearsVia } from "../core/doctor/adverts.ts";
import type { Unseen } from "../core/doctor/catalogue.ts";
import type { DaemonFacts } from "../core/doctor/daemon-facts.ts";
import { encodeTestAdvert, judgeTests, type TestOutcome } from "../core/doctor/test-advert.ts";
import type { InterfaceFacts } from "../core/dumps/input.ts";
import { ADDRESS_BYTES, familyOf, type IpAddress, ipFromBytes } from "../core/lib/ip.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { advertTtl } from "../core/vrrp/packet.ts";
import { createAdvertSender } from "../linux/advert-sender.ts";
import type { Arena } from "../linux/arena.ts";
import { createSockets } from "../linux/sockets.ts";
import { networksOf } from "./host-networks.ts";

export interface PeerTestQuestion {
  readonly arena: Arena;
  readonly instances: readonly VrrpInstanceConfig[];
  readonly daemon: DaemonFacts | null;
  readonly devices: ReadonlyMap<string, InterfaceFacts>;
  readonly ask: HostDoctorAsk;
}

const GUIDE = "peer_link on both hosts (operator's guide, The peer link)";
const ROUTERS = "whether this host's adverts reach the other one";

export async function testWithPeers(question: PeerTestQuestion): Promise<ReturnType<typeof judgeTests>> {
  const { instances, daemon } = question;
  const [first] = instances;
  if (first === undefined) return { findings: [], unseen: [] };
  if (daemon === null) return unasked("no daemon of this host answers, which would ask its peer", "start the daemon");
  if (daemon.peers.length === 0) return unasked("there is no peer_link, over which the other one could tell", GUIDE);
  const [tested, keyed] = [[...waysOf(instances).values()], instances.filter(isAh)];
  const outcomes: TestOutcome[] = [];
  for (const vrrp of tested) outcomes.push(await test(vrrp, question));
  const { findings, unseen } = judgeTests(outcomes);
  const untried = keyed.map(
    ({ name }): Unseen => ({
      what: `whether adverts of ${name} reach the peer`,
      why: "test adverts carry no authentication header",
      fix: "holdfast doctor on the peer, while this host is MASTER",
    }),
  );
  return { findings, unseen: [...unseen, ...untried] };
}

function unasked(why: string, fix: string): ReturnType<typeof judgeTests> {
  return { findings: [], unseen: [{ what: ROUTERS, why, fix }] };
}

const isAh = ({ authentication }: VrrpInstanceConfig): boolean => authentication.kind === "ah";

/** One of those that take the same way. */
function waysOf(instances: readonly VrrpInstanceConfig[]): ReadonlyMap<string, VrrpInstanceConfig> {
  const others = instances.filter((vrrp) => !isAh(vrrp));
  return new Map(others.map((vrrp) => [`${hearsVia(vrrp)} ${destinationsOf(vrrp).join(" ")}`, vrrp]));
}

const destinationsOf = ({ transport }: VrrpInstanceConfig): readonly IpAddress[] =>
  transport.kind === "unicast" ? transport.peers : [transport.group];

/** Between two sendings; the peer listens for longer than several of them. */
const PAUSE_MILLIS = 100;

async function test(vrrp: VrrpInstanceConfig, question: PeerTestQuestion): Promise<TestOutcome> {
  const nonce = ipFromBytes(vrrp.family, randomBytes(ADDRESS_BYTES[vrrp.family]), 0);
  const { virtualRouterId, family } = vrrp;
  const sending = new AbortController();
  const sent = keepSending(vrrp, nonce, question, sending.signal);
  const asked = await answersOf(question.ask, { virtualRouterId, family, nonce }).finally(() => sending.abort());
  return { vrrp, unsent: await sent, peers: asked };
}

async function answersOf(ask: HostDoctorAsk, body: object): Promise<TestOutcome["peers"]> {
  try {
    return (await ask.post<AdvertTestReply>("/v1/doctor/advert-test", body)).peers;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ peer: "the peers", heard: null, problem: error.message, clockOffset: null }];
  }
}

/** Until the signal; null, or why it could not be sent. */
async function keepSending(
  vrrp: VrrpInstanceConfig,
  nonce: IpAddress,
  { arena, daemon, devices }: PeerTestQuestion,
  signal: AbortSignal,
): Promise<string | null> {
  const { family, name } = vrrp;
  const device = devices.get(vrrp.sendsVia ?? vrrp.interface);
  const own = networksOf(vrrp.interface).find(({ address }) => familyOf(address) === family)?.address;
  const source = daemon?.instances.find((one) => one.name === name)?.source ?? vrrp.sourceAddress ?? own;
  if (device === undefined || source === undefined) return "the interface has no address to send from";
  const sender = createAdvertSender(arena, createSockets(arena));
  const opened = sender.open(family);
  if (!opened.ok) return `${opened.error.what}: ${opened.error.errno}`;
  const destinations = destinationsOf(vrrp);
  sender.prepare(0, {
    interfaceIndex: device.index,
    source,
    destinations,
    hopLimit: advertTtl(vrrp),
    packets: destinations.map((destination) => encodeTestAdvert(vrrp, { source, destination }, nonce)),
  });
  let failure: string | null = null;
  while (!signal.aborted) {
    sender.queue(0);
    const [failed] = sender.flush();
    failure = failed === undefined ? null : failed.error.errno;
    await setTimeout(PAUSE_MILLIS);
  }
  sender.dispose();
  return failure;
}
