/**
 * The section "Global definitions" of keepalived's data dumps: what keepalived 2.2.7 prints, in its order. What a keyword
 * that has no effect here would have set is printed as keepalived's default, because that is what is in force.
 */
import type { FifoConfig, HoldfastConfig, MailConfig, TimedCommand } from "../config/model.ts";
import { sameValue } from "../lib/same-value.ts";
import type { KeeperSettings } from "../link/keeper-settings.ts";
import { DEFAULT_FIREWALL } from "../nftables/ruleset.ts";
import type { ReceiveBuffer } from "../routing/host.ts";
import { type DumpInput, type DumpText, trueFalse, yesNo } from "./input.ts";
import { commandText, numbersText, ownerText } from "./words.ts";

/** What keepalived prints for a number that was not given (the parent has not resolved defaults yet). */
const UNSET = 4_294_967_295;

/** `parent`: as the parent process prints it, before instances have taken their defaults. */
export function globalData(text: DumpText, input: DumpInput, parent: boolean): void {
  const { config } = input;
  text.section("Global definitions");
  identity(text, input, parent);
  announcements(text, config, parent);
  protocol(text, config, parent);
  scheduling(text, "VRRP", config.global.keeper);
  for (const name of ["Checker", "BFD"]) scheduling(text, name, null);
  services(text, input);
  buffers(text, input);
}

function identity(text: DumpText, input: DumpInput, parent: boolean): void {
  const { config, hostName } = input;
  const { global, defaults } = config;
  text.field(0, "Network namespace", "(default)");
  text.field(0, "Network namespace ipvs", "(main namespace)");
  text.field(0, "Router ID", global.routerId ?? hostName);
  mail(text, global.mail, hostName);
  text.field(0, "Default smtp_alert", flagText(defaults.notices.mailGiven));
  text.field(0, "Default smtp_alert_vrrp", flagText(defaults.notices.mailGivenForVrrp));
  text.field(0, "Default smtp_alert_checker", "unset");
  text.field(0, "Checkers log all failures", "false");
  // Ours always is; the line says what a script would find out: that a bad file does no harm.
  text.line(0, "Test config before reload");
  if (global.dumps.useInstance) text.line(0, "Use instance name in data dumps");
  if (parent) {
    timed(text, input, "Startup script", global.startupScript);
    timed(text, input, "Shutdown script", global.shutdownScript);
  }
  text.field(0, "Dynamic interfaces", trueFalse(global.dynamicInterfaces));
  if (global.dynamicInterfaces) text.field(0, "Allow interface changes", "false");
  if (global.mail?.noFaults === true) text.field(0, "Send emails for fault transitions", "off");
  if (!parent) text.field(0, "Default interface", "eth0");
  text.field(0, "Disable local IGMP", yesNo(defaults.virtual.localReports === "silenced"));
  text.field(0, "LVS flush", "false");
  text.field(0, "LVS flush on stop", "disabled");
  for (const fifo of global.notify.fifos) pipe(text, input, fifo);
  text.field(0, "FIFO write vrrp states on reload", trueFalse(global.notify.statesOnReload));
  text.field(0, "VRRP notify priority changes", trueFalse(defaults.notices.priorityChanges));
}

const flagText = (flag: boolean | null): string => (flag === null ? "unset" : flag ? "on" : "off");

function mail(text: DumpText, config: MailConfig | null, hostName: string): void {
  if (config === null) return;
  text.field(0, "Smtp server", config.host);
  text.field(0, "Smtp server port", config.port);
  text.field(0, "Smtp HELO name", config.helo ?? hostName);
  text.field(0, "Smtp server connection timeout", config.connectTimeout / 1e6);
  text.field(0, "Email notification from", config.from ?? `keepalived@${hostName}`);
  text.line(0, "Email notification to:");
  for (const address of config.to) text.line(1, address);
}

function timed(text: DumpText, input: DumpInput, name: string, script: TimedCommand | null): void {
  if (script === null) return;
  const { command, timeout } = script;
  // keepalived's comma is missing in the second of the two.
  const comma = name === "Startup script" ? "," : "";
  const owner = `uid:gid ${ownerText(command, input)}`;
  text.field(0, name, `${commandText(command)}, ${owner}${comma} timeout ${timeout / 1e6}`);
}

const PIPE_NAMES = {
  notify_fifo: "Global notify fifo",
  vrrp_notify_fifo: "VRRP notify fifo",
  lvs_notify_fifo: "LVS notify fifo",
} as const;

