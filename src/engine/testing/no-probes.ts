/** A host whose sockets are never asked for. */
import type { Probe, ProbePort } from "../../ports/probes.ts";

const unwanted = (): Probe => {
  throw new Error("no checker runs here");
};

export const NO_PROBES: ProbePort = {
  connect: unwanted,
  stream: unwanted,
  datagram: unwanted,
  echo: unwanted,
  hasAddress: () => false,
  addresses: () => [],
};
