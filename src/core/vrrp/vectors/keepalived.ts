/**
 * Adverts captured from keepalived 2.2.7 with source 10.99.0.1: the VRRP part, after the IPv4 header. Each is read and written
 * in packet.test.ts.
 */
import type { IpAddress } from "../../lib/ip.ts";
import { millis, seconds } from "../../lib/units.ts";
import { unicastTransport, type VrrpInstanceConfig } from "../config.ts";
import { configWith, ip, password, virtualAddress } from "../example-config.ts";

export interface WireVector {
  readonly name: string;
  readonly config: VrrpInstanceConfig;
  readonly destination: IpAddress;
  /** 0 where the router resigns, else the configured one. */
  readonly priority: number;
  readonly hex: string;
}

export const VECTOR_SOURCE = ip("10.99.0.1");
const GROUP = ip("224.0.0.18");
const PEER = ip("10.99.0.2");

const TWO_ADDRESSES = configWith({
  virtualRouterId: 51,
  priority: 150,
  advertised: [virtualAddress("10.99.0.100"), virtualAddress("10.99.0.101")],
});

const UNICAST = unicastTransport([PEER]);

export const WIRE_VECTORS: readonly WireVector[] = [
  {
    name: "version 2, two addresses",
    config: TWO_ADDRESSES,
    destination: GROUP,
    priority: 150,
    hex: "213396020001333a0a6300640a6300650000000000000000",
  },
  {
    name: "version 2, priority 0 at stop",
    config: TWO_ADDRESSES,
    destination: GROUP,
    priority: 0,
    hex: "213300020001c93a0a6300640a6300650000000000000000",
  },
  {
    name: "version 2, PASS cut to eight characters",
    config: configWith({
      virtualRouterId: 11,
      priority: 250,
      authentication: password("s3cretpwXX"),
      advertised: [virtualAddress("10.99.0.111")],
    }),
    destination: GROUP,
    priority: 250,
    hex: "210bfa0101012c8e0a63006f7333637265747077",
  },
  {
    name: "version 3, multicast, half a second",
    config: configWith({
      version: 3,
      virtualRouterId: 10,
      priority: 250,
      advertInterval: millis(500),
      advertised: [virtualAddress("10.99.0.110")],
    }),
    destination: GROUP,
    priority: 250,
    hex: "310afa010032defd0a63006e",
  },
  {
    name: "version 3, unicast",
    config: configWith({
      version: 3,
      virtualRouterId: 15,
      priority: 250,
      advertInterval: seconds(1),
      transport: UNICAST,
      advertised: [virtualAddress("10.99.0.115")],
    }),
    destination: PEER,
    priority: 250,
    hex: "310ffa010064b46f0a630073",
  },
  {
    name: "version 2, unicast",
    config: configWith({
      virtualRouterId: 14,
      priority: 250,
      transport: UNICAST,
      advertised: [virtualAddress("10.99.0.114")],
    }),
    destination: PEER,
    priority: 250,
    hex: "210efa010001da190a6300720000000000000000",
  },
];
