/** A host whose sockets are never asked for. */
import type { AddressProbe } from "../../ports/address-probe.ts";
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

export const NO_ADDRESSES: AddressProbe = {
  whoAnswers: () => Promise.reject(new Error("nobody is asked for here")),
  place: () => ({ device: null, own: false }),
};
