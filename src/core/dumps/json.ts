/**
 * `keepalived.json`: keys, types and order of keepalived's JSON dump, which exporters parse. Version 1 is the bare list of
 * instances, version 2 an object with it under "vrrp" (json_version of 2.3.2 and later). Passwords are not in it: where
 * keepalived writes the password, `auth_data` holds asterisks.
 */
import type { Command } from "../config/model.ts";
import type { HookKind } from "../events/vocabulary.ts";
import type { DumpInput } from "./input.ts";
import { routeText, ruleText } from "./routing-text.ts";
import { keepalivedCounters } from "./stats.ts";
import {
  addressText,
  baseKey,
  commandText,
  type InstanceRow,
  instanceRows,
  lowerPriorityDelay,
  ownInterface,
  STATE_NUMBERS,
  wallSeconds,
} from "./words.ts";

/** JSON has one kind of number; these keep the digits that keepalived prints. */
class Literal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | boolean | Literal | readonly string[];

const SCRIPTS: readonly (readonly [string, HookKind])[] = [
  ["script_backup", "notify_backup"],
  ["script_master", "notify_master"],
  ["script_fault", "notify_fault"],
  ["script_stop", "notify_stop"],
  ["script_master_rx_lower_pri", "notify_master_rx_lower_pri"],
  ["script", "notify"],
];

export function renderJson(input: DumpInput): string {
  const rows = instanceRows(input).map(
    (row) => `{"data":${objectText(dataOf(input, row))},"stats":${objectText(statsOf(row))}}`,
  );
  const list = `[${rows.join(",")}]`;
  return input.config.global.dumps.jsonVersion === 2 ? `{"vrrp":${list}}` : list;
}

function objectText(fields: readonly (readonly [string, Value])[]): string {
  const texts = fields.map(
    ([name, value]) => `${JSON.stringify(name)}:${value instanceof Literal ? value.text : JSON.stringify(value)}`,
  );
  return `{${texts.join(",")}}`;
}

const statsOf = ({ status }: InstanceRow): readonly (readonly [string, Value])[] =>
  Object.entries(keepalivedCounters(status.counters));

const bit = (value: boolean): number => (value ? 1 : 0);
const wholeSeconds = (micros: number): number => Math.floor(micros / 1e6);

function dataOf(input: DumpInput, row: InstanceRow): readonly (readonly [string, Value])[] {
  const { vrrp, status, notices, written } = row;
  const own = ownInterface(row);
  const { garp } = vrrp;
  return [
    ["iname", vrrp.name],
    ["dont_track_primary", bit(vrrp.dontTrackPrimary)],
    ["skip_check_adv_addr", bit(vrrp.receive.skipCheckAdvAddr)],
    ["strict_mode", bit(written.strict)],
    ["vmac_ifname", own?.name ?? ""],
    ["ifp_ifname", own?.name ?? vrrp.interface],
    ["master_priority", status.master?.priority ?? 0],
    ["last_transition", new Literal(wallSeconds(input, status.since))],
    ["garp_delay", garp.delay / 1e6],
    ["garp_refresh", wholeSeconds(garp.refresh)],
    ["garp_rep", garp.repeat],
    ["garp_refresh_rep", garp.refreshRepeat],
    ["garp_lower_prio_delay", Math.floor(lowerPriorityDelay(row))],
    ["garp_lower_prio_rep", garp.lowerPrioRepeat],
    ["lower_prio_no_advert", bit(vrrp.lowerPrioNoAdvert)],
    ["higher_prio_send_advert", bit(vrrp.higherPrioSendAdvert)],
    ["vrid", vrrp.virtualRouterId],
    ["base_priority", status.basePriority],
    ["effective_priority", status.priority],
    ["vipset", status.holding],
    ["promote_secondaries", vrrp.promoteSecondaries],
    ["adver_int", vrrp.advertInterval / 1e6],
    ["master_adver_int", status.timers.masterAdvertInterval / 1e6],
    ["accept", bit(vrrp.filter?.closed !== true)],
    ["nopreempt", !vrrp.preempt],
    ["preempt_delay", wholeSeconds(vrrp.preemptDelay)],
    ["state", STATE_NUMBERS[status.state]],
    ["wantstate", STATE_NUMBERS[status.state]],
    ["version", vrrp.version],
    ["smtp_alert", notices.mail],
    ["notify_deleted", notices.deleted],
    ...scriptsOf(row),
    ...listsOf(input, row),
    ...authOf(row),
  ];
}

function scriptsOf({ hooks }: InstanceRow): readonly (readonly [string, Value])[] {
  return SCRIPTS.flatMap(([name, kind]): (readonly [string, Value])[] => {
    const command: Command | undefined = hooks[kind];
    return command === undefined ? [] : [[name, commandText(command)]];
  });
}

/** keepalived leaves a list out when it is empty. */
function listsOf(input: DumpInput, row: InstanceRow): readonly (readonly [string, Value])[] {
  const { vrrp, written } = row;
  const scripts = new Map(input.config.scripts.map((script) => [script.name, script]));
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["vips", vrrp.advertised.map((entry) => addressText(entry, row))],
    ["evips", vrrp.excluded.map((entry) => addressText(entry, row))],
    ["vroutes", vrrp.routes.map(routeText)],
    ["vrules", vrrp.rules.map(ruleText)],
    ["track_ifp", written.trackers.trackInterfaces.map(({ key }) => key)],
    [
      "track_script",
      written.trackers.trackScripts.flatMap(({ key }) => {
        const script = scripts.get(baseKey(key));
        return script === undefined ? [] : [commandText(script.command)];
      }),
    ],
  ];
  return lists.filter(([, values]) => values.length > 0);
}

function authOf({ vrrp }: InstanceRow): readonly (readonly [string, Value])[] {
  if (vrrp.authentication.kind === "none") return [["auth_type", 0]];
  return [
    ["auth_type", vrrp.authentication.kind === "ah" ? 2 : 1],
    ["auth_data", "********"],
  ];
}
