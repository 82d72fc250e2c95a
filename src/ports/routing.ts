/**
 * Routes, routing rules and interface settings of the host, as the engine asks for them. Synchronous like everything in the keeper;
 * expected failures come back as values that name the errno.
 */
import type { Route, Rule } from "../core/routing/model.ts";
import type { KernelError } from "./network.ts";

export type RoutingObject =
  | { readonly kind: "route"; readonly route: Route }
  | { readonly kind: "rule"; readonly rule: Rule };

export interface RoutingChange {
  readonly action: "add" | "remove";
  readonly object: RoutingObject;
}

export interface RoutingOutcome {
  readonly change: RoutingChange;
  /** was-so: what is added was there, what is removed was not. */
  readonly result: "done" | "was-so" | "failed";
  readonly error: KernelError | null;
}

/** Routes and rules by rtnetlink. */
export interface RoutingPort {
  /** One batched write, in order; an outcome per change. Interfaces are named and looked up in `deviceIndex`. */
  apply(changes: readonly RoutingChange[], deviceIndex: (name: string) => number | null): readonly RoutingOutcome[];
}

/** Settings of an interface under /proc/sys/net/ipv4/conf. */
export interface InterfaceSettings {
  /** Null when it cannot be read. */
  read(device: string, name: string): string | null;
  /** Null when it was written. */
  write(device: string, name: string, value: string): KernelError | null;
}
