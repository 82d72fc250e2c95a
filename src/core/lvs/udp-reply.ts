/** Whether an answer to UDP_CHECK is the wanted one. Only so many bytes are compared as both have. */
import type { UdpReply } from "./checkers.ts";
import { type Finding, OK } from "./findings.ts";

export function judgeReply({ bytes, ignore, minLength, maxLength }: UdpReply, got: Uint8Array): Finding {
  // keepalived looks at the length only where it compares bytes.
  if (bytes.length === 0) return OK;
  if (got.length < minLength || got.length > maxLength) return { kind: "reply", detail: `${got.length} bytes` };
  for (let at = 0; at < Math.min(bytes.length, got.length); at++) {
    const differs = ((bytes[at] as number) ^ (got[at] as number)) & ~(ignore[at] ?? 0) & 0xff;
    if (differs !== 0) return { kind: "reply", detail: `byte ${at + 1} is not the wanted one` };
  }
  return OK;
}
