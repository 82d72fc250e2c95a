/** Virtual servers, real servers and checkers as log lines, in the wording of keepalived 2.2.7's healthchecker process. */
import { unreachable } from "../lib/assert.ts";
import type { Finding } from "../lvs/findings.ts";
import { findingInWords, lvsEventInWords } from "./explain-lvs.ts";
import type { LogLevel, LogLine } from "./log-line.ts";
import type { CheckerKindName, LvsEventBody } from "./lvs-events.ts";
import { hookSucceeded } from "./outcome.ts";

type Of<Kind extends LvsEventBody["kind"]> = Extract<LvsEventBody, { kind: Kind }>;

const line = (text: string, level: LogLevel = "info"): LogLine => ({ ident: "Keepalived_healthcheckers", level, text });

export function describeLvs(body: LvsEventBody): readonly LogLine[] {
  switch (body.kind) {
    case "checker":
      return checkerLines(body).map((text) => line(text));
    case "page-passed":
      return [line(`${PASSED[body.by]} success to ${body.server} url(${body.path})`)];
    case "checker-failing":
      return [line(failingText(body))];
    case "checker-activity":
      return [line(`${activity(body)} healthchecker for service ${body.server} for VS ${body.service}`)];
    case "real-server":
      return [line(realServerText(body))];
    case "real-server-weight": {
      const { from, to, alive, server, service } = body;
      return [
        line(`Changing weight from ${from} to ${to} for ${alive ? "" : "in"}active service ${server} of VS ${service}`),
      ];
    }
    case "real-server-removed": {
      const { stopping, inhibited, server, service } = body;
      const what = `${stopping ? "Shutting down" : "Removing"} ${inhibited ? "(inhibited) " : ""}service`;
      return [line(`${what} ${server} from VS ${service}`)];
    }
    case "quorum":
      return [line(quorumText(body))];
    case "pool":
      return [
        line(
          `${body.adding ? "Adding alive servers to" : "Removing alive servers from"} the pool for VS ${body.service}`,
        ),
      ];
    case "sorry-server":
      return [line(sorryText(body))];
    case "server-script":
      return [line(lvsEventInWords(body), hookSucceeded(body.outcome) ? "detail" : "warning")];
    default:
      return unreachable(body);
  }
}

const PASSED = { status: "HTTP status code", digest: "MD5 digest", regex: "Regex match" } as const;

const activity = ({ active, starting }: Of<"checker-activity">): string =>
  starting ? (active ? "Activating" : "Deactivating") : active ? "Activating" : "Suspending";

function realServerText({ up, inhibit, server, service }: Of<"real-server">): string {
  if (inhibit) return `${up ? "Enabling" : "Disabling"} service ${server} of VS ${service}`;
  return up ? `Adding service ${server} to VS ${service}` : `Removing service ${server} from VS ${service}`;
}

function sorryText({ up, inhibit, server, service }: Of<"sorry-server">): string {
  const doing = inhibit ? (up ? "Enabling" : "Disabling") : up ? "Adding" : "Removing";
  return `${doing} sorry server ${server} ${up ? "to" : "from"} VS ${service}`;
}

function quorumText({ up, starting, quorum, hysteresis, threshold, weight, service }: Of<"quorum">): string {
  if (up) return `Gained quorum ${quorum}+${hysteresis}=${threshold} <= ${weight} for VS ${service}`;
  return `${starting ? "Starting with quorum down" : "Lost quorum"} ${quorum}-${hysteresis}=${threshold} > ${weight} for VS ${service}`;
}

/** Checkers that are ours keep to the form of TCP_CHECK, and say what they found. */
const FAILED: Readonly<Record<Exclude<CheckerKindName, "misc" | "dns" | "smtp" | "file">, string>> = {
  tcp: "TCP_CHECK on service",
  http: "HTTP_CHECK on service",
  ping: "ICMP CHECK on service",
  udp: "UDP_CHECK on service",
  mysql: "MYSQL_CHECK on service",
  redis: "REDIS_CHECK on service",
};

function checkerLines(body: Of<"checker">): readonly string[] {
  const { checker, up, finding, server, afterRetries } = body;
  const after = afterRetries === null ? "" : ` after ${afterRetries} retries`;
  switch (checker) {
    case "misc":
      return [miscText(body, up ? "" : miscEnding(afterRetries))];
    case "file":
      return [];
    case "dns":
      return up ? [] : [`DNS_CHECK (${server}) ${dnsText(finding)}${after}`];
    case "smtp":
      return up
        ? [`Remote SMTP server ${server} succeed on service.`]
        : [`SMTP_CHECK ${smtpText(finding)} server ${body.target}`];
    default:
      return [up ? successText(checker, server) : failureText(checker, body, after)];
  }
}

