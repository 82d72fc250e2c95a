/** Words for routes, rules and static objects: keepalived's log lines where it has one, and a sentence for history. */
import type { LogLine } from "./log-line.ts";
import type { HoldfastEventBody, RoutingText } from "./vocabulary.ts";

type RoutingEvent = Extract<HoldfastEventBody, { kind: "routing" }>;
type RoutingFailed = Extract<HoldfastEventBody, { kind: "routing-failed" }>;

const line = (level: LogLine["level"], text: string): LogLine => ({ ident: "Keepalived_vrrp", level, text });

const BLOCK = { address: "VIPs", route: "Virtual Routes", rule: "Virtual Rules" } as const;

export function routingLines(body: RoutingEvent): readonly LogLine[] {
  const { instance, action, objects } = body;
  if (action === "restored" || action === "swept" || instance === null) {
    const level = action === "added" || action === "removed" ? "detail" : "info";
    return objects.map((object) => line(level, lineOf(body, object)));
  }
  const kinds = (["route", "rule"] as const).filter((kind) => objects.some((object) => object.kind === kind));
  const ordered = action === "added" ? kinds : kinds.toReversed();
  return ordered.map((kind) =>
    line("detail", `(${instance}) ${action === "added" ? "setting" : "removing"} ${BLOCK[kind]}`),
  );
}

function lineOf({ instance, action }: RoutingEvent, { kind, text }: RoutingText): string {
  if (instance === null && action === "restored") return `Restoring deleted static ${kind} ${text}`;
  if (instance === null) return `${action === "added" ? "Setting" : "Removing"} static ${kind} ${text}`;
  const what = action === "swept" ? "found left over and removed" : "was gone and is put back";
  return `(${instance}) ${kind} ${text} ${what}`;
}

export function routingFailedLine({ instance, detail }: RoutingFailed): LogLine {
  return line("error", `${instance === null ? "static object" : `(${instance})`} Netlink: error: ${detail}`);
}

const VERB = {
  added: "added",
  removed: "removed",
  restored: "put back",
  swept: "found left over and removed",
} as const;

export function routingInWords(body: RoutingEvent | RoutingFailed): string {
  const whose = body.instance ?? "static objects";
  if (body.kind === "routing-failed") return `${whose}: the kernel refused: ${body.detail}`;
  return `${whose}: ${VERB[body.action]} ${body.objects.map(({ kind, text }) => `${kind} ${text}`).join(", ")}`;
}
