/** Gratuitous ARP and neighbour advertisements: bursts, refresh, other interfaces; global defaults and the instance's own. */
import { type Micros, micros, seconds } from "../lib/units.ts";
import type { Garp } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { InstanceDefaults } from "./instance-defaults.ts";
import type { Settings } from "./settings.ts";
import { parseSeconds, rename, wordSpan } from "./settings.ts";

type GarpDefaults = Pick<InstanceDefaults, "garp" | "lowerPrioGiven">;

export function readGarpDefaults(settings: Settings, diagnostics: DiagnosticSink): GarpDefaults {
  const least = settings.flag("vrrp_min_garp") ?? false;
  const delay = settings.duration("vrrp_garp_master_delay") ?? seconds(least ? 0 : 5);
  const repeat = settings.number("vrrp_garp_master_repeat") ?? (least ? 1 : 5);
  const lowerDelay = settings.duration("vrrp_garp_lower_prio_delay");
  const lowerRepeat = settings.number("vrrp_garp_lower_prio_repeat");
  return {
    garp: {
      delay,
      repeat,
      refresh: settings.duration("vrrp_garp_master_refresh") ?? micros(0),
      refreshRepeat: settings.number("vrrp_garp_master_refresh_repeat") ?? 1,
      lowerPrioDelay: lowerDelay ?? delay,
      lowerPrioRepeat: lowerRepeat ?? repeat,
      ...(readExtra(settings, "vrrp_garp_extra_if", diagnostics) ?? NO_EXTRA),
    },
    lowerPrioGiven: { delay: lowerDelay !== null, repeat: lowerRepeat !== null },
  };
}

export function readGarp(settings: Settings, defaults: GarpDefaults, diagnostics: DiagnosticSink): Garp {
  const { garp, lowerPrioGiven } = defaults;
  const delay = settings.duration("garp_master_delay") ?? garp.delay;
  const repeat = settings.number("garp_master_repeat") ?? garp.repeat;
  const { extraPeriod, extraAll } = readExtra(settings, "garp_extra_if", diagnostics) ?? garp;
  return {
    delay,
    repeat,
    refresh: settings.duration("garp_master_refresh") ?? garp.refresh,
    refreshRepeat: settings.number("garp_master_refresh_repeat") ?? garp.refreshRepeat,
    lowerPrioDelay: settings.duration("garp_lower_prio_delay") ?? (lowerPrioGiven.delay ? garp.lowerPrioDelay : delay),
    lowerPrioRepeat:
      settings.number("garp_lower_prio_repeat") ?? (lowerPrioGiven.repeat ? garp.lowerPrioRepeat : repeat),
    extraPeriod,
    extraAll,
  };
}

type Extra = Pick<Garp, "extraPeriod" | "extraAll">;

const NO_EXTRA: Extra = { extraPeriod: 0 as Micros, extraAll: false };
const A_DAY = 86_400_000_000;

/** `[all] SECONDS`. */
function readExtra(settings: Settings, keyword: string, diagnostics: DiagnosticSink): Extra | null {
  const node = settings.node(keyword);
  if (node === null) return null;
  const [first, second] = node.args;
  const all = first?.text === "all";
  const word = all ? second : first;
  const period = word === undefined ? null : parseSeconds(word.text);
  const whole = period !== null && period % 1_000_000 === 0;
  if (node.keyword !== keyword) {
    const message = `\`${node.keyword}\` is the old name of ${keyword}`;
    const text = `write ${keyword} [all] SECONDS`;
    diagnostics.report("deprecated-name", node.span, message, { text, fix: rename(node, keyword) });
  }
  if (whole && period <= A_DAY) return { extraPeriod: micros(period), extraAll: all };
  const span = word === undefined ? node.span : wordSpan(node, word);
  const remedy = `write ${keyword} [all] SECONDS, whole seconds from 0 to 86400`;
  diagnostics.report("bad-value", span, `\`${keyword}\` needs whole seconds and is ignored`, remedy);
  return null;
}
