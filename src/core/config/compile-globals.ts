/** global_defs: the daemon's own options, and the defaults that instances fall back to. */

import { type IpAddress, isMulticast } from "../lib/ip.ts";
import { micros } from "../lib/units.ts";
import { parseOwner } from "./command.ts";
import { compileDaemon } from "./compile-daemon.ts";
import { readGarpDefaults } from "./compile-garp.ts";
import { compileNotify, noticeDefaults } from "./compile-notify.ts";
import { compileProcess } from "./compile-process.ts";
import { readBufferPolicy } from "./compile-receive.ts";
import { readVirtualDefaults } from "./compile-virtual.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { addressOfFamily, type FamilyContext } from "./family.ts";
import type { InstanceDefaults } from "./instance-defaults.ts";
import type { GlobalConfig, ScriptUser } from "./model.ts";
import type { Settings } from "./settings.ts";
import { readSettings } from "./settings.ts";
import type { Node } from "./tree.ts";

export interface CompiledGlobals {
  readonly global: GlobalConfig;
  readonly defaults: InstanceDefaults;
  /** All of global_defs, for what other parts of the configuration take from it. */
  readonly globals: Settings;
}

/** RFC 9568 sections 5.1.1.2 and 5.1.2.2. */
const VRRP_GROUPS = { 4: "224.0.0.18" as IpAddress, 6: "ff02::12" as IpAddress } as const;

/** A multicast group of the wanted family; null when the keyword is missing or names another kind of address. */
export function readGroup(settings: Settings, keyword: string, context: FamilyContext): IpAddress | null {
  const group = addressOfFamily(settings, keyword, context);
  if (group === null) return null;
  const { family, diagnostics } = context;
  if (isMulticast(group) && (family === 4 || keyword !== "mcast_dst_ip" || staysOnLink(group))) {
    if (family === 6 && !staysOnLink(group)) wideGroup(settings, keyword, context);
    return group;
  }
  diagnostics.report(
    "bad-address",
    settings.node(keyword)?.span ?? null,
    `${keyword} ${group} is no ${family === 4 ? "" : "link-local "}multicast address and is ignored`,
    family === 4
      ? `write an address from 224.0.0.0 to 239.255.255.255, usually ${VRRP_GROUPS[4]}`
      : `write an address from ff02:: to ff02:ffff:ffff:ffff:ffff:ffff:ffff:ffff, usually ${VRRP_GROUPS[6]}`,
  );
  return null;
}

/** ffX2::/16 (RFC 4291 section 2.7): routers do not pass it on. */
const staysOnLink = (group: IpAddress): boolean => /^ff[0-9a-f]2:/.test(group);

/** keepalived refuses such a group in mcast_dst_ip, and only complains of it in vrrp_mcast_group6. */
function wideGroup(settings: Settings, keyword: string, { diagnostics }: FamilyContext): void {
  const span = settings.node(keyword)?.span ?? null;
  const message = `${keyword} ${settings.text(keyword)} does not stay on the link: routers may pass the adverts on`;
  diagnostics.report("group-not-on-link", span, message, `write an address of ff02::/16, usually ${VRRP_GROUPS[6]}`);
}

function readScriptUser(settings: Settings): ScriptUser | null {
  const node = settings.node("script_user");
  const { user, group } = parseOwner(settings.words("script_user").map((word) => word.text));
  return node === null || user === null ? null : { user, group, span: node.span };
}

export function compileGlobals(blocks: readonly Node[], diagnostics: DiagnosticSink): CompiledGlobals {
  const settings = readSettings(
    blocks.flatMap((node) => node.block ?? []),
    "global_defs",
    diagnostics,
  );
  return {
    globals: settings,
    global: {
      routerId: settings.text("router_id"),
      scriptUser: readScriptUser(settings),
      enableScriptSecurity: settings.has("enable_script_security"),
      dynamicInterfaces: settings.has("dynamic_interfaces"),
      startupDelay: settings.duration("vrrp_startup_delay") ?? micros(0),
      delayAfterBoot: settings.duration("vrrp_delay_after_boot") ?? micros(0),
      childWaitTime: null,
      ...compileDaemon(settings, diagnostics),
      ...compileNotify(settings, diagnostics),
      ...compileProcess(settings, diagnostics),
    },
    defaults: {
      version: settings.number("vrrp_version") === 3 ? 3 : 2,
      groups: {
        4: readGroup(settings, "vrrp_mcast_group4", { name: "global_defs", family: 4, diagnostics }) ?? VRRP_GROUPS[4],
        6: readGroup(settings, "vrrp_mcast_group6", { name: "global_defs", family: 6, diagnostics }) ?? VRRP_GROUPS[6],
      },
      ...readGarpDefaults(settings, diagnostics),
      lowerPrioNoAdvert: settings.flag("vrrp_lower_prio_no_advert") ?? false,
      higherPrioSendAdvert: settings.flag("vrrp_higher_prio_send_advert") ?? true,
      checkUnicastSource: settings.flag("vrrp_check_unicast_src") ?? false,
      downTimerAdverts: settings.number("vrrp_down_timer_adverts") ?? 3,
      ownerIgnoreAdverts: settings.flag("vrrp_owner_ignore_adverts") ?? false,
      v3ChecksumAsV2: settings.flag("v3_checksum_as_v2") ?? false,
      notices: noticeDefaults(settings),
      skipCheckAdvAddr: settings.flag("vrrp_skip_check_adv_addr") ?? false,
      logUnknownVrids: settings.has("log_unknown_vrids"),
      receiveBuffer: readBufferPolicy(settings, diagnostics),
      strict: settings.flag("vrrp_strict") ?? false,
      virtual: readVirtualDefaults(settings, diagnostics),
    },
  };
}
