/**
 * For tests only: a private network namespace with a veth pair, seen through the real ports. Scenarios run inside it and
 * print one JSON object; tests assert on that from outside.
 */
import { execFileSync } from "node:child_process";
import type { IpAddress } from "../../core/lib/ip.ts";
import type { Result } from "../../core/lib/result.ts";
import type { Instant } from "../../core/lib/units.ts";
import type { VirtualAddress } from "../../core/vrrp/config.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AddressChange, KernelError, Link } from "../../ports/network.ts";
import { type Arena, createArena } from "../arena.ts";
import { createMonotonicClock } from "../clock.ts";
import { openKernelPort, type RtnetlinkPort } from "../kernel-port.ts";
import { bindSocket, recv } from "../libc.ts";
import { createReactor, type Reactor } from "../reactor.ts";
import { AF_PACKET, createSockets, MSG_DONTWAIT, SOCK_RAW } from "../sockets.ts";

export interface World {
  readonly arena: Arena;
  readonly clock: Clock;
  readonly reactor: Reactor;
  readonly kernel: RtnetlinkPort;
}

export function createWorld(): World {
  const arena = createArena();
  const clock = createMonotonicClock(arena);
  const reactor = createReactor(arena, clock);
  return { arena, clock, reactor, kernel: must(openKernelPort(arena)) };
}

export function must<T>(result: Result<T, KernelError>): T {
  if (!result.ok) throw new Error(`${result.error.what}: ${result.error.errno}`);
  return result.value;
}

export function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8" });
}

/** a0 (10.0.0.1/24) joined to b0, both up. */
export function makeVeth(): void {
  ip("link", "set", "lo", "up");
  ip("link", "add", "name", "a0", "type", "veth", "peer", "name", "b0");
  ip("addr", "add", "10.0.0.1/24", "dev", "a0");
  ip("link", "set", "a0", "up");
  ip("link", "set", "b0", "up");
}

export function linkNamed(world: World, name: string): Link {
  const link = world.kernel.links().find((candidate) => candidate.name === name);
  if (link === undefined) throw new Error(`no link ${name}`);
  return link;
}

/** Runs the loop until the condition holds; false when the time is up first. */
export function runUntil({ reactor, clock }: World, micros: number, done: () => boolean): boolean {
  const end = (clock.now() + micros) as Instant;
  while (!done() && clock.now() < end) reactor.wait(end);
  return done();
}

export function virtualAddress(address: string, prefixLength = 32): VirtualAddress {
  return { address: address as IpAddress, prefixLength, device: null, broadcast: null, label: null, scope: 0 };
}

export function changeOf(
  action: AddressChange["action"],
  interfaceIndex: number,
  address: string,
  lifetime: number | null,
): AddressChange {
  return { action, interfaceIndex, address: virtualAddress(address), lifetime };
}

/** An Ethernet capture of one interface; take() returns the frames since the last time, as hexadecimal text. */
export function openCapture({ arena }: World, link: Link): { readonly descriptor: number; take(): string[] } {
  const ETH_P_ALL = 0x0003;
  const networkOrder = ETH_P_ALL << 8;
  const descriptor = must(createSockets(arena).open(AF_PACKET, SOCK_RAW, networkOrder, "capture"));
  const address = arena.allocate(64);
  arena.view.setUint16(address, AF_PACKET, true);
  arena.view.setUint16(address + 2, networkOrder, true);
  arena.view.setInt32(address + 4, link.index, true);
  if (bindSocket(descriptor, arena.at(address), 20) < 0) throw new Error(`cannot capture on ${link.name}`);
  const buffer = arena.allocate(2048);
  return {
    descriptor,
    take() {
      const frames: string[] = [];
      for (;;) {
        const length = recv(descriptor, arena.at(buffer), 2048, MSG_DONTWAIT);
        if (length < 0) return frames;
        frames.push(Buffer.from(arena.bytes.subarray(buffer, buffer + length)).toString("hex"));
      }
    },
  };
}

/** The golden version 2 advert (vrid 51, priority 150) from 10.0.0.1, with an IPv4 header. */
export function goldenPacket(source: string, destination: string): Uint8Array {
  const message = Buffer.from("213396020001333a0a6300640a6300650000000000000000", "hex");
  const header = Buffer.alloc(20);
  header.set([0x45, 0xc0, 0, 20 + message.length]);
  header.set([255, 112], 8);
  header.set(source.split(".").map(Number), 12);
  header.set(destination.split(".").map(Number), 16);
  return Uint8Array.from([...header, ...message]);
}
