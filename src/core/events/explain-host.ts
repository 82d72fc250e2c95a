/** The host's events in plain sentences, with what an operator can do. */
import { unreachable } from "../lib/assert.ts";
import type { HostEventBody } from "./host-events.ts";
import { failureInWords, lengthInWords } from "./outcome.ts";

type Of<Kind extends HostEventBody["kind"]> = Extract<HostEventBody, { kind: Kind }>;

export function hostEventInWords(body: HostEventBody): string {
  switch (body.kind) {
    case "fifo":
      return fifoInWords(body);
    case "fifo-reader":
      return readerInWords(body);
    case "mail":
      return mailInWords(body);
    case "daemon-script":
      return `${body.script} ${body.command} ended: ${failureInWords(body.outcome, body.lastError)}`;
    case "keeper-settings":
      return body.settings
        .map(({ setting, problem }) => `${setting} ${problem === null ? "is in force" : `is not in force: ${problem}`}`)
        .join("; ");
    case "priority-raised":
      return `the keeper ran ${lengthInWords(body.lateMillis)} late and raised its real-time priority to ${body.realtime}`;
    case "shortage":
      return shortageInWords(body);
    case "api-listener":
      return listenerInWords(body);
    case "api-request":
      return requestInWords(body);
    case "stale-released":
      return `${body.address} was left over on ${body.interfaces.join(", ")} and is removed by order: ${body.proof}`;
    default:
      return unreachable(body);
  }
}

function fifoInWords({ path, action, lost, detail }: Of<"fifo">): string {
  switch (action) {
    case "failed":
      return `notify FIFO ${path}: ${detail}`;
    case "lost":
      return `notify FIFO ${path} is full and its reader does not read: lines are dropped; start or repair the reader`;
    case "caught-up":
      return `notify FIFO ${path} is read again; ${lost} lines were lost`;
    default:
      return unreachable(action);
  }
}

function readerInWords({ path, command, action, outcome, lastError, restartSeconds }: Of<"fifo-reader">): string {
  if (action === "started") return `reader of ${path} started: ${command}`;
  const next = restartSeconds === null ? "" : `; it is started again in ${restartSeconds} s`;
  return `reader of ${path} ended (${command}): ${failureInWords(outcome, lastError)}${next}`;
}

function mailInWords({ server, action, subject, detail }: Of<"mail">): string {
  switch (action) {
    case "sent":
      return `mail sent: ${subject}`;
    case "failed":
      return `mail server ${server} does not take mail: ${detail}; what happens until it does is not mailed`;
    case "dropped":
      return `mail not sent: ${subject}: ${detail}`;
    default:
      return unreachable(action);
  }
}

const REMEDY: Readonly<Record<Of<"shortage">["what"], string>> = {
  processes: "raise TasksMax or LimitNPROC, or end what fills the process table",
  descriptors: "raise LimitNOFILE, or fs.file-max if the whole host is out of them",
  memory: "free memory, or raise MemoryMax",
};

function shortageInWords({ what, action, over }: Of<"shortage">): string {
  if (over) return `the host has ${what} again: ${action}`;
  return `the host is out of ${what}: ${action}; it is tried again; ${REMEDY[what]}`;
}

function listenerInWords({ action, address, tls, detail }: Of<"api-listener">): string {
  switch (action) {
    case "listening":
      return `the API listens at ${tls ? "https" : "http"}://${address}`;
    case "closed":
      return `the API listens at ${address} no more`;
    case "failed":
      return `the API cannot listen at ${address}: ${detail}`;
    default:
      return unreachable(action);
  }
}

function requestInWords({ action, who, from, request, detail, more }: Of<"api-request">): string {
  const whom = `${who ?? "somebody without a token"} at ${from}`;
  switch (action) {
    case "asked":
      return `${whom} asks the API: ${request}`;
    case "answered":
      return `the API has answered ${whom} with ${detail}: ${request}`;
    case "refused":
      return `the API refused ${whom}: ${detail}: ${request}${more > 0 ? `; and ${more} more from there` : ""}`;
    default:
      return unreachable(action);
  }
}
