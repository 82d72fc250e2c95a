/** startup_script and shutdown_script: run once, awaited, ended when their time is over. Their result is told, not judged. */
import type { TimedCommand } from "../core/config/model.ts";
import type { HostEventBody } from "../core/events/host-events.ts";
import type { ScriptPolicy } from "../ports/spawner.ts";
import { type CommandRun, type CommandTools, runCommand } from "./command-run.ts";

export interface DaemonScripts {
  run(script: "startup_script" | "shutdown_script", order: TimedCommand): Promise<void>;
  /** The daemon stops while startup_script runs. */
  endStartup(): void;
  kill(): void;
}

export function createDaemonScripts(
  tools: CommandTools,
  host: { readonly publish: (body: HostEventBody) => void; readonly policy: () => ScriptPolicy },
): DaemonScripts {
  let running: { readonly run: CommandRun; readonly script: string } | null = null;
  let killed = false;
  return {
    run: (script, { command, timeout }) =>
      new Promise((resolve) => {
        if (killed) {
          resolve();
          return;
        }
        const order = { command, policy: host.policy(), env: {}, timeout, patient: false };
        const run = runCommand(tools, order, {
          onEnd: ({ outcome, lastError }) => {
            running = null;
            host.publish({ kind: "daemon-script", script, command: command.text, outcome, lastError });
            resolve();
          },
        });
        running = { run, script };
      }),
    endStartup() {
      if (running?.script === "startup_script") running.run.cancel();
    },
    kill() {
      killed = true;
      running?.run.kill();
    },
  };
}
