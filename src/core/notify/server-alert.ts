/** Lines for pipes and mail about virtual and real servers, in keepalived's words. */
import type { CheckerKindName } from "../events/lvs-events.ts";
import type { MailAlert } from "./mail-alert.ts";

const word = (up: boolean): string => (up ? "UP" : "DOWN");

/** keepalived ends them with a NUL byte as well; readers by line never see it, and others stumble over it. */
export const serviceLine = (service: string, up: boolean): string => `VS ${service} ${word(up)}\n`;
export const serverLine = (server: string, service: string, up: boolean): string =>
  `RS ${server} ${service} ${word(up)}\n`;

/** How keepalived's mail names its checkers. */
const NAMES: Readonly<Record<CheckerKindName, string>> = {
  tcp: "TCP CHECK",
  http: "CHECK",
  smtp: "CHECK",
  dns: "DNS_CHECK:",
  misc: "MISC CHECK",
  ping: "ICMP CHECK",
  udp: "UDP CHECK",
  file: "FILE CHECK",
  mysql: "MYSQL CHECK",
  redis: "REDIS CHECK",
};

/** `why` is a clause, "" when there is none to tell. */
export function checkerAlert(
  { server, service, alive }: { readonly server: string; readonly service: string; readonly alive: boolean },
  { checker, up, why }: { readonly checker: CheckerKindName; readonly up: boolean; readonly why: string },
): MailAlert {
  const done = checker === "misc" ? (up ? "succeeded" : why === "" ? "failed" : why) : up ? "succeed" : "failed";
  const cause = up || why === "" || checker === "misc" ? "" : ` : ${why}`;
  return {
    subject: `Realserver ${server} of virtual server ${service} - ${word(alive)}`,
    body: `=> ${NAMES[checker]} ${done} on service${cause} <=`,
  };
}

export const goneAlert = (server: string, service: string, stopping: boolean): MailAlert => ({
  subject: `Realserver ${server} of virtual server ${service} - DOWN`,
  body: stopping ? "=> Shutting down <=" : "=> Removing <=",
});

export interface QuorumAlert {
  readonly service: string;
  readonly up: boolean;
  readonly starting: boolean;
  readonly stopping: boolean;
  readonly quorum: number;
  readonly hysteresis: number;
  readonly threshold: number;
  readonly weight: number;
}

export function quorumAlert(alert: QuorumAlert): MailAlert {
  const { service, up, starting, stopping, quorum, hysteresis, threshold, weight } = alert;
  const event = starting ? `Starting with quorum ${up ? "up" : "down"}` : `${up ? "Gained" : "Lost"} quorum`;
  return {
    subject: `Virtualserver ${service} - ${word(up)}`,
    body: stopping ? "=> Shutting down <=" : `=> ${event} ${quorum}+${hysteresis}=${threshold} <= ${weight} <=`,
  };
}
