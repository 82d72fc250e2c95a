/** How long each instance is without an owner when something breaks, in words: what the file promises, computed from its own numbers. */
import { FENCE_LATENESS } from "../vrrp/fence.ts";
import { masterDownInterval, skewTime } from "../vrrp/timers.ts";
import { quorumLines } from "./lint-quorum.ts";
import type { HoldfastConfig } from "./model.ts";

const MICROS = 1e6;
const text = (micros: number): string => `${Number((micros / MICROS).toFixed(2))} s`;

export interface Budget {
  readonly instance: string;
  /** Micros until a backup of the same priority has replaced a host that died without a word. */
  readonly deadHost: number;
  /** Micros after its last advert until a host that froze is silent for clients: `fence strict`, absent without it. */
  readonly silent?: number;
  /** Micros after an orderly stop. */
  readonly orderly: number;
  /** Micros that `claim_probe` adds to every claim at most; absent without it. */
  readonly probe?: number;
  /** Checks that make the instance FAULT, with what passes at most until they have noticed. */
  readonly checks: readonly { readonly name: string; readonly noticed: number }[];
}

export function budgets({ instances, scripts }: HoldfastConfig): readonly Budget[] {
  return instances.map(({ vrrp, claimProbe }) => {
    const { priority, advertInterval } = vrrp;
    const checks = vrrp.trackScripts.flatMap(({ key, weight }) => {
      const script = scripts.find(({ name }) => name === key || key.startsWith(`${name}@`));
      if (script === undefined || weight !== 0) return [];
      // It breaks right after a good run; the last of the bad ones may take its whole time.
      return [{ name: script.name, noticed: script.fall * script.interval + script.timeout }];
    });
    return {
      instance: vrrp.name,
      deadHost: masterDownInterval(vrrp, priority, advertInterval),
      orderly: skewTime(vrrp, priority, advertInterval),
      ...(vrrp.fenceSpan === null ? {} : { silent: vrrp.fenceSpan + FENCE_LATENESS }),
      ...(claimProbe == null ? {} : { probe: claimProbe }),
      checks,
    };
  });
}

export function budgetLines(config: HoldfastConfig): readonly string[] {
  const lines = budgets(config).flatMap(({ instance, deadHost, silent, orderly, probe, checks }) => [
    `${instance}: a dead host is replaced after ${text(deadHost)}, one that stops in order after ${text(orderly)}`,
    ...(silent === undefined
      ? []
      : [
          `${instance}: fence strict: a host whose daemon is frozen or killed answers nobody ${text(silent)} after its last advert, whether its addresses are gone by then or not`,
        ]),
    ...(probe === undefined
      ? []
      : [`${instance}: claim_probe adds ${text(probe)} to each of them: so long others are asked for the addresses`]),
    ...checks.map(
      ({ name, noticed }) =>
        `${instance}: a service that dies is given up ${text(noticed)} later at most (check ${name}), and taken over ${text(orderly)} after that`,
    ),
  ]);
  return [...lines, ...quorumLines(config)];
}
