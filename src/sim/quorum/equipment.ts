/**
 * What the daemon of a simulated host has of its managed group: the production gate and record of the quorum store over a modelled one. Its server is a
 * mood: what is behind the grant says yes after a while, or no, and takes its time to close.
 */

import type { HoldfastConfig } from "../../core/config/model.ts";
import type { DatabaseStanding } from "../../core/database/standing.ts";
import type { HoldfastEventBody } from "../../core/events/vocabulary.ts";
import { QuorumGate } from "../../engine/quorum/quorum-gate.ts";
import type { DatabaseEquipment } from "../control-model.ts";
import type { Prng } from "../prng.ts";
import type { World } from "../world.ts";
import { StoreLine, type StoreSite } from "./store-line.ts";

export interface QuorumParts {
  /** There is none yet while the world is made. */
  readonly scene: () => { readonly site: StoreSite; readonly world: World };
  readonly node: number;
  readonly config: HoldfastConfig;
  readonly prng: Prng;
  /** How likely the server is to refuse a claim now. */
  readonly refuses: () => number;
  readonly opened: (line: StoreLine) => void;
  /** How an operator reaches the daemon that runs now. */
  readonly started: (overrule: () => string | null) => void;
  readonly said: (body: HoldfastEventBody) => void;
  /** It takes writes, or does not any more. */
  readonly server: (open: boolean) => void;
  readonly permitted: (until: number | null) => void;
}

export const SERVER = "cache";
export const INSTANCE = "VI_1";
const OPENS_MIN = 500;
const OPENS_MAX = 2_000_000;
const CLOSES_MAX = 400_000;
const FINE: DatabaseStanding = { always: null, standby: null };

export function equipQuorum(parts: QuorumParts): DatabaseEquipment {
  const { scene, node, config, prng } = parts;
  let lives = 0;
  return {
    config,
    make: ({ timers, act, dead }, links) => {
      const { site, world } = scene();
      const later = (micros: number, action: () => void): void =>
        void timers.schedule(micros as Parameters<typeof timers.schedule>[0], action);
      parts.server(false);
      const life = `node ${node + 1}, life ${++lives}`;
      let standing = FINE;
      let closed: Promise<void> = Promise.resolve();
      const close = (): void => {
        closed = new Promise((resolve) =>
          later(prng.between(0, CLOSES_MAX), () => {
            parts.server(false);
            resolve();
          }),
        );
      };
      const note = (body: HoldfastEventBody): void => {
        world.trace.add(world.now, `node ${node + 1}`, "quorum", body);
        parts.said(body);
      };
      const gate = new QuorumGate({
        timers,
        quorum: {
          port: {
            open: ({ timeout }) => {
              const line = new StoreLine(site, { node, later, act, dead }, timeout);
              parts.opened(line);
              return line;
            },
          },
          host: `node ${node + 1}`,
          life,
        },
        publish: note,
        answer: links.answer,
        next: ({ instance, gate: number, which }) => {
          const refuses = which === "claim" && prng.chance(parts.refuses());
          const reason = refuses ? "the server is not fit" : "";
          later(prng.logBetween(OPENS_MIN, OPENS_MAX), () => {
            const answer = gate.answered({ instance, gate: number, opened: !refuses, reason });
            if (which === "claim" && answer.opened) parts.server(true);
            links.answer(answer);
          });
        },
        withdraw: () => close(),
        permit: (instance, until) => {
          parts.permitted(until);
          links.order({ type: "permit", instance, until });
        },
        forbid: (_instance, detail) => {
          standing = detail === null ? FINE : { always: { kind: "no-quorum", detail }, standby: null };
          links.tell({ redis: { [SERVER]: standing } });
        },
        retry: (instance) => links.order({ type: "retry-claim", instance }),
        closed: () => closed,
      });
      parts.started(() => (dead() ? "the daemon is dead" : gate.overrule(INSTANCE)));
      return {
        configure: (wanted) => gate.configure(wanted),
        guard: () => null,
        standings: () => ({ redis: { [SERVER]: standing }, mysql: {} }),
        ask: (question) => gate.ask(question),
        cancel: (instance, number) => {
          close();
          gate.cancel(instance, number);
        },
        cancelAll: () => {
          close();
          gate.cancelAll();
        },
        entered: (instance, state) => {
          if (state !== "MASTER") close();
          gate.entered(instance, state);
        },
        rival: () => undefined,
        stop: () => undefined,
        killed: () => undefined,
      };
    },
  };
}
