/**
 * `keepalived_parent.data` and `keepalived.data`: keepalived 2.2.7's data dumps, section by section and line by line, so that
 * what greps them goes on working. A line that speaks of a thing Holdfast does not have in that form (descriptors of
 * sockets, which belong to another process) carries keepalived's value for "none".
 */
import { globalData } from "./global-data.ts";
import { groupData } from "./group-data.ts";
import { type DumpInput, DumpText } from "./input.ts";
import { instanceData } from "./instance-data.ts";
import { interfaceData } from "./interface-data.ts";
import { staticData } from "./static-data.ts";
import { trackerData } from "./tracker-data.ts";
import { type InstanceRow, instanceRows } from "./words.ts";

/** keepalived_parent.data. */
export function renderParentData(input: DumpInput): string {
  const text = new DumpText();
  globalData(text, input, true);
  return text.toString();
}

/** keepalived.data. */
export function renderVrrpData(input: DumpInput): string {
  const text = new DumpText();
  globalData(text, input, false);
  staticData(text, input);
  instanceData(text, input);
  socketPool(text, input);
  groupData(text, input);
  trackerData(text, input);
  interfaceData(text, input);
  return text.toString();
}

/** One socket pair for each interface and way of sending, as the keeper opens them. */
function socketPool(text: DumpText, input: DumpInput): void {
  text.section("VRRP Sockpool");
  const pool = new Map<string, InstanceRow[]>();
  for (const row of instanceRows(input)) {
    const { vrrp } = row;
    const own = vrrp.transport.kind === "unicast" ? (vrrp.sourceAddress ?? "") : vrrp.transport.group;
    const key = [socketInterface(vrrp), vrrp.family, protocol(vrrp), vrrp.transport.kind, own].join(" ");
    pool.set(key, [...(pool.get(key) ?? []), row]);
  }
  for (const rows of pool.values()) socket(text, rows);
}

function socket(text: DumpText, rows: readonly InstanceRow[]): void {
  const [first] = rows;
  if (first === undefined) return;
  const { vrrp, status } = first;
  const unicast = vrrp.transport.kind === "unicast";
  text.line(0, "fd_in -1 fd_out = -1");
  text.field(1, "Interface", socketInterface(vrrp));
  text.field(1, "Family", `IPv${vrrp.family}`);
  text.field(1, "Protocol", protocol(vrrp));
  text.field(1, "Type", unicast ? "Unicast" : "Multicast");
  if (unicast) text.field(1, "Address", vrrp.sourceAddress ?? status.source);
  const buffers = rows.map((row) => row.vrrp.receive.buffer);
  const bytes = buffers.reduce((sum, buffer) => sum + (buffer.kind === "bytes" ? buffer.bytes : 0), 0);
  text.field(1, "Rx buf size", bytes);
  text.line(1, "VRRP instances");
  for (const row of rows) text.line(2, `${row.vrrp.name} vrid ${row.vrrp.virtualRouterId}`);
}

const protocol = ({ authentication }: InstanceRow["vrrp"]): string => (authentication.kind === "ah" ? "AH" : "VRRP");

const socketInterface = (vrrp: InstanceRow["vrrp"]): string => vrrp.sendsVia ?? vrrp.interface;
