/** `holdfast doctor`: looks at this host, with the daemon or without it. What the findings are, core/doctor knows. */
import { hostname } from "node:os";
import type { HostDoctorAsk, HostDoctorQuestion } from "../cli/commands/host-doctor.ts";
import { CliError, EXIT } from "../cli/exit-codes.ts";
import { DEFAULT_PID_FILE, type HostDoctorReply, type StatusReply } from "../control/contract/types.ts";
import { type LoadedConfig, loadConfig } from "../core/config/load.ts";
import { hearsVia, judgeAdverts, type Listening, summarise } from "../core/doctor/adverts.ts";
import { found, type HostFinding, type Unseen } from "../core/doctor/catalogue.ts";
import type { DaemonFacts } from "../core/doctor/daemon-facts.ts";
import { judgeSilence, type SilenceVerdict } from "../core/doctor/daemon-silence.ts";
import { elsewhere } from "../core/doctor/elsewhere.ts";
import { judgeFilter } from "../core/doctor/firewall/findings.ts";
import { withIptables } from "../core/doctor/firewall/iptables-save.ts";
import { readNftRuleset } from "../core/doctor/firewall/nft-ruleset.ts";
import type { InterfaceFacts } from "../core/dumps/input.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { ok, type Result } from "../core/lib/result.ts";
import { toSeconds } from "../core/lib/units.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { createAdvertTap } from "../linux/advert-tap.ts";
import { type Arena, createArena } from "../linux/arena.ts";
import { createConfigSource } from "../linux/config-source.ts";
import { listFirewall } from "../linux/firewall-listing.ts";
import { isDaemonHere, livingHoldfast } from "../linux/holdfast-processes.ts";
import { readInterfaces } from "../linux/interface-facts.ts";
import { namespaceAt, namespaceNamed, PID_FOLDER } from "../linux/net-namespace.ts";
import { askDoctors } from "./daemon-doctors.ts";
import { beforeListening, lookAround } from "./host-facts.ts";
import { deviceTo, networksOf } from "./host-networks.ts";
import { placesOf } from "./listen-places.ts";
import { testWithPeers } from "./peer-test.ts";

export async function lookAtHost(question: HostDoctorQuestion, ask: HostDoctorAsk): Promise<HostDoctorReply> {
  const loaded = read(question);
  refuseElsewhere(question, loaded);
  const vrrp = loaded.config.instances.map((one) => one.vrrp);
  const arena = createArena(4 * 1024 * 1024);
  const daemon = question.status === null ? null : daemonFacts(question.status);
  const silence = silenceOf(question);
  const devices = new Map(readInterfaces(arena, new Set()).map((one) => [one.name, one]));
  const before = beforeListening({ daemon });
  const [listened, filter] = await Promise.all([listen(arena, vrrp, { ...question, devices }), lookAtFilter(loaded)]);
  const listening = listened.ok ? listened.value : null;
  const routers = listening === null ? [] : summaries(vrrp, daemon, listening);
  const heard = listening === null ? [] : judgeAdverts(vrrp, daemon, listening);
  const tests = await testWithPeers({ arena, instances: vrrp, daemon, devices, ask });
  const asked = daemon === null ? NOTHING : await askDoctors(managedBy(loaded), ask);
  const mastered = routers.filter((one) => one.heard.some(({ refused }) => refused === null));
  const around = await lookAround(
    { arena, loaded, daemon, devices, startedAt: question.status?.daemon.startedAt ?? null },
    {
      before,
      findings: heard,
      mastered: new Set(mastered.map(({ instance }) => instance)),
      sending: new Set(routers.filter(({ sent }) => sent > 0).map(({ instance }) => instance)),
      perhaps: silence.perhaps,
    },
  );
  return {
    api: 1,
    host: hostname(),
    file: question.file,
    daemon: { running: question.status !== null, version: question.status?.daemon.version ?? null },
    listened: listening === null ? null : { seconds: listening.seconds, routers },
    findings: bySeverity([
      ...silence.findings,
      ...aboutFile(question, loaded),
      ...heard,
      ...tests.findings,
      ...filter.findings,
      ...around.findings,
      ...asked.findings,
    ]),
    unseen: [
      ...silence.unseen,
      ...unheard(listened),
      ...keysUntried(vrrp),
      ...tests.unseen,
      ...filter.unseen,
      ...around.unseen,
      ...asked.unseen,
    ],
  };
}

const summaries = (all: readonly VrrpInstanceConfig[], daemon: DaemonFacts | null, listening: Listening) =>
  all.filter((one) => listening.interfaces.has(hearsVia(one))).map((one) => summarise(one, daemon, listening));

const NOTHING = { findings: [], unseen: [] };

const managedBy = ({ config }: LoadedConfig) => ({
  groups: new Set(config.instances.flatMap(({ managesMysql }) => managesMysql ?? [])),
  director: config.lvs.servers.length > 0,
});

const ORDER = ["error", "warning", "note"] as const;

/** Otherwise as they were found. */
const bySeverity = (findings: HostDoctorReply["findings"]): HostDoctorReply["findings"] =>
  ORDER.flatMap((severity) => findings.filter((one) => one.severity === severity));

