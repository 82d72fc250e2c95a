/** Events of the IPVS table as log lines and in plain sentences. keepalived has no wording for most: it never looks at the table again. */
import { unreachable } from "../lib/assert.ts";
import { serviceText } from "../lvs/ipvs/words.ts";
import type { IpvsEventBody } from "./ipvs-events.ts";
import type { LogLevel, LogLine } from "./log-line.ts";

type Of<Kind extends IpvsEventBody["kind"]> = Extract<IpvsEventBody, { kind: Kind }>;

export function describeIpvs(body: IpvsEventBody): readonly LogLine[] {
  return [{ ident: "Keepalived_healthcheckers", level: levelOf(body), text: ipvsEventInWords(body) }];
}

function levelOf(body: IpvsEventBody): LogLevel {
  switch (body.kind) {
    case "ipvs":
      return body.state === "absent" ? "error" : "info";
    case "ipvs-refused":
      return "error";
    case "ipvs-repaired":
      return "warning";
    case "ipvs-sync":
      return body.action === "failed" ? "error" : "info";
    case "ipvs-accepted":
    case "ipvs-table":
      return "info";
    default:
      return unreachable(body);
  }
}

export function ipvsEventInWords(body: IpvsEventBody): string {
  switch (body.kind) {
    case "ipvs":
      return ipvsInWords(body);
    case "ipvs-repaired":
      return repairedInWords(body);
    case "ipvs-refused":
      return `IPVS: cannot ${body.order}: ${body.errno}; ${body.remedy}; next try in ${body.retrySeconds} s`;
    case "ipvs-accepted":
      return `IPVS: the virtual service ${serviceText(body.service)} is now as it should be`;
    case "ipvs-table":
      return body.action === "flushed"
        ? "IPVS: the whole table was emptied (lvs_flush)"
        : `IPVS: ${count(body.services, "virtual service")} removed`;
    case "ipvs-sync":
      return syncInWords(body);
    default:
      return unreachable(body);
  }
}

function ipvsInWords({ state, version, adopted, foreign, detail }: Of<"ipvs">): string {
  if (state === "absent") {
    return `IPVS: ${detail}; virtual servers do not work until it is there (modprobe ip_vs, or a kernel with CONFIG_IP_VS); everything else runs`;
  }
  const kept = adopted === 0 ? "" : `; ${count(adopted, "virtual service")} of ours kept with all connections`;
  const others = foreign === 0 ? "" : `; ${count(foreign, "virtual service")} of others left alone`;
  return `IPVS ${version} is there${kept}${others}`;
}

function repairedInWords({ services, example, waitSeconds }: Of<"ipvs-repaired">): string {
  const what = `IPVS: the kernel's table was changed by somebody else; ${count(services, "virtual service")} put right`;
  return `${what} (${example}); next look in ${waitSeconds} s`;
}

function syncInWords({ role, action, interface: device, id, detail }: Of<"ipvs-sync">): string {
  const what = `IPVS: connection sync daemon, ${role}, on ${device} with id ${id}`;
  return action === "failed" ? `${what} failed: ${detail}` : `${what} ${action}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
