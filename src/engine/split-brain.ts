/**
 * Looks for a second master while there is a reason to: adverts that should not be there, an address that is used elsewhere, a peer's daemon that says
 * that it holds the addresses, too. Asks on the link while it suspects something, and tells when it is so, who will let go, and when it is over.
 */
import type { SplitBrainEventBody } from "../core/events/split-brain-events.ts";
import type { HoldfastEvent } from "../core/events/vocabulary.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { type Instant, type Micros, seconds } from "../core/lib/units.ts";
import { type Judged, judge, NOTHING_SEEN } from "../core/split-brain/judgement.ts";
import { resolve, type Sign, signInWords } from "../core/split-brain/signs.ts";
import type { Timer, Timers } from "../ports/timers.ts";

/** One virtual router as this host's keeper has it now. */
export interface OwnInstance {
  readonly name: string;
  readonly master: boolean;
  readonly advertInterval: Micros;
}

export interface SplitBrainHost {
  readonly timers: Timers;
  readonly publish: (body: SplitBrainEventBody) => void;
  /** Of the keeper; null: it does not answer. */
  readonly instances: () => Promise<readonly OwnInstance[] | null>;
  /** What the peers' daemons have said last; cheap. */
  readonly peerSigns: (instance: string) => readonly Sign[];
  /** Who answers on the link now for the instance's addresses, `also` among them. Never rejects. */
  readonly addressSigns: (instance: string, also: readonly IpAddress[]) => Promise<readonly Sign[]>;
  /** There are peers that can be asked, so it is looked without another reason. */
  readonly hasPeers: () => boolean;
}

const EVERY = seconds(1);
/** How long a reason to look lasts. */
const SUSPICION = seconds(12);

interface Rival {
  readonly sign: Extract<Sign, { kind: "adverts" }>;
  readonly last: Instant;
  /** To the one before; null: there was none. */
  readonly gap: number | null;
}

/** Who lets go says so with one advert or two at once; who goes on sends the next one an interval later. */
const goesOn = ({ last, gap }: Rival, advertInterval: Micros, now: Instant): boolean =>
  gap !== null && gap >= advertInterval / 2 && gap <= 3 * advertInterval && now - last <= 3 * advertInterval + EVERY;

interface Suspect {
  judged: Judged;
  rival: Rival | null;
  /** Used by another host, and when that was told. */
  readonly conflicts: Map<IpAddress, Instant>;
  /** Looked at until then, whatever is seen. */
  until: Instant;
}

export class SplitBrainWatch {
  readonly #host: SplitBrainHost;
  readonly #suspects = new Map<string, Suspect>();
  #timer: Timer | null = null;
  #looking = false;
  #ended = false;

  constructor(host: SplitBrainHost) {
    this.#host = host;
  }

  hear({ body }: HoldfastEvent): void {
    const now = this.#host.timers.now();
    if (body.kind === "address-conflict") this.#suspect(body.instance, now).conflicts.set(body.address, now);
    else if (body.kind === "vrrp" && body.report.kind === "lower-priority-advert" && body.report.state === "MASTER") {
      const { source, priority, ours } = body.report;
      const suspect = this.#suspect(body.instance, now);
      const gap = suspect.rival?.sign.source === source ? now - suspect.rival.last : null;
      suspect.rival = { sign: { kind: "adverts", source, priority, ours }, last: now, gap };
    } else return;
    this.#arm();
  }

  /** Peers were configured or connected. */
  begin(): void {
    this.#arm();
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #suspect(instance: string, now: Instant): Suspect {
    const until = (now + SUSPICION) as Instant;
    const known = this.#suspects.get(instance);
    if (known !== undefined) {
      known.until = until;
      return known;
    }
    const suspect: Suspect = { judged: NOTHING_SEEN, rival: null, conflicts: new Map(), until };
    this.#suspects.set(instance, suspect);
    return suspect;
  }

  #arm(): void {
    if (this.#ended || this.#looking || this.#timer !== null) return;
    if (this.#suspects.size === 0 && !this.#host.hasPeers()) return;
    this.#timer = this.#host.timers.schedule(EVERY, () => {
      this.#timer = null;
      this.#looking = true;
      void this.#look().finally(() => {
        this.#looking = false;
        this.#arm();
      });
    });
  }

  async #look(): Promise<void> {
    const instances = await this.#host.instances();
    if (instances === null || this.#ended) return;
    for (const instance of instances) if (instance.master) await this.#lookAt(instance);
    for (const [name, suspect] of this.#suspects) {
      if (!instances.some((one) => one.name === name && one.master)) this.#letGo(name, suspect);
    }
  }

  async #lookAt({ name, advertInterval }: OwnInstance): Promise<void> {
    const { timers, peerSigns, addressSigns } = this.#host;
    const known = this.#suspects.get(name);
    const said = peerSigns(name);
    if (known === undefined && said.length === 0) return;
    const suspect = known ?? this.#suspect(name, timers.now());
    const answered = await addressSigns(name, [...suspect.conflicts.keys()]);
    const now = timers.now();
    const { rival } = suspect;
    const heard = rival !== null && goesOn(rival, advertInterval, now) ? [rival.sign] : [];
    const signs = [...heard, ...said, ...answered];
    const { judged, verdict } = judge(suspect.judged, signs, now);
    const before = suspect.judged;
    suspect.judged = judged;
    if (verdict === "begun") {
      const { yields, why } = resolve(signs);
      this.#tell(name, judged, { action: "seen", yields, detail: why });
    }
    if (verdict === "over") this.#over(name, before, "other");
    if (judged.suspectedAt === null && now >= suspect.until) this.#suspects.delete(name);
  }

  /** This host is no master of it any more: there are no two that it could see. */
  #letGo(name: string, { judged }: Suspect): void {
    this.#suspects.delete(name);
    if (judged.since !== null) this.#over(name, judged, "this-host");
  }

  #over(instance: string, judged: Judged, yields: "other" | "this-host"): void {
    const detail = yields === "other" ? "the other master is not seen any more" : "this host has let go";
    this.#tell(instance, judged, { action: "over", yields, detail });
  }

  #tell(
    instance: string,
    { signs, suspectedAt }: Judged,
    told: Pick<SplitBrainEventBody, "action" | "yields" | "detail">,
  ): void {
    const now = this.#host.timers.now();
    const forMillis = Math.round((now - (suspectedAt ?? now)) / 1_000);
    this.#host.publish({ kind: "split-brain", instance, ...told, signs: signs.map(signInWords), forMillis });
  }
}
