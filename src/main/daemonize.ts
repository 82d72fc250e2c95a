/**
 * Leaves the terminal: starts the same command again in a session of its own and waits until that daemon says that it
 * runs, so that an init script sees a refusal in the exit code. Node cannot fork.
 */
import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { ignoreRealtimeSignals } from "../linux/process.ts";
import { debuggerOptions } from "./debugger.ts";
import { DETACHED_MARK } from "./detached-mark.ts";

const REPORT_FD = 3;
const READY = "ready";

/** The exit code for the command that the administrator typed. */
export function daemonize(): Promise<number> {
  // What is ignored stays ignored in the child: it is safe from the real-time signals before it has taken them.
  ignoreRealtimeSignals();
  return new Promise((resolve) => {
    const options = [...new Set([...process.execArgv, ...debuggerOptions()])];
    const child = spawn(process.execPath, [...options, ...process.argv.slice(1)], {
      detached: true,
      env: { ...process.env, [DETACHED_MARK]: "1" },
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    let report = "";
    const link = child.stdio[REPORT_FD] as Readable;
    link.setEncoding("utf8");
    link.on("data", (text: string) => {
      report += text;
    });
    child.on("error", (error) => {
      report = error.message;
    });
    link.on("close", () => {
      if (report === READY) {
        child.unref();
        return resolve(0);
      }
      process.stderr.write(
        `holdfast: ${report || "the daemon ended before it was ready"}; start it with -n to see its whole log\n`,
      );
      // Its own code says more than "failed": 2 no usable instance, 6 no file, as in the foreground.
      if (child.pid === undefined || child.exitCode !== null) return resolve(child.exitCode || 1);
      child.once("exit", (code) => resolve(code || 1));
    });
  });
}

/** Tells the waiting command; nothing to tell means ready. */
export function reportToStarter(problem: string | null): void {
  writeSync(REPORT_FD, problem ?? READY);
  closeSync(REPORT_FD);
}
