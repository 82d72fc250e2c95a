/**
 * What all lab tests share: the daemon under test, and the rule that a test which cannot run here says so and never
 * counts as passed.
 */
import { describe } from "vitest";
import type { DaemonKind } from "../src/lab/daemon.ts";
import { namespacesUnavailable } from "../src/lab/namespace.ts";

/** HOLDFAST_LAB_DAEMON=keepalived runs what both can do against the real keepalived. */
export const DAEMON: DaemonKind = process.env.HOLDFAST_LAB_DAEMON === "keepalived" ? "keepalived" : "holdfast";

// Counted, not run: the tests are listed as if they could run here.
const counting = process.env.HOLDFAST_LAB_COUNT === "1";
const unavailable = counting ? null : await namespacesUnavailable();

/** A group of tests that need namespaces. */
export function describeLab(title: string, body: () => void): void {
  if (unavailable !== null) process.stderr.write(`needs root: 1 not run: ${title} (${unavailable})\n`);
  describe.skipIf(unavailable !== null)(`${title} [${DAEMON}]`, body);
}

/** Promises of Holdfast that keepalived does not make. */
export function describeHoldfast(title: string, body: () => void): void {
  if (DAEMON === "holdfast") describeLab(title, body);
  else describe.skip(`${title} [holdfast only]`, body);
}
