/**
 * All VRRP adverts that a host receives or sends, with the kernel's time stamps: tcpdump writes pcap to a pipe, this reads it. Binary,
 * because a thousand adverts a second printed and parsed as text would themselves be a load.
 *
 * It judges nothing: which advert counts is the measurement's business.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { LabHost } from "../lab/lab.ts";
import { enterArgv } from "../lab/namespace.ts";
import { LAB_PATH, until } from "../lab/processes.ts";

export interface CapturedAdvert {
  /** Wall clock, milliseconds; exact to a microsecond. */
  readonly at: number;
  readonly source: string;
  readonly virtualRouterId: number;
  readonly priority: number;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** pcap's magic with nanoseconds (pcap-savefile(5)), little-endian. */
const MAGIC_NANO = 0xa1b23c4d;
/** Length of the link-layer header by link type: Ethernet, and the two that `-i any` may have. */
const LINK_HEADER_BYTES: Readonly<Record<number, number>> = { 1: 14, 113: 16, 276: 20 };

/** Takes a pcap stream in pieces of any size; null for what is no IPv4 VRRP advert. */
export class PcapReader {
  readonly #take: (advert: CapturedAdvert) => void;
  #pending: Buffer = Buffer.alloc(0);
  #linkBytes = -1;

  constructor(take: (advert: CapturedAdvert) => void) {
    this.#take = take;
  }

  push(data: Buffer): void {
    const bytes = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
    let offset = 0;
    if (this.#linkBytes < 0) {
      if (bytes.length < FILE_HEADER_BYTES) {
        this.#pending = bytes;
        return;
      }
      this.#begin(bytes);
      offset = FILE_HEADER_BYTES;
    }
    while (bytes.length - offset >= RECORD_HEADER_BYTES) {
      const end = offset + RECORD_HEADER_BYTES + bytes.readUInt32LE(offset + 8);
      if (end > bytes.length) break;
      const at = bytes.readUInt32LE(offset) * 1_000 + bytes.readUInt32LE(offset + 4) / 1e6;
      const advert = readAdvert(bytes.subarray(offset + RECORD_HEADER_BYTES + this.#linkBytes, end), at);
      if (advert !== null) this.#take(advert);
      offset = end;
    }
    this.#pending = Buffer.from(bytes.subarray(offset));
  }

  #begin(header: Buffer): void {
    const linkBytes = LINK_HEADER_BYTES[header.readUInt32LE(20)];
    if (header.readUInt32LE(0) !== MAGIC_NANO || linkBytes === undefined) {
      throw new Error("tcpdump writes another kind of capture than asked for");
    }
    this.#linkBytes = linkBytes;
  }
}

function readAdvert(packet: Buffer, at: number): CapturedAdvert | null {
  if (packet.length < 24 || (packet[0] ?? 0) >> 4 !== 4) return null;
  const start = ((packet[0] ?? 0) & 0xf) * 4;
  const source = [...packet.subarray(12, 16)].join(".");
  return { at, source, virtualRouterId: packet[start + 1] ?? 0, priority: packet[start + 2] ?? 0 };
}

export class Capture {
  readonly adverts: CapturedAdvert[] = [];
  readonly #child: ChildProcess;
  #complaint = "";

  /** `device`: an interface of the host, or "any". */
  private constructor(host: LabHost, device: string) {
    const argv = ["tcpdump", "-i", device, "-p", "-n", "-U", "-s", "96", "-B", "8192", "-w", "-"];
    const options = ["--time-stamp-precision=nano", "--immediate-mode", "-Z", "root", "ip proto 112"];
    const [program, ...args] = enterArgv(host, [...argv, ...options]);
    this.#child = spawn(program ?? "", args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: LAB_PATH },
    });
    const reader = new PcapReader((advert) => this.adverts.push(advert));
    this.#child.stdout?.on("data", (data: Buffer) => reader.push(data));
    this.#child.stderr?.on("data", (data: Buffer) => {
      this.#complaint += data.toString();
    });
  }

  /** Resolves when the capture runs. */
  static async start(host: LabHost, device: string): Promise<Capture> {
    const capture = new Capture(host, device);
    await until(() => /listening on/.test(capture.#complaint) || undefined, "tcpdump listens", 10_000);
    return capture;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

/** Adverts by sender and virtual router, in order. */
export function byRouter(adverts: readonly CapturedAdvert[]): ReadonlyMap<string, CapturedAdvert[]> {
  const routers = new Map<string, CapturedAdvert[]>();
  for (const advert of adverts) {
    const key = `${advert.source} ${advert.virtualRouterId}`;
    const row = routers.get(key);
    if (row === undefined) routers.set(key, [advert]);
    else row.push(advert);
  }
  return routers;
}
