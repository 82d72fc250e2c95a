/** `ADDRESS [PORT]` of a daemon on this host or another. */
import { isMulticast, parseIp } from "../lib/ip.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { PeerPlace } from "../peer-link/config.ts";
import type { SourceSpan } from "./model.ts";
import { wordSpan } from "./settings.ts";
import type { Node } from "./tree.ts";

export interface Problem {
  readonly span: SourceSpan;
  readonly why: string;
}

/** `usual`: the port when the line names none. */
export function readPlace(line: Node, usual: number): Result<PeerPlace, Problem> {
  const [address, port] = line.args;
  if (address === undefined) return err({ span: line.span, why: `\`${line.keyword}\` lacks its address` });
  const ip = parseIp(address.text);
  if (ip === null || isMulticast(ip) || ip === "0.0.0.0" || ip === "::") {
    return err({ span: wordSpan(line, address), why: `\`${address.text}\` is not the address of a host` });
  }
  if (port === undefined) return ok({ address: ip, port: usual });
  const number = /^\d{1,5}$/.test(port.text) ? Number(port.text) : 0;
  if (number >= 1 && number <= 65_535) return ok({ address: ip, port: number });
  return err({ span: wordSpan(line, port), why: `\`${port.text}\` is no port` });
}
