/** What the block `api` means: where the API is served by HTTP, and who may ask. */
import type { IpAddress } from "../lib/ip.ts";

export interface ApiListen {
  readonly address: IpAddress;
  readonly port: number;
}

export interface ApiConfig {
  /** Those that may be opened: what others reach has TLS and tokens, or is not here. */
  readonly listen: readonly ApiListen[];
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Null: who reaches a loopback address may read. */
  readonly tokenFile: string | null;
  /** Whether the listeners serve the dashboard; null: those on loopback alone. */
  readonly dashboard: boolean | null;
  /** Requests a second of one client address. */
  readonly rateLimit: number;
}

/** Addresses that only this host reaches: 127.0.0.0/8 and ::1. */
export const isLoopback = (address: IpAddress): boolean => address.startsWith("127.") || address === "::1";
