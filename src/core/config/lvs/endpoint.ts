/** ADDRESS [PORT] as virtual, real and sorry servers and groups have it. A port of zeros is no port, as in keepalived. */
import { type IpAddress, parseIp } from "../../lib/ip.ts";
import type { Word } from "../words.ts";

export interface Endpoint {
  readonly address: IpAddress;
  /** 0: none is given. */
  readonly port: number;
}

/** Null when the text is no port from 1 to 65535; 0 when there is none or it is all zeros. */
export function readPort(word: Word | undefined): number | null {
  if (word === undefined) return 0;
  const port = /^\d{1,9}$/.test(word.text) ? Number(word.text) : Number.NaN;
  return port >= 0 && port <= 65_535 ? port : null;
}

/** What is wrong, in words, when it is no endpoint. */
export function readEndpoint(address: Word | undefined, port: Word | undefined): Endpoint | string {
  const parsed = parseIp(address?.text ?? "");
  if (parsed === null) return `\`${address?.text ?? ""}\` is no address`;
  const number = readPort(port);
  if (number === null) return `\`${port?.text}\` is no port`;
  return { address: parsed, port: number };
}
