/** struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)) in the arena. */
import { familyOf, type IpAddress, ipBytes, isLinkLocal } from "../core/lib/ip.ts";
import type { Arena } from "./arena.ts";
import { AF_INET, AF_INET6 } from "./sockets.ts";

export const SOCKADDR_BYTES = 28;

/** Writes the address at the offset; answers its length. `scope`: interface index, for link-local addresses. */
export function writeSocketAddress(
  arena: Arena,
  offset: number,
  { address, port, scope }: { readonly address: IpAddress; readonly port: number; readonly scope: number },
): number {
  const family = familyOf(address);
  arena.bytes.fill(0, offset, offset + SOCKADDR_BYTES);
  arena.view.setUint16(offset, family === 4 ? AF_INET : AF_INET6, true);
  arena.view.setUint16(offset + 2, port, false);
  arena.bytes.set(ipBytes(address), offset + (family === 4 ? 4 : 8));
  if (family === 6 && isLinkLocal(address)) arena.view.setUint32(offset + 24, scope, true);
  return family === 4 ? 16 : SOCKADDR_BYTES;
}
