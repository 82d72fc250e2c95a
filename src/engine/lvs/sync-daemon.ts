/**
 * lvs_sync_daemon: the kernel's threads that pass connections to the other director. With an instance its state decides which of the two runs
 * (MASTER sends, everything else listens); without one both do. A reload that changes nothing of it leaves them alone.
 */
import type { IpvsEventBody } from "../../core/events/ipvs-events.ts";
import type { SyncDaemonConfig } from "../../core/lvs/config.ts";
import type { SyncDaemon } from "../../core/lvs/ipvs/model.ts";
import type { VrrpStateName } from "../../core/vrrp/state.ts";
import type { IpvsPort } from "../../ports/ipvs.ts";

export interface SyncDaemons {
  /** What ought to run; null: nothing of ours. */
  want(config: SyncDaemonConfig | null, id: number): void;
  entered(instance: string, state: VrrpStateName): void;
  /** The kernel has IPVS again. */
  repeat(): void;
  stop(): void;
}

interface Role {
  readonly role: SyncDaemon["state"];
  readonly daemon: SyncDaemon;
}

export function createSyncDaemons(ipvs: IpvsPort, publish: (body: IpvsEventBody) => void): SyncDaemons {
  let config: SyncDaemonConfig | null = null;
  let id = 0;
  let master = false;
  const states = new Map<string, VrrpStateName>();
  const running = new Map<SyncDaemon["state"], SyncDaemon>();

  const tell = ({ role, daemon }: Role, action: "started" | "stopped" | "failed", detail = ""): void =>
    publish({ kind: "ipvs-sync", role, action, interface: daemon.interface, id: daemon.id, detail });

  const stopRole = (role: SyncDaemon["state"]): void => {
    const daemon = running.get(role);
    if (daemon === undefined) return;
    const [error] = ipvs.apply([{ kind: "stop-daemon", state: role }]);
    running.delete(role);
    // ESRCH: somebody has stopped it.
    if (error === null || error?.errno === "ESRCH") tell({ role, daemon }, "stopped");
    else tell({ role, daemon }, "failed", `${error?.what}: ${error?.errno}`);
  };

  const startRole = ({ role, daemon }: Role): void => {
    let [error] = ipvs.apply([{ kind: "start-daemon", daemon }]);
    if (error?.errno === "EEXIST") {
      // Left by an earlier life, with whatever settings: it holds no state of its own.
      [, error] = ipvs.apply([
        { kind: "stop-daemon", state: role },
        { kind: "start-daemon", daemon },
      ]);
    }
    if (error === null) {
      running.set(role, daemon);
      tell({ role, daemon }, "started");
    } else tell({ role, daemon }, "failed", `${error?.what}: ${error?.errno}`);
  };

  const wanted = (): readonly Role[] => {
    if (config === null) return [];
    const { interface: device, maxLength, port, ttl, group, instance } = config;
    const roles = instance === null ? (["master", "backup"] as const) : ([master ? "master" : "backup"] as const);
    return roles.map((role) => ({ role, daemon: { state: role, interface: device, id, maxLength, group, port, ttl } }));
  };

  const apply = (): void => {
    const roles = wanted();
    for (const [role, daemon] of running) {
      const still = roles.some((one) => one.role === role && JSON.stringify(one.daemon) === JSON.stringify(daemon));
      if (!still) stopRole(role);
    }
    for (const role of roles) if (!running.has(role.role)) startRole(role);
  };

  return {
    want(next, nextId) {
      if (next?.instance !== config?.instance) master = states.get(next?.instance ?? "") === "MASTER";
      config = next;
      id = nextId;
      apply();
    },
    entered(instance, state) {
      states.set(instance, state);
      if (config?.instance !== instance) return;
      master = state === "MASTER";
      apply();
    },
    repeat() {
      running.clear();
      apply();
    },
    stop() {
      config = null;
      apply();
    },
  };
}
