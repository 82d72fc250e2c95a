/**
 * What a lab host hears on its wire: tcpdump writes a file, this file takes it apart. Owns the pcap and frame formats as
 * far as tests need them; it judges nothing.
 */
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../src/lab/lab.ts";
import { type RunningProgram, until } from "../src/lab/processes.ts";

export interface Frame {
  /** Unix time, seconds. */
  readonly at: number;
  readonly bytes: Buffer;
}

export interface CapturedAdvert {
  readonly at: number;
  readonly ethernetDestination: string;
  readonly tos: number;
  readonly ttl: number;
  /** Flags and fragment offset. */
  readonly fragment: number;
  readonly headerLength: number;
  readonly source: string;
  readonly destination: string;
  readonly virtualRouterId: number;
  readonly priority: number;
  /** The VRRP message, hexadecimal. */
  readonly payload: string;
}

export interface CapturedArp {
  readonly at: number;
  readonly ethernetDestination: string;
  /** EtherType and ARP message with every occurrence of the sender's MAC replaced by "<mac>". */
  readonly text: string;
  readonly senderAddress: string;
  readonly targetAddress: string;
  readonly operation: number;
}

const ETHERTYPE_IP = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const VRRP = 112;

/** Records frames as they arrive at a host, unless told otherwise VRRP over IPv4 and ARP. */
export class Capture {
  readonly #program: RunningProgram;
  readonly #file: string;

  private constructor(program: RunningProgram, file: string) {
    this.#program = program;
    this.#file = file;
  }

  /** `filter` as tcpdump takes it. */
  static async start(host: LabHost, name = "capture", filter = "ip proto 112 or arp"): Promise<Capture> {
    const file = join(host.directory, `${name}.pcap`);
    rmSync(file, { force: true });
    // A snapshot of any length would leave room for eight frames in the ring, and bursts are longer.
    const options = [
      "-Z",
      "root",
      "-i",
      "eth0",
      "-n",
      "-U",
      "--immediate-mode",
      "-s",
      "2048",
      "-B",
      "8192",
      "-w",
      file,
    ];
    const program = host.spawn(["tcpdump", ...options, filter]);
    await program.line(/listening on/, { timeoutMs: 10_000 });
    await until(() => (existsSync(file) && statSync(file).size >= 24) || undefined, "a capture file", 5_000);
    return new Capture(program, file);
  }

  async stop(): Promise<void> {
    await this.#program.signal("SIGINT");
    await this.#program.exited;
  }

  /** All frames written so far; a last one that is not complete yet is left for the next call. */
  frames(): readonly Frame[] {
    const data = readFileSync(this.#file);
    const frames: Frame[] = [];
    for (let at = 24; at + 16 <= data.length; ) {
      const length = data.readUInt32LE(at + 8);
      if (at + 16 + length > data.length) break;
      const time = data.readUInt32LE(at) + data.readUInt32LE(at + 4) / 1e6;
      frames.push({ at: time, bytes: data.subarray(at + 16, at + 16 + length) });
      at += 16 + length;
    }
    return frames;
  }

  adverts(): readonly CapturedAdvert[] {
    return this.frames().flatMap((frame) => advertOf(frame) ?? []);
  }

  arps(): readonly CapturedArp[] {
    return this.frames().flatMap((frame) => arpOf(frame) ?? []);
  }
}

const mac = (bytes: Buffer): string => bytes.toString("hex");
const ip = (bytes: Buffer): string => [...bytes].join(".");

function advertOf({ at, bytes }: Frame): CapturedAdvert | null {
  if (bytes.length < 42 || bytes.readUInt16BE(12) !== ETHERTYPE_IP || bytes[23] !== VRRP) return null;
  const headerLength = (bytes.readUInt8(14) & 0x0f) * 4;
  // Padding of short frames is no part of the packet.
  const message = bytes.subarray(14 + headerLength, 14 + bytes.readUInt16BE(16));
  return {
    at,
    ethernetDestination: mac(bytes.subarray(0, 6)),
    tos: bytes.readUInt8(15),
    ttl: bytes.readUInt8(22),
    fragment: bytes.readUInt16BE(20),
    headerLength,
    source: ip(bytes.subarray(26, 30)),
    destination: ip(bytes.subarray(30, 34)),
    virtualRouterId: message[1] ?? -1,
    priority: message[2] ?? -1,
    payload: message.toString("hex"),
  };
}

function arpOf({ at, bytes }: Frame): CapturedArp | null {
  if (bytes.length < 42 || bytes.readUInt16BE(12) !== ETHERTYPE_ARP) return null;
  const sender = mac(bytes.subarray(6, 12));
  return {
    at,
    ethernetDestination: mac(bytes.subarray(0, 6)),
    text: bytes.subarray(0, 42).toString("hex").replaceAll(sender, "<mac>"),
    senderAddress: ip(bytes.subarray(28, 32)),
    targetAddress: ip(bytes.subarray(38, 42)),
    operation: bytes.readUInt16BE(20),
  };
}