function pipe(text: DumpText, input: DumpInput, { path, user, group, reader, keyword }: FifoConfig): void {
  const name = PIPE_NAMES[keyword];
  const owner = numbersText(user, group, input.accounts);
  text.field(0, name, `${path}, uid:gid ${owner}`);
  if (reader !== null) text.field(0, `${name} script`, `${commandText(reader)}, uid:gid ${ownerText(reader, input)}`);
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

function protocol(text: DumpText, { defaults, host, instances, global }: HoldfastConfig, parent: boolean): void {
  text.field(0, "Num adverts before down", defaults.downTimerAdverts);
  const extra = `Gratuitous ARP for each secondary ${defaults.garp.extraAll ? "i/f" : "VMAC"}`;
  text.field(0, extra, `${defaults.garp.extraPeriod / 1e6}s`);
  text.field(0, "Send advert after receive lower priority advert", trueFalse(!defaults.lowerPrioNoAdvert));
  text.field(0, "Send advert after receive higher priority advert", trueFalse(defaults.higherPrioSendAdvert));
  text.field(0, "Gratuitous ARP interval", (host.spacing.arp / 1e6).toFixed(6));
  text.field(0, "Gratuitous NA interval", (host.spacing.na / 1e6).toFixed(6));
  text.field(0, "VRRP default protocol version", defaults.version);
  const { firewall } = defaults.virtual;
  if (!sameValue(firewall, DEFAULT_FIREWALL) || (!parent && instances.some(({ vrrp }) => vrrp.filter !== null))) {
    text.field(0, "nftables table name", firewall.table);
    text.field(0, "nftables base chain priority", firewall.priority);
    text.line(0, "nftables don't force use ifindex for link local IPv6");
  }
  text.line(0, `nftables with${firewall.counters ? "" : "out"} counters`);
  text.field(0, "VRRP check unicast_src", trueFalse(defaults.checkUnicastSource));
  text.field(0, "VRRP skip check advert addresses", trueFalse(defaults.skipCheckAdvAddr));
  text.field(0, "VRRP strict mode", trueFalse(defaults.strict));
  text.field(0, "Max auto priority", global.keeper.autoRealtimeMax);
  text.field(0, "Min auto priority delay", `${global.keeper.autoRealtimeDelay} usecs`);
}

/** Ours have one process with settings, the keeper. */
function scheduling(text: DumpText, name: string, settings: KeeperSettings | null): void {
  text.field(0, `${name} process priority`, settings?.nice ?? 0);
  text.field(0, `${name} don't swap`, trueFalse(settings?.lockMemory ?? false));
  text.field(0, `${name} realtime priority`, settings?.realtime ?? 0);
  text.field(0, `${name} realtime limit`, settings?.realtimeLimit ?? 10_000);
}

function services(text: DumpText, input: DumpInput): void {
  const { global } = input.config;
  for (const name of ["vrrp", "checker", "RFCv2", "RFCv3", "traps"]) text.line(0, `SNMP ${name} disabled`);
  text.field(0, "SNMP socket", "default (unix:/var/agentx/master)");
  text.line(0, "DBus disabled");
  text.field(0, "DBus service name", "");
  text.line(0, `Script security ${global.enableScriptSecurity ? "enabled" : "disabled"}`);
  text.line(0, `Default script uid:gid ${ownerText(NOBODY, input)}`);
}

/** A script that names no owner. */
const NOBODY = { user: null, group: null } as const;

const OTHER_BUFFERS = ["process_monitor", "lvs_netlink_cmd", "lvs_netlink_monitor"];

function buffers(text: DumpText, { config, umask }: DumpInput): void {
  const { host, defaults, global } = config;
  const buffer = (name: string, { bytes, force }: ReceiveBuffer): void => {
    text.field(0, `${name}_rcv_bufs`, bytes ?? 0);
    text.field(0, `${name}_rcv_bufs_force`, force ? 1 : 0);
  };
  buffer("vrrp_netlink_cmd", host.commandBuffer);
  buffer("vrrp_netlink_monitor", host.monitorBuffer);
  for (const name of OTHER_BUFFERS) buffer(name, { bytes: null, force: false });
  text.field(0, "rs_init_notifies", 0);
  text.field(0, "no_checker_emails", 0);
  const receive = defaults.receiveBuffer;
  if (receive.kind === "bytes") text.field(0, "rx_bufs_size", receive.bytes);
  else if (receive.kind !== "default") text.field(0, "rx_bufs_policy", receive.kind === "mtu" ? "MTU" : "ADVERT");
  text.field(0, "rx_bufs_multiples", receive.kind === "mtu" || receive.kind === "adverts" ? receive.count : 3);
  text.field(0, "umask", `0${umask.toString(8)}`);
  if (global.startupDelay > 0) text.field(0, "vrrp_startup_delay", global.startupDelay / 1e6);
  if (defaults.logUnknownVrids) text.line(0, "log_unknown_vrids");
  const { prefix, addressPrefix } = defaults.virtual;
  if (prefix !== DEFAULT_PREFIX) text.field(0, "VMAC prefix", prefix);
  if (addressPrefix !== prefix) text.field(0, "VMAC address prefix", addressPrefix);
}

const DEFAULT_PREFIX = "vrrp";