/** In another network namespace every interface, rule and address is another one. */
function refuseElsewhere({ file, status }: HostDoctorQuestion, { config }: LoadedConfig): void {
  const name = config.global.place.netNamespace;
  const pid = status?.daemon.pid ?? null;
  const namespace = pid === null || !isDaemonHere(pid) ? null : namespaceAt(`/proc/${pid}/ns/net`);
  const other = elsewhere({
    own: namespaceAt("/proc/self/ns/net"),
    named: name === null ? null : { name, namespace: namespaceNamed(name) },
    daemon: pid === null || namespace === null ? null : { pid, namespace },
  });
  if (other === null) return;
  const { instance } = config.global.place;
  const socket =
    name === null ? "" : ` --socket ${PID_FOLDER}/${name}/holdfast${instance === null ? "" : `_${instance}`}.sock`;
  throw new CliError(
    `doctor: ${other.what}, and doctor would look at this one's network`,
    EXIT.failed,
    `${other.enter} holdfast doctor -f ${file}${socket}`,
  );
}

function read({ file, configId }: HostDoctorQuestion): LoadedConfig {
  const loaded = loadConfig(createConfigSource(), file, configId === null ? {} : { configId });
  if (loaded.readable) return loaded;
  throw new CliError(
    `doctor: ${file} cannot be read`,
    EXIT.failed,
    "name the configuration with -f FILE; run it as root",
  );
}

function daemonFacts({ daemon, keeper, instances, peers }: StatusReply): DaemonFacts {
  return {
    pid: daemon.pid,
    keeperPid: keeper.pid,
    stateDir: daemon.stateDir,
    instances: instances.map(({ name, state, phase, holding, source }) => ({
      name,
      state,
      phase,
      holding,
      source: source as IpAddress | null,
    })),
    peers,
  };
}

function silenceOf({ silence }: HostDoctorQuestion): SilenceVerdict {
  if (silence === null) return { ...NOTHING, perhaps: null };
  return judgeSilence(silence, livingHoldfast(DEFAULT_PID_FILE));
}

function aboutFile({ file }: HostDoctorQuestion, { diagnostics }: LoadedConfig): readonly HostFinding[] {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (first === undefined) return [];
  const what = `${file}: ${errors.length} error(s), the first: ${first.message}`;
  return [found("config-errors", null, what, `holdfast check ${file}`)];
}

/** A little over Master_Down_Interval with few exceptions. */
const INTERVALS = 3;
const MORE_SECONDS = 0.5;
const LISTEN_MAX_SECONDS = 30;

async function listen(
  arena: Arena,
  instances: readonly VrrpInstanceConfig[],
  { listenSeconds, devices }: HostDoctorQuestion & { readonly devices: ReadonlyMap<string, InterfaceFacts> },
): Promise<Result<Listening, string>> {
  const places = instances.flatMap((vrrp) => placesOf(vrrp, devices));
  if (places.length === 0) return ok({ seconds: 0, adverts: [], delivered: null, interfaces: new Set() });
  const longest = Math.max(...instances.map(({ advertInterval }) => toSeconds(advertInterval)));
  const seconds = listenSeconds ?? Math.min(longest * INTERVALS + MORE_SECONDS, LISTEN_MAX_SECONDS);
  return await createAdvertTap(arena).listen(places, seconds);
}

function unheard(listened: Result<Listening, string>): readonly Unseen[] {
  if (!listened.ok) return [{ what: "adverts", why: listened.error, fix: "run doctor as root (CAP_NET_RAW)" }];
  const { delivered, interfaces } = listened.value;
  if (delivered !== null || interfaces.size === 0) return [];
  const why = "a socket as the daemon's could not be opened";
  return [{ what: "whether adverts pass the packet filter", why, fix: "run doctor as root (CAP_NET_RAW)" }];
}

/** A key proves itself only against numbers that the daemon remembers. */
function keysUntried(instances: readonly VrrpInstanceConfig[]): readonly Unseen[] {
  const keyed = instances.filter(({ authentication, authHmac }) => authentication.kind === "ah" || authHmac !== null);
  if (keyed.length === 0) return [];
  return [
    {
      what: `whether the keys of ${keyed.map(({ name }) => name).join(", ")} agree`,
      why: "doctor does not try keys on what it hears",
      fix: "holdfast status --json: counters.drops has ah-* and hmac-* when they do not",
    },
  ];
}

async function lookAtFilter({ config }: LoadedConfig) {
  const { nft, saved, problems } = await listFirewall();
  const read = nft === null ? [] : readNftRuleset(nft.json, nft.text);
  const unread =
    read === null
      ? [{ what: "rules of nftables", why: "nft's list is none that doctor knows", fix: "nft list ruleset" }]
      : [];
  const findings = judgeFilter({
    filter: withIptables(read ?? [], saved),
    instances: config.instances.map(({ vrrp }) => vrrp),
    peerLink: config.peerLink,
    networksOf,
    deviceTo,
  });
  return { findings, unseen: [...problems, ...unread] };
}