/** Checkers that are ours say what they found. */
function failureText(
  checker: keyof typeof FAILED,
  { server, service, afterRetries, finding }: Of<"checker">,
  after: string,
): string {
  const of = checker === "ping" && afterRetries !== null ? ` of ${service}` : "";
  const why = checker === "mysql" || checker === "redis" ? `: ${findingInWords(finding)}` : "";
  return `${FAILED[checker]} ${server}${of} failed${after}${why}.`;
}

function successText(checker: keyof typeof FAILED, server: string): string {
  switch (checker) {
    case "tcp":
      return `TCP connection to ${server} success.`;
    case "http":
      return `Remote Web server ${server} succeed on service.`;
    case "ping":
      return `ICMP connection to ${server} success.`;
    case "udp":
      return `UDP connection to ${server} success.`;
    default:
      return `${checker === "mysql" ? "MYSQL_CHECK" : "REDIS_CHECK"} on service ${server} success.`;
  }
}

const retryWord = (count: number): string => (count === 1 ? "retry" : "retries");

const miscEnding = (afterRetries: number | null): string =>
  afterRetries === null ? " with retry disabled" : ` after ${afterRetries} ${retryWord(afterRetries)}`;

function miscText(
  { finding, server, service, target }: Pick<Of<"checker">, "finding" | "server" | "service" | "target">,
  ending: string,
): string {
  const head = `Misc check for [${server} VS ${service}] by [${target}]`;
  switch (finding.kind) {
    case "ok":
      return `${head} succeeded.`;
    case "script-timeout":
      return `${head} timed out${ending}.`;
    case "exit":
      return `${head} failed${ending} (exited with status ${finding.status}).`;
    case "signal":
      return `${head} failed${ending} (due to signal ${finding.number}).`;
    default:
      return `${head} failed${ending} (${findingInWords(finding)}).`;
  }
}

function dnsText(finding: Finding): string {
  if (finding.kind === "rcode") return `read error occurred. (rcode = ${finding.code})`;
  if (finding.kind === "no-answer" && finding.how === "timeout") return "read timeout from socket";
  return `failed to read socket; ${findingInWords(finding)}`;
}

function smtpText(finding: Finding): string {
  switch (finding.kind) {
    case "connect":
      return finding.problem === "timeout" ? "Connection timeout to" : "Error connecting to";
    case "greeting":
      return finding.what === "banner" ? "Bad greeting banner from" : "Bad HELO response from";
    case "no-answer":
      return finding.how === "timeout" ? "Read timeout from" : "Read failure from";
    default:
      return `${findingInWords(finding)} from`;
  }
}

function failingText(body: Of<"checker-failing">): string {
  const { checker, finding, server, service, retry, retries, target } = body;
  switch (checker) {
    case "tcp":
      return `TCP connection to ${server} ${finding.kind === "connect" && finding.problem === "timeout" ? "timeout" : "failed"}.`;
    case "ping":
      return `ICMP connection to address ${server} timeout.`;
    case "udp":
      return finding.kind === "reply"
        ? `UDP check to ${server} reply data mismatch.`
        : `UDP connection to ${server} failed.`;
    case "http":
      return `${httpText(finding)} server ${server}.`;
    case "dns":
      return `DNS_CHECK (${server}) ${dnsText(finding)}`;
    case "smtp":
      return `SMTP_CHECK ${smtpText(finding)} server ${target}`;
    case "misc": {
      const ending = retry === 1 ? `, will do ${retries} ${retryWord(retries)}` : ` on retry ${retry - 1}/${retries}`;
      return miscText({ finding, server, service, target }, ending);
    }
    default:
      return `${checker === "mysql" ? "MYSQL_CHECK" : "REDIS_CHECK"} on service ${server} fails: ${findingInWords(finding)}.`;
  }
}

function httpText(finding: Finding): string {
  switch (finding.kind) {
    case "connect":
      return {
        refused: "Error connecting",
        timeout: "Timeout connecting",
        unreachable: "HTTP_CHECK - network unreachable",
      }[finding.problem];
    case "no-answer":
      return finding.how === "timeout" ? "Timeout HTTP read" : "Read, no data received from ";
    case "tls":
      return "SSL handshake/communication error connecting to";
    case "http-status":
      return "HTTP status code error to";
    case "digest":
      return "MD5 digest error to";
    case "regex":
      return "Regex match failed";
    default:
      return findingInWords(finding);
  }
}
