/**
 * strict_mode and vrrp_strict: holds an instance to the RFC of its version, as keepalived 2.2.7 does: what does not fit is reset, and
 * the config test fails for it. The one thing strict mode does that operators rarely want is to close the addresses unless the
 * priority is 255; lint.ts says so loudly.
 */
import { micros } from "../lib/units.ts";
import { DEFAULT_FIREWALL } from "../nftables/ruleset.ts";
import type { VrrpInstanceConfig } from "../vrrp/config.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { Settings } from "./settings.ts";

const OWNER = 255;
const RFC_DOWN_ADVERTS = 3;

/** `strict` tells whether strict mode holds for this instance. */
export function isStrict(settings: Settings, globally: boolean): boolean {
  return settings.flag("strict_mode") ?? globally;
}

export function withStrictMode(
  vrrp: VrrpInstanceConfig,
  settings: Settings,
  diagnostics: DiagnosticSink,
): VrrpInstanceConfig {
  for (const [keyword, applies, what] of misfits(vrrp, settings)) {
    if (!applies) continue;
    const span = settings.node(keyword)?.span ?? null;
    diagnostics.report("strict-reset", span, `${vrrp.name}: ${what}`, "remove the line, or write strict_mode off");
  }
  const owner = vrrp.priority === OWNER;
  const open = owner || (settings.has("accept") && vrrp.version === 3);
  return {
    ...vrrp,
    initialState: owner ? "MASTER" : "BACKUP",
    authentication: { kind: "none" },
    preemptDelay: micros(0),
    downTimerAdverts: RFC_DOWN_ADVERTS,
    lowerPrioNoAdvert: true,
    higherPrioSendAdvert: false,
    ownerIgnoreAdverts: true,
    garp: { ...vrrp.garp, lowerPrioRepeat: 0 },
    filter: open ? null : { settings: DEFAULT_FIREWALL, closed: true, localReports: "moved" },
  };
}

/** Keyword, whether it does not fit, and what becomes of it. */
type Misfit = readonly [keyword: string, applies: boolean, what: string];

function misfits(vrrp: VrrpInstanceConfig, settings: Settings): readonly Misfit[] {
  const owner = vrrp.priority === OWNER;
  const state = settings.text("state");
  const ownMac = settings.words("use_vmac").some(({ text }) => text.includes(":"));
  const sendsFirst = vrrp.higherPrioSendAdvert && settings.has("higher_prio_send_advert");
  const accepts = settings.has("accept") && vrrp.version === 2 && !owner;
  return [
    [
      "state",
      state !== null && (state === "MASTER") !== owner,
      "in strict mode `state MASTER` belongs to priority 255, and to it alone; the state follows the priority",
    ],
    ["authentication", vrrp.authentication.kind !== "none", "strict mode has no authentication; it is not used"],
    ["preempt_delay", vrrp.preemptDelay > 0, "strict mode has no preempt_delay; it is 0"],
    ["down_timer_adverts", vrrp.downTimerAdverts !== RFC_DOWN_ADVERTS, "strict mode waits for 3 adverts"],
    [
      "garp_lower_prio_repeat",
      (settings.number("garp_lower_prio_repeat") ?? 0) > 0,
      "strict mode announces nothing against a lower priority",
    ],
    [
      "lower_prio_no_advert",
      settings.flag("lower_prio_no_advert") === false,
      "strict mode does not answer a lower priority",
    ],
    ["higher_prio_send_advert", sendsFirst, "strict mode sends no advert before it yields"],
    ["vmac_xmit_base", settings.has("vmac_xmit_base"), "strict mode sends adverts from the virtual MAC"],
    ["use_vmac", ownMac, "strict mode has the virtual MAC of the RFC; the one given is not used"],
    ["virtual_ipaddress", vrrp.advertised.length === 0, "strict mode needs an address in virtual_ipaddress"],
    ["accept", accepts, "version 2 has no accept mode (RFC 3768): in strict mode the addresses are closed"],
  ];
}
