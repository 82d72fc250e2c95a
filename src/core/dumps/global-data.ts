/**
 * The section "Global definitions" of keepalived's data dumps: what keepalived 2.2.7 prints, in its order. What a keyword
 * that has no effect here would have set is printed as keepalived's default, because that is what is in force.
 */
import type { HoldfastConfig } from "../config/model.ts";
import { type DumpInput, type DumpText, trueFalse } from "./input.ts";

/** What keepalived prints for a number that was not given (the parent has not resolved defaults yet). */
const UNSET = 4_294_967_295;

/** `parent`: as the parent process prints it, before instances have taken their defaults. */
export function globalData(text: DumpText, input: DumpInput, parent: boolean): void {
  const { config } = input;
  text.section("Global definitions");
  identity(text, input, parent);
  announcements(text, config, parent);
  protocol(text, config);
  for (const name of ["VRRP", "Checker", "BFD"]) scheduling(text, name);
  services(text, config);
  buffers(text, input);
}

function identity(text: DumpText, { config, hostName }: DumpInput, parent: boolean): void {
  const { global } = config;
  text.field(0, "Network namespace", "(default)");
  text.field(0, "Network namespace ipvs", "(main namespace)");
  text.field(0, "Router ID", global.routerId ?? hostName);
  text.field(0, "Default smtp_alert", "unset");
  text.field(0, "Default smtp_alert_vrrp", "unset");
  text.field(0, "Default smtp_alert_checker", "unset");
  text.field(0, "Checkers log all failures", "false");
  // Ours always is; the line says what a script would find out: that a bad file does no harm.
  text.line(0, "Test config before reload");
  if (global.dumps.useInstance) text.line(0, "Use instance name in data dumps");
  text.field(0, "Dynamic interfaces", "false");
  if (!parent) text.field(0, "Default interface", "eth0");
  text.field(0, "Disable local IGMP", "no");
  text.field(0, "LVS flush", "false");
  text.field(0, "LVS flush on stop", "disabled");
  text.field(0, "FIFO write vrrp states on reload", "false");
  text.field(0, "VRRP notify priority changes", "false");
}

function announcements(text: DumpText, { defaults }: HoldfastConfig, parent: boolean): void {
  const { garp, lowerPrioGiven } = defaults;
  const lower = (given: boolean, value: number): number => (parent && !given ? UNSET : value);
  text.field(0, "VRRP IPv4 mcast group", defaults.groups[4]);
  text.field(0, "VRRP IPv6 mcast group", defaults.groups[6]);
  text.field(0, "Gratuitous ARP delay", garp.delay / 1e6);
  text.field(0, "Gratuitous ARP repeat", garp.repeat);
  text.field(0, "Gratuitous ARP refresh timer", garp.refresh / 1e6);
  text.field(0, "Gratuitous ARP refresh repeat", garp.refreshRepeat);
  text.field(0, "Gratuitous ARP lower priority delay", lower(lowerPrioGiven.delay, garp.lowerPrioDelay / 1e6));
  text.field(0, "Gratuitous ARP lower priority repeat", lower(lowerPrioGiven.repeat, garp.lowerPrioRepeat));
}

function protocol(text: DumpText, { defaults }: HoldfastConfig): void {
  text.field(0, "Num adverts before down", defaults.downTimerAdverts);
  text.field(0, "Gratuitous ARP for each secondary VMAC", "0s");
  text.field(0, "Send advert after receive lower priority advert", trueFalse(!defaults.lowerPrioNoAdvert));
  text.field(0, "Send advert after receive higher priority advert", trueFalse(defaults.higherPrioSendAdvert));
  text.field(0, "Gratuitous ARP interval", "0.000000");
  text.field(0, "Gratuitous NA interval", "0.000000");
  text.field(0, "VRRP default protocol version", defaults.version);
  text.line(0, "nftables without counters");
  text.field(0, "VRRP check unicast_src", trueFalse(defaults.checkUnicastSource));
  text.field(0, "VRRP skip check advert addresses", "false");
  text.field(0, "VRRP strict mode", "false");
  text.field(0, "Max auto priority", 0);
  text.field(0, "Min auto priority delay", "1000000 usecs");
}

function scheduling(text: DumpText, name: string): void {
  text.field(0, `${name} process priority`, 0);
  text.field(0, `${name} don't swap`, "false");
  text.field(0, `${name} realtime priority`, 0);
  text.field(0, `${name} realtime limit`, 10_000);
}

function services(text: DumpText, { global }: HoldfastConfig): void {
  for (const name of ["vrrp", "checker", "RFCv2", "RFCv3", "traps"]) text.line(0, `SNMP ${name} disabled`);
  text.field(0, "SNMP socket", "default (unix:/var/agentx/master)");
  text.line(0, "DBus disabled");
  text.field(0, "DBus service name", "");
  text.line(0, `Script security ${global.enableScriptSecurity ? "enabled" : "disabled"}`);
  const { user, group } = global.scriptUser ?? { user: "0", group: null };
  const number = (name: string): string => (name === "root" ? "0" : name);
  text.line(0, `Default script uid:gid ${number(user)}:${number(group ?? user)}`);
}

const BUFFERS = [
  "vrrp_netlink_cmd",
  "vrrp_netlink_monitor",
  "process_monitor",
  "lvs_netlink_cmd",
  "lvs_netlink_monitor",
];

function buffers(text: DumpText, { umask }: DumpInput): void {
  for (const name of BUFFERS) {
    text.field(0, `${name}_rcv_bufs`, 0);
    text.field(0, `${name}_rcv_bufs_force`, 0);
  }
  text.field(0, "rs_init_notifies", 0);
  text.field(0, "no_checker_emails", 0);
  text.field(0, "rx_bufs_multiples", 3);
  text.field(0, "umask", `0${umask.toString(8)}`);
}
