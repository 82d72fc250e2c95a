/** The host's events as log lines, in keepalived's wording where it has one. */
import { unreachable } from "../lib/assert.ts";
import { hostEventInWords } from "./explain-host.ts";
import type { HostEventBody } from "./host-events.ts";
import type { LogLevel, LogLine } from "./log-line.ts";
import { hookSucceeded } from "./outcome.ts";

const vrrp = (level: LogLevel, text: string): LogLine => ({ ident: "Keepalived_vrrp", level, text });
const parent = (level: LogLevel, text: string): LogLine => ({ ident: "Keepalived", level, text });

export function describeHost(body: HostEventBody): readonly LogLine[] {
  const words = hostEventInWords(body);
  switch (body.kind) {
    case "fifo":
      return [vrrp(body.action === "caught-up" ? "info" : "error", words)];
    case "fifo-reader":
      return [vrrp(body.action === "started" ? "detail" : "warning", words)];
    case "mail":
      if (body.action === "sent") return [vrrp("info", "SMTP alert successfully sent.")];
      return [vrrp("warning", words)];
    case "daemon-script":
      return [parent(hookSucceeded(body.outcome) ? "detail" : "warning", words)];
    case "keeper-settings":
      return body.settings.map(({ setting, problem }) =>
        vrrp(
          problem === null ? "info" : "warning",
          problem === null ? `${setting} is in force` : `${setting} is not in force: ${problem}`,
        ),
      );
    case "priority-raised":
      return [vrrp("warning", words)];
    case "shortage":
      return [parent(body.over ? "info" : "error", words)];
    case "api-listener":
      return [parent(body.action === "failed" ? "error" : "info", words)];
    case "api-request":
      return [parent(body.action === "refused" ? "warning" : "info", words)];
    case "stale-released":
      return [parent("warning", words)];
    default:
      return unreachable(body);
  }
}
