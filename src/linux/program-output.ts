/** Runs a program of the system to its end and gives what it wrote. No shell; a limit of time and of size. */
import { execFile } from "node:child_process";

export interface ProgramOutput {
  /** `missing`: there is no such program. `failed`: it ended with an error, or not in time. */
  readonly outcome: "done" | "missing" | "failed";
  readonly stdout: string;
  /** Why not, in words. */
  readonly detail: string;
}

/** Administrators' programs are beside the path of ordinary users. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const TIMEOUT_MILLIS = 5_000;
const BYTES_MAX = 64 * 1024 * 1024;

export function runProgram(name: string, words: readonly string[]): Promise<ProgramOutput> {
  const options = { env: { PATH, LC_ALL: "C" }, timeout: TIMEOUT_MILLIS, maxBuffer: BYTES_MAX };
  return new Promise((resolve) => {
    execFile(name, [...words], options, (error, stdout, stderr) => {
      if (error === null) return resolve({ outcome: "done", stdout, detail: "" });
      if (error.code === "ENOENT")
        return resolve({ outcome: "missing", stdout: "", detail: `${name} is not installed` });
      const said = stderr.trim().split("\n")[0] ?? "";
      const why = error.killed === true ? `no answer within ${TIMEOUT_MILLIS / 1_000} s` : said || error.message;
      resolve({ outcome: "failed", stdout, detail: `${name}: ${why}` });
    });
  });
}
