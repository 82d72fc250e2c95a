/** The peer link in the daemon: what it answers, from what, and when it begins. Its code is loaded when `peer_link` asks for it. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { AdvertTestAnswer, PeerReportAnswer } from "../control/actions.ts";
import type { PeerHandlers } from "../control/peer-link/handlers.ts";
import type { PeerLinkService } from "../control/peer-link/link.ts";
import type { HoldfastConfig } from "../core/config/model.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { err } from "../core/lib/result.ts";
import { type PeerLinkConfig, placeInWords } from "../core/peer-link/config.ts";
import type { PeerAsk, PeerInstance, WhoAnswers } from "../core/peer-link/questions.ts";
import type { Sight } from "../core/peer-link/who-answers.ts";
import type { ControlProcess } from "../engine/control-process.ts";
import type { EventBus } from "../engine/event-bus.ts";
import type { AddressProbe } from "../ports/address-probe.ts";
import type { Clock } from "../ports/clock.ts";
import type { Notes } from "../ports/notes.ts";
import type { PeerLink, PeerState } from "../ports/peer-link.ts";
import type { WriterJournal } from "../ports/writer-journal.ts";
import type { AdvertHearing } from "./advert-hearing.ts";
import { answerDeadLog } from "./dead-log.ts";

export interface DaemonLinkOptions {
  readonly version: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly keeper: () => ControlProcess["keeper"];
  readonly config: () => HoldfastConfig;
  readonly probe: AddressProbe;
  readonly writers: WriterJournal;
  /** Listens for a peer's test advert. */
  readonly hear: AdvertHearing;
  /** Status and latest events of this daemon, as JSON; rejects while the API is not there. */
  readonly report: () => Promise<string>;
  /** Durable notes of this daemon. */
  readonly records: Notes;
}

export interface DaemonLink extends PeerLink {
  configure(config: PeerLinkConfig | null): void;
  /** VRRP is under way: from here on it listens and asks. */
  begin(): void;
  /** Who answers for that address, asked here and of every peer. */
  sights(address: IpAddress): Promise<readonly Sight[]>;
  /** Whether test adverts arrive at each peer, which this host sends meanwhile. */
  advertTest(test: PeerAsk<"advert-test">): Promise<readonly AdvertTestAnswer[]>;
  /** What each peer's daemon reports of itself. */
  reports(): Promise<readonly PeerReportAnswer[]>;
  close(): void;
}

export function createDaemonLink(options: DaemonLinkOptions): DaemonLink {
  const { bus, clock, version } = options;
  let service: PeerLinkService | null = null;
  let wanted: PeerLinkConfig | null = null;
  let begun = false;
  let loading = false;

  const load = async (): Promise<void> => {
    const { PeerLinkService } = await import("../control/peer-link/link.ts");
    service = new PeerLinkService({
      myself: { host: hostname(), version, boot: randomUUID() },
      handlers: handlersOf(options),
      clock,
      publish: (body) => bus.publish("parent", body),
    });
    service.configure(wanted);
  };
  const apply = (): void => {
    if (service !== null) service.configure(wanted);
    else if (begun && wanted !== null && !loading) {
      loading = true;
      void load();
    }
  };
  /** Until the code is there nobody is connected. */
  const waiting = (): readonly PeerState[] =>
    (wanted?.peers ?? []).map((place) => ({
      place,
      connected: false,
      since: null,
      detail: null,
      node: null,
      last: null,
    }));
  const ask: PeerLink["ask"] = (peer, kind, question, timeoutMillis) =>
    service?.ask(peer, kind, question, timeoutMillis) ??
    Promise.resolve(err({ code: "not-connected", detail: "not connected yet" }));
  return {
    configure(config) {
      wanted = config;
      apply();
    },
    begin() {
      begun = true;
      apply();
    },
    peers: () => service?.peers() ?? waiting(),
    ask,
    async sights(address) {
      const here = whoAnswers(options.probe, address);
      const there = (wanted?.peers ?? []).map(async (peer): Promise<Sight> => {
        const answer = await ask(peer, "who-answers", { address }, ASK_MILLIS);
        const problem = answer.ok ? null : answer.error.detail;
        return { peer: placeInWords(peer), seen: answer.ok ? answer.value : null, problem };
      });
      return [{ peer: null, seen: await here, problem: null }, ...(await Promise.all(there))];
    },
    advertTest: (test) =>
      Promise.all(
        (wanted?.peers ?? []).map(async (peer): Promise<AdvertTestAnswer> => {
          const answer = await ask(peer, "advert-test", test, ASK_MILLIS);
          if (!answer.ok)
            return { peer: placeInWords(peer), heard: null, problem: answer.error.detail, clockOffset: null };
          const { wallMillis, ...heard } = answer.value;
          return { peer: placeInWords(peer), heard, problem: null, clockOffset: wallMillis - Date.now() };
        }),
      ),
    reports: () =>
      Promise.all(
        (wanted?.peers ?? []).map(async (peer) => {
          const answer = await ask(peer, "report", {}, ASK_MILLIS);
          const [json, problem] = answer.ok ? [answer.value.json, null] : [null, answer.error.detail];
          return { peer: placeInWords(peer), json, problem };
        }),
      ),
    close() {
      wanted = null;
      service?.close();
    },
  };
}

/** How long others are given to say that an address is theirs. */
const PROBE_MILLIS = 200;
/** The peer asks its own link first. */
const ASK_MILLIS = 2_000;

function handlersOf(options: DaemonLinkOptions): PeerHandlers {
  const { keeper, config, clock, probe, writers, report, records, hear } = options;
  return {
    async state() {
      const known = await keeper().status();
      if (known === null) throw new Error("the keeper does not answer");
      const families = new Map(config().instances.map(({ vrrp }) => [vrrp.name, vrrp.family]));
      const instances = known.map(
        (one): PeerInstance => ({
          name: one.name,
          interface: one.interface,
          virtualRouterId: one.virtualRouterId,
          family: families.get(one.name) ?? 4,
          state: one.state,
          phase: one.phase,
          priority: one.priority,
          forMillis: Math.max(0, (clock.now() - one.since) / 1_000),
          addresses: one.addresses,
          holding: one.holding,
        }),
      );
      return { instances, writers: writers.all() };
    },
    report: async () => ({ json: await report() }),
    "advert-test": hear,
    "who-answers": ({ address }) => whoAnswers(probe, address),
    "dead-log": (question) => answerDeadLog(records, question),
    "writer-record": ({ group }) => ({ record: writers.last(group) }),
  };
}

async function whoAnswers(probe: AddressProbe, address: IpAddress): Promise<WhoAnswers> {
  const { device, own } = probe.place(address);
  if (device === null) return { own, interface: null, macs: [], problem: "no interface is on its network" };
  const answered = await probe.whoAnswers(address, { device, millis: PROBE_MILLIS });
  const problem = answered.ok ? null : answered.error;
  return { own, interface: device, macs: answered.ok ? answered.value : [], problem };
}
