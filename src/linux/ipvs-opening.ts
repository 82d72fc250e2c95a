/**
 * The IPVS port of the daemon: opened when it is first asked for something, so that a file without virtual servers costs nothing, and in the
 * network namespace that net_namespace_ipvs names. A socket stays in the namespace in which it was made. What cannot be opened is tried again
 * with every call.
 */
import { closeSync, openSync } from "node:fs";
import { err, type Result } from "../core/lib/result.ts";
import type { IpvsPort } from "../ports/ipvs.ts";
import type { KernelError } from "../ports/network.ts";
import type { Arena } from "./arena.ts";
import { openIpvsPort } from "./ipvs-port.ts";
import { ERRNO, setns } from "./libc.ts";
import { openNamespace } from "./net-namespace.ts";
import { kernelError } from "./sockets.ts";

const CLONE_NEWNET = 0x4000_0000;

/** netNamespace: null is the daemon's own, "" the host's. */
export function createIpvsPort(arena: Arena, netNamespace: string | null): IpvsPort {
  let port: IpvsPort | null = null;
  const open = (): Result<IpvsPort, KernelError> => {
    if (port !== null) return { ok: true, value: port };
    const opened = netNamespace === null ? openIpvsPort(arena) : openElsewhere(arena, netNamespace);
    if (opened.ok) port = opened.value;
    return opened;
  };
  const ask = <T>(action: (ipvs: IpvsPort) => Result<T, KernelError>): Result<T, KernelError> => {
    const opened = open();
    return opened.ok ? action(opened.value) : opened;
  };
  return {
    info: () => ask((ipvs) => ipvs.info()),
    services: () => ask((ipvs) => ipvs.services()),
    destinations: (key) => ask((ipvs) => ipvs.destinations(key)),
    daemons: () => ask((ipvs) => ipvs.daemons()),
    timeouts: () => ask((ipvs) => ipvs.timeouts()),
    apply(orders) {
      const opened = open();
      return opened.ok ? opened.value.apply(orders) : orders.map(() => opened.error);
    },
  };
}

function openElsewhere(arena: Arena, name: string): Result<IpvsPort, KernelError> {
  const what = `enter net_namespace_ipvs ${name === "" ? "of the host" : name}`;
  const target = name === "" ? openOrNull("/proc/1/ns/net") : openNamespace(name);
  if (target === null) return err(kernelError(ERRNO.ENOENT, what));
  const own = openSync("/proc/thread-self/ns/net", "r");
  const entered = setns(target, CLONE_NEWNET);
  closeSync(target);
  // Synchronous: nothing else of this thread runs in the other namespace.
  const opened = entered < 0 ? err(kernelError(entered, what)) : openIpvsPort(arena);
  if (entered === 0) setns(own, CLONE_NEWNET);
  closeSync(own);
  return opened;
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}
