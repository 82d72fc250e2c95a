/**
 * notify_up, notify_down, quorum_up and quorum_down: one at a time for each virtual server, in the order of what happened, with a limit.
 * keepalived starts them all at once and waits for none.
 */
import type { LvsEventBody } from "../../core/events/lvs-events.ts";
import { seconds } from "../../core/lib/units.ts";
import type { PoolEffect } from "../../core/lvs/effects.ts";
import type { ScriptPolicy } from "../../ports/spawner.ts";
import { type CommandRun, type CommandTools, runCommand } from "../command-run.ts";

/** What one script may take. */
const SCRIPT_LIMIT = seconds(60);
/** A script that hangs while servers flap: older calls are dropped beyond so many, the newest is what counts. */
const LONGEST_QUEUE = 256;

export type ServerScript = Omit<Extract<PoolEffect, { kind: "script" }>, "kind"> & { readonly service: string };

export interface ServerScripts {
  run(script: ServerScript, policy: ScriptPolicy): void;
  /** Resolves when all that were asked for have ended. */
  idle(): Promise<void>;
  kill(): void;
}

interface Call {
  readonly script: ServerScript;
  readonly policy: ScriptPolicy;
}

export function createServerScripts(tools: CommandTools, publish: (body: LvsEventBody) => void): ServerScripts {
  const queues = new Map<string, Call[]>();
  const running = new Map<string, CommandRun>();
  const waiting: (() => void)[] = [];

  const next = (service: string): void => {
    const call = queues.get(service)?.shift();
    if (call === undefined) {
      running.delete(service);
      queues.delete(service);
      if (running.size === 0) for (const resolve of waiting.splice(0)) resolve();
      return;
    }
    const { script, policy } = call;
    const { command, hook, server } = script;
    const env = { HOLDFAST_SERVER: server, HOLDFAST_SERVICE: service };
    const order = { command, policy, env, timeout: SCRIPT_LIMIT, patient: false };
    const run = runCommand(tools, order, {
      onEnd({ outcome, lastError, durationMillis }) {
        publish({
          kind: "server-script",
          service,
          server,
          hook,
          command: command.text,
          outcome,
          lastError,
          durationMillis,
        });
        next(service);
      },
    });
    running.set(service, run);
  };

  return {
    run(script, policy) {
      const queue = queues.get(script.service);
      if (queue !== undefined) {
        queue.push({ script, policy });
        if (queue.length > LONGEST_QUEUE) queue.shift();
        return;
      }
      queues.set(script.service, [{ script, policy }]);
      next(script.service);
    },
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    kill() {
      queues.clear();
      for (const run of running.values()) run.kill();
    },
  };
}
