/** Subject and body of alert mail, in keepalived's words: mail filters look for them. */
import type { ToldState } from "./told-state.ts";

export interface MailAlert {
  readonly subject: string;
  /** One line, without its end. */
  readonly body: string;
}

const HEADLINES: Readonly<Record<ToldState, string>> = {
  MASTER: "Entering MASTER state",
  BACKUP: "Entering BACKUP state",
  FAULT: "Entering FAULT state",
  STOP: "Stopping",
  DELETED: "Deleted",
};

const INSTANCE_BODIES: Readonly<Record<ToldState, string>> = {
  MASTER: "=> VRRP Instance is now owning VRRP VIPs <=",
  BACKUP: "=> VRRP Instance is no longer owning VRRP VIPs <=",
  FAULT: "=> VRRP Instance is no longer owning VRRP VIPs <=",
  STOP: "=> VRRP Instance stopping <=",
  DELETED: "=> VRRP Deleted at reload <=",
};

const GROUP_BODIES: Readonly<Record<ToldState, string>> = {
  MASTER: "=> All VRRP group instances are now in MASTER state <=",
  BACKUP: "=> All VRRP group instances are now in BACKUP state <=",
  FAULT: "=> All VRRP group instances are now in FAULT state <=",
  STOP: "=> All VRRP group instances are now stopping <=",
  DELETED: "=> All VRRP group instances are now in FAULT state <=",
};

export const instanceAlert = (routerId: string, name: string, state: ToldState): MailAlert => ({
  subject: `[${routerId}] VRRP Instance ${name} - ${HEADLINES[state]}`,
  body: INSTANCE_BODIES[state],
});

export const groupAlert = (routerId: string, name: string, state: ToldState): MailAlert => ({
  subject: `[${routerId}] VRRP Group ${name} - ${HEADLINES[state]}`,
  body: GROUP_BODIES[state],
});
