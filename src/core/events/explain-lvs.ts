/** Virtual servers, real servers and checkers in plain sentences, for history and explain. */
import { unreachable } from "../lib/assert.ts";
import type { Finding } from "../lvs/findings.ts";
import type { CheckerKindName, LvsEventBody } from "./lvs-events.ts";
import { failureInWords } from "./outcome.ts";

type Of<Kind extends LvsEventBody["kind"]> = Extract<LvsEventBody, { kind: Kind }>;

const KEYWORDS: Readonly<Record<CheckerKindName, string>> = {
  tcp: "TCP_CHECK",
  http: "HTTP_GET",
  smtp: "SMTP_CHECK",
  dns: "DNS_CHECK",
  misc: "MISC_CHECK",
  ping: "PING_CHECK",
  udp: "UDP_CHECK",
  file: "FILE_CHECK",
  mysql: "MYSQL_CHECK",
  redis: "REDIS_CHECK",
};

export const checkerKeyword = (checker: CheckerKindName): string => KEYWORDS[checker];

/** What a checker found, as a clause: "it refuses connections", "its answer had status 503". */
export function findingInWords(finding: Finding): string {
  switch (finding.kind) {
    case "ok":
      return "all is well";
    case "connect":
      return connectInWords(finding);
    case "no-answer":
      return finding.how === "timeout" ? `no ${finding.what} came in time` : `it closed before ${finding.what} came`;
    case "tls":
      return `TLS failed: ${finding.detail}`;
    case "http-status":
      return `${finding.path} was answered with status ${finding.status}`;
    case "digest":
      return `the body of ${finding.path} has MD5 ${finding.got}`;
    case "regex":
      return `the body of ${finding.path} ${finding.matched ? "matches" : "does not match"} the pattern`;
    case "greeting":
      return `its ${finding.what} was answered with "${finding.got}"`;
    case "rcode":
      return `it answered with code ${finding.code}`;
    case "reply":
      return `its answer is not the wanted one: ${finding.detail}`;
    case "exit":
      return `the command ended with ${finding.status}`;
    case "signal":
      return `the command was ended by ${finding.signal}`;
    case "script-timeout":
      return "the command did not end in time";
    case "script-unusable":
      return finding.reason;
    case "trouble":
      return finding.text;
    case "file":
      return `the file says ${finding.value}`;
    default:
      return unreachable(finding);
  }
}

function connectInWords({ problem, detail }: Extract<Finding, { kind: "connect" }>): string {
  switch (problem) {
    case "refused":
      return "it refuses connections";
    case "timeout":
      return "no connection was made in time";
    case "unreachable":
      return detail === "" ? "it cannot be reached" : `it cannot be reached (${detail})`;
    default:
      return unreachable(problem);
  }
}

export function lvsEventInWords(body: LvsEventBody): string {
  switch (body.kind) {
    case "checker":
      return checkerInWords(body);
    case "page-passed":
      return `${body.path} of ${body.server} is as it should be again`;
    case "checker-failing":
      return `${KEYWORDS[body.checker]} of ${body.server} fails (${body.retry} of ${body.retries} retries): ${findingInWords(body.finding)}`;
    case "checker-activity":
      return `checks of ${body.server} for ${body.service} ${body.active ? "run" : "are suspended, because its address is not on this host"}`;
    case "real-server":
      return realServerInWords(body);
    case "real-server-weight":
      return `${body.server} of ${body.service} weighs ${body.to} instead of ${body.from}`;
    case "real-server-removed":
      return `${body.server} is taken out of ${body.service}, because ${body.stopping ? "the daemon stops" : "the file names it no more"}`;
    case "quorum":
      return quorumInWords(body);
    case "pool":
      return `the live servers of ${body.service} ${body.adding ? "serve again" : "make room for the sorry server"}`;
    case "sorry-server":
      return `sorry server ${body.server} ${body.up ? "stands in for" : "is needed no more by"} ${body.service}`;
    case "server-script":
      return `${body.hook} of ${body.server} (${body.command}) ended: ${failureInWords(body.outcome, body.lastError)}`;
    default:
      return unreachable(body);
  }
}

function checkerInWords({ checker, up, server, finding, afterRetries }: Of<"checker">): string {
  if (up) return `${KEYWORDS[checker]} of ${server} succeeds`;
  const after = afterRetries === null ? "" : ` after ${afterRetries} ${afterRetries === 1 ? "retry" : "retries"}`;
  return `${KEYWORDS[checker]} of ${server} fails${after}: ${findingInWords(finding)}`;
}

function realServerInWords({ up, inhibit, server, service, cause }: Of<"real-server">): string {
  if (up) return `${server} serves ${service}`;
  const why = cause === null ? "" : `: ${findingInWords(cause)}`;
  return `${server} ${inhibit ? `gets no new connections of ${service}` : `is out of ${service}`}${why}`;
}

function quorumInWords({ up, weight, quorum, hysteresis, service }: Of<"quorum">): string {
  const margin = hysteresis === 0 ? "" : ` (hysteresis ${hysteresis})`;
  return up
    ? `${service} has its quorum: its live servers weigh ${weight}, and ${quorum} is needed${margin}`
    : `${service} has lost its quorum: its live servers weigh ${weight}, and ${quorum} is needed${margin}`;
}
