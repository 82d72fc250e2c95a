/**
 * All virtual servers of a configuration: their pools and checkers, and the table that they want together. What is to be told goes to
 * scripts, pipes and mail; what the kernel makes of the table is the IPVS engine's.
 */
import type { HoldfastConfig } from "../../core/config/model.ts";
import type { LvsEventBody } from "../../core/events/lvs-events.ts";
import type { IpAddress } from "../../core/lib/ip.ts";
import { compareIp } from "../../core/lib/ip.ts";
import { seconds } from "../../core/lib/units.ts";
import type { FileStanding } from "../../core/link/messages.ts";
import { NO_LVS, type VirtualServerConfig } from "../../core/lvs/config.ts";
import type { PoolEffect } from "../../core/lvs/effects.ts";
import type { WantedService, WantedTable } from "../../core/lvs/table.ts";
import type { MailAlert } from "../../core/notify/mail-alert.ts";
import { PLAIN_POLICY, type ScriptPolicy } from "../../ports/spawner.ts";
import type { Timer } from "../../ports/timers.ts";
import { scriptPolicy } from "../check-engine.ts";
import type { Part } from "../part.ts";
import type { ProbeContext, ProbeTools } from "./probe.ts";
import { type PoolHost, ServerPool } from "./server-pool.ts";
import { createServerScripts, type ServerScripts } from "./server-scripts.ts";

export interface ServerChecksOptions {
  readonly tools: ProbeTools;
  readonly publish: (body: LvsEventBody) => void;
  readonly tell: (told: { readonly line: string | null; readonly alert: MailAlert | null }) => void;
  /** The whole table, whenever it is another one. */
  readonly want: (table: WantedTable) => void;
}

export interface ServerChecks extends Part {
  /** Tracked files with another number. */
  files(standings: Readonly<Record<string, FileStanding>>): void;
  readonly pools: readonly ServerPool[];
  kill(): void;
}

/** How often ha_suspend looks for its addresses. */
const ADDRESS_INTERVAL = seconds(1);

export function createServerChecks(options: ServerChecksOptions): ServerChecks {
  return new Checks(options);
}

class Checks implements ServerChecks {
  readonly #options: ServerChecksOptions;
  readonly #scripts: ServerScripts;
  #pools = new Map<string, ServerPool>();
  #config = NO_LVS;
  #policy: ScriptPolicy = PLAIN_POLICY;
  readonly #files = new Map<string, number>();
  #addresses: Timer | null = null;
  #dirty = false;
  #asked: readonly WantedService[] = [];
  #passphrase: string | null = null;
  /** The same for all checks of one configuration: thousands of runs a second ask for it. */
  #probing: ProbeContext | null = null;

  constructor(options: ServerChecksOptions) {
    this.#options = options;
    this.#scripts = createServerScripts(options.tools.commands, options.publish);
  }

  get pools(): readonly ServerPool[] {
    return [...this.#pools.values()];
  }

  configure(config: HoldfastConfig): void {
    this.#config = config.lvs;
    this.#policy = scriptPolicy(config);
    this.#passphrase = config.lvs.ssl?.password ?? null;
    this.#probing = null;
    const before = this.#pools;
    this.#pools = new Map();
    const names = new Set(config.lvs.servers.map(({ name }) => name));
    for (const [name, pool] of before) if (!names.has(name)) pool.end(false);
    for (const server of config.lvs.servers) {
      const known = before.get(server.name);
      if (known === undefined) {
        const order = { config: server, files: this.#files, enabled: this.#isThere(server) };
        this.#pools.set(server.name, new ServerPool(this.#host(), order));
      } else {
        this.#pools.set(server.name, known);
        known.adopt(server, this.#files);
      }
    }
    this.#watchAddresses();
    this.#dirty = true;
    this.#want();
  }

  files(standings: Readonly<Record<string, FileStanding>>): void {
    for (const [name, { value }] of Object.entries(standings)) {
      this.#files.set(name, value);
      for (const pool of this.#pools.values()) pool.fileChanged(name, value);
    }
    this.#want();
  }

  stop(): void {
    this.#addresses?.cancel();
    for (const pool of this.#pools.values()) pool.quiet();
  }

  /** Down notifiers run while the addresses are gone already, as in keepalived. */
  async stopped(): Promise<void> {
    for (const pool of this.#pools.values()) pool.end(true);
    this.#pools.clear();
    await this.#scripts.idle();
  }

  kill(): void {
    this.#scripts.kill();
  }

  #host(): PoolHost {
    const { tools, publish } = this.#options;
    return {
      timers: tools.commands.timers,
      context: () => {
        this.#probing ??= this.#context();
        return this.#probing;
      },
      rules: () => ({
        initNotifies: this.#config.options.initNotifies,
        noCheckerMail: this.#config.options.noCheckerMail,
      }),
      publish,
      carryOut: (service, effect) => this.#carryOut(service, effect),
      onTable: () => this.#soon(),
    };
  }

  #context(): ProbeContext {
    const { ssl } = this.#config;
    const tls = {
      ca: ssl?.ca ?? null,
      certificate: ssl?.certificate ?? null,
      key: ssl?.key ?? null,
      passphrase: this.#passphrase,
    };
    return { ...this.#options.tools, policy: this.#policy, tls };
  }

  #carryOut(service: string, effect: PoolEffect): void {
    if (effect.kind === "script") this.#scripts.run({ ...effect, service }, this.#policy);
    else if (effect.kind === "line") this.#options.tell({ line: effect.line, alert: null });
    else if (effect.kind === "mail") this.#options.tell({ line: null, alert: effect.alert });
  }

  /** What changes in one turn of the loop is one order to the kernel, yet never later than that. */
  #soon(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    queueMicrotask(() => this.#want());
  }

  #want(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    const table = [...this.#pools.values()].flatMap((pool) => pool.wanted());
    const same = table.length === this.#asked.length && table.every((service, at) => service === this.#asked[at]);
    this.#asked = table;
    if (!same) this.#options.want(table);
  }

  #isThere({ haSuspend, target }: VirtualServerConfig): boolean {
    return !haSuspend || addressesOf(target).some((range) => this.#hasOneOf(range));
  }

  #hasOneOf({ first, last }: Range): boolean {
    const { port } = this.#options.tools;
    return first === last ? port.hasAddress(first) : port.addresses().some((one) => within(one, first, last));
  }

  #watchAddresses(): void {
    this.#addresses?.cancel();
    this.#addresses = null;
    if (!this.#config.servers.some(({ haSuspend }) => haSuspend)) return;
    this.#addresses = this.#options.tools.commands.timers.schedule(ADDRESS_INTERVAL, () => {
      for (const pool of this.#pools.values()) if (pool.config.haSuspend) pool.enable(this.#isThere(pool.config));
      this.#watchAddresses();
    });
  }
}

interface Range {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

function addressesOf(target: VirtualServerConfig["target"]): readonly Range[] {
  if (target.kind === "address") return [{ first: target.address, last: target.address }];
  if (target.kind === "fwmark") return [];
  return target.group.entries.flatMap((entry) => (entry.kind === "range" ? [entry] : []));
}

const within = (one: IpAddress, first: IpAddress, last: IpAddress): boolean =>
  one.includes(":") === first.includes(":") && compareIp(first, one) <= 0 && compareIp(one, last) <= 0;
