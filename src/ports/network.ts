/**
 * What the VRRP engine needs of a network and a kernel. All calls are synchronous: the keeper has no event loop.
 * Expected failures come back as values that name the errno.
 */
import type { Family, IpAddress } from "../core/lib/ip.ts";
import type { Result } from "../core/lib/result.ts";
import type { Transport, VirtualAddress } from "../core/vrrp/config.ts";
import type { Ipv6Header } from "../core/vrrp/packet.ts";
import type { ExpectedAdvert } from "../core/vrrp/receive-filter.ts";

export interface KernelError {
  /** Symbolic errno, e.g. "EPERM". */
  readonly errno: string;
  /** What was tried on what, e.g. "add 192.0.2.1/32 to eth0". */
  readonly what: string;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Administratively up and carrier present (IFF_UP and IFF_RUNNING, as keepalived tracks). */
  readonly usable: boolean;
  readonly mac: Uint8Array;
  readonly mtu: number;
}

export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** IPv4: IFA_F_SECONDARY. */
  readonly secondary: boolean;
  /** IPv6: not to be used, because duplicate address detection has not ended, or has found another host. */
  readonly tentative: boolean;
  /** IPv6: detection has found another host that has it; it stays `tentative`. */
  readonly duplicate?: true;
  /** Seconds the kernel will still keep it; null means for ever. */
  readonly validSeconds: number | null;
}

/** One prepared advert: the port keeps a copy of the frame and sends it any number of times. */
export interface PreparedAdvert {
  readonly interfaceIndex: number;
  /** Its family is the advert's. */
  readonly source: IpAddress;
  readonly destinations: readonly IpAddress[];
  /** For IPv6, whose header the kernel writes; in IPv4 packets it stands already. */
  readonly hopLimit: number;
  /**
   * One per destination, because a checksum may cover it: the whole IPv4 packets, headers included, or the IPv6 payloads, whose
   * checksum the kernel makes anew.
   */
  readonly packets: readonly Uint8Array[];
  /**
   * Called before each sending with the packets as the port keeps them, identification included: writes what differs from advert to
   * advert (sequence numbers, digests). Null when nothing does.
   */
  readonly seal?: ((packets: readonly Uint8Array[]) => void) | null;
}

export interface ReceivedPacket {
  readonly interfaceIndex: number;
  /** IPv4 header included; of IPv6 the payload. Valid until the next receive. */
  readonly packet: Uint8Array;
  /** Null for IPv4. */
  readonly header: Ipv6Header | null;
  /** The packet was longer than the buffer. */
  readonly truncated: boolean;
}

/** By which socket adverts come: protocol 112 of a family, or over IPv4 behind an authentication header (protocol 51). */
export type AdvertChannel = Family | "ah";

/** What one receiving socket lets in. */
export interface ListenPlan {
  readonly interfaceIndex: number;
  readonly channel: AdvertChannel;
  readonly expected: readonly ExpectedAdvert[];
  /** Virtual routers that are not ours, too, to be named in the log. */
  readonly unknownToo: boolean;
  /** During a flood: the kernel also drops what has a wrong version, length or source. */
  readonly shut: boolean;
  /** SO_RCVBUF; null leaves it as open() made it. */
  readonly bufferBytes: number | null;
}

/** Raw sockets for VRRP. */
export interface AdvertPort {
  /** Makes sure that adverts for this transport arrive and can be sent on the interface. Idempotent. */
  open(link: Link, channel: AdvertChannel, transport: Transport): Result<void, KernelError>;
  /** Ends what open() began when no instance uses that channel of the interface any more. */
  close(interfaceIndex: number, channel: AdvertChannel): void;
  /** Replaces what the receiving sockets let in; one that no plan names lets nothing in. */
  listen(plans: readonly ListenPlan[]): void;
  prepare(slot: number, advert: PreparedAdvert): void;
  forget(slot: number): void;
  /** Puts a prepared advert into the batch. */
  queue(slot: number): void;
  /** Sends the batch; returns the slots that failed, with the error. */
  flush(): readonly { readonly slot: number; readonly error: KernelError }[];
}

/** A renewal is recognised by its object: give the same one again and the port need not encode it anew. */
export interface AddressChange {
  readonly action: "add" | "renew" | "remove";
  readonly interfaceIndex: number;
  readonly address: VirtualAddress;
  /** valid_lft in whole seconds; null means for ever. */
  readonly lifetime: number | null;
  /** IPv6: leave the on-link route of the prefix alone; see core/netlink/addresses.ts. */
  readonly keepsPrefixRoute?: boolean;
}

/** Addresses and links by rtnetlink. */
export interface KernelPort {
  links(): readonly Link[];
  addresses(): readonly InterfaceAddress[];
  /**
   * One batched write; returns an entry per change that failed. An add of an existing address and a remove of a
   * missing one succeed.
   */
  change(changes: readonly AddressChange[]): readonly { readonly change: AddressChange; readonly error: KernelError }[];
}

/** Gratuitous ARP, for IPv6 unsolicited neighbour advertisements, by AF_PACKET. */
export interface AnnouncePort {
  /** Sends `repeat` frames per address; returns frames sent and the first error. */
  announce(
    link: Link,
    addresses: readonly IpAddress[],
    repeat: number,
  ): { readonly frames: number; readonly error: KernelError | null };
}

/** The addresses held on one interface. */
export interface HeldAddresses {
  readonly interfaceIndex: number;
  readonly addresses: ReadonlySet<IpAddress>;
}

export interface AddressConflict {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  /** Hardware address of the other host, "02:42:ac:11:00:02". */
  readonly mac: string;
}

/** Listens for other hosts that use an address held here. */
export interface ConflictPort {
  /** Replaces what was watched before; nothing held costs nothing. `ownMacs` are this host's, as in AddressConflict. */
  watch(held: readonly HeldAddresses[], ownMacs: ReadonlySet<string>): void;
}
