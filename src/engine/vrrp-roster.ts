/**
 * Which virtual routers an engine has: matches them across a reload, says which may begin and which are gone. It starts and stops none:
 * vrrp-engine.ts does.
 */
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import type { Runtime } from "./vrrp-runtime.ts";

export interface Matches {
  readonly kept: readonly (readonly [Runtime, VrrpInstanceConfig])[];
  /** No longer wanted, and not retired yet. */
  readonly gone: readonly Runtime[];
  readonly added: readonly VrrpInstanceConfig[];
}

/** One that is retired already does not come back: a new one is added beside it. */
export function matchInstances(runtimes: readonly Runtime[], configs: readonly VrrpInstanceConfig[]): Matches {
  const added = new Map(configs.map((config) => [instanceKey(config), config]));
  const kept: [Runtime, VrrpInstanceConfig][] = [];
  const gone: Runtime[] = [];
  for (const runtime of runtimes) {
    if (runtime.retired) continue;
    const key = instanceKey(runtime.config);
    const config = added.get(key);
    if (config === undefined) gone.push(runtime);
    else kept.push([runtime, config]);
    added.delete(key);
  }
  return { kept, gone, added: [...added.values()] };
}

/**
 * A name is one service with one queue of hooks, a key is one virtual router: an instance that a reload puts in another's place (the
 * same name with another virtual router id, say) begins when the old one has released. Both at once would claim and release the same thing.
 */
export function readyToBegin(runtimes: readonly Runtime[]): readonly Runtime[] {
  const leaving = runtimes.filter((runtime) => runtime.retired && !isGone(runtime)).map(({ config }) => config);
  const names = new Set(leaving.map(({ name }) => name));
  const keys = new Set(leaving.map(instanceKey));
  return runtimes.filter(
    ({ begun, retired, config }) => !begun && !retired && !names.has(config.name) && !keys.has(instanceKey(config)),
  );
}

/** The instance of that name, and the others of its sync group. */
export function withSiblings(runtimes: readonly Runtime[], name: string): readonly Runtime[] {
  const group = runtimes.find(({ config }) => config.name === name)?.config.syncGroup?.name;
  return runtimes.filter(
    ({ config }) => config.name === name || (group !== undefined && config.syncGroup?.name === group),
  );
}

/** Has stopped for good. */
export function isGone({ retired, state }: Runtime): boolean {
  return retired && state.role.kind === "stopped";
}

/** keepalived matches instances across a reload by these, not by name. */
export function instanceKey(config: VrrpInstanceConfig): string {
  const virtual = config.virtualInterfaces.map(({ name, base }) => `${name}@${base}`).join();
  return `${config.interface}|${config.family}|${config.virtualRouterId}|${config.transport.kind}|${virtual}`;
}
