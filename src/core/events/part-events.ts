/** Events that have a file of words of their own, by the part of the daemon they are about. */
import { ipvsEventInWords } from "./describe-ipvs.ts";
import { packetEventInWords } from "./describe-packets.ts";
import { peerEventInWords } from "./describe-peers.ts";
import { quorumEventInWords } from "./describe-quorum.ts";
import { splitBrainInWords } from "./describe-split-brain.ts";
import { hostEventInWords } from "./explain-host.ts";
import { lvsEventInWords } from "./explain-lvs.ts";
import { type HostEventBody, isHostEvent } from "./host-events.ts";
import { type IpvsEventBody, isIpvsEvent } from "./ipvs-events.ts";
import { isLvsEvent, type LvsEventBody } from "./lvs-events.ts";
import { isPacketEvent, type PacketEventBody } from "./packet-events.ts";
import { isPeerEvent, type PeerEventBody } from "./peer-events.ts";
import { isQuorumEvent, type QuorumEventBody } from "./quorum-events.ts";
import { isSplitBrainEvent, type SplitBrainEventBody } from "./split-brain-events.ts";

export type PartEventBody =
  | HostEventBody
  | IpvsEventBody
  | LvsEventBody
  | PacketEventBody
  | PeerEventBody
  | QuorumEventBody
  | SplitBrainEventBody;

export const isOfAPart = (body: { readonly kind: string }): body is PartEventBody =>
  isHostEvent(body) ||
  isPacketEvent(body) ||
  isIpvsEvent(body) ||
  isLvsEvent(body) ||
  isPeerEvent(body) ||
  isQuorumEvent(body) ||
  isSplitBrainEvent(body);

export function partEventInWords(body: PartEventBody): string {
  if (isHostEvent(body)) return hostEventInWords(body);
  if (isPacketEvent(body)) return packetEventInWords(body);
  if (isIpvsEvent(body)) return ipvsEventInWords(body);
  if (isQuorumEvent(body)) return quorumEventInWords(body);
  if (isSplitBrainEvent(body)) return splitBrainInWords(body);
  return isLvsEvent(body) ? lvsEventInWords(body) : peerEventInWords(body);
}
