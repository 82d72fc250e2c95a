/**
 * Makes programs die with control: they are started through setpriv(1), which sets PR_SET_PDEATHSIG (prctl(2)) after the
 * user change and becomes the program. Node cannot set it by itself, and nothing else ends a hook whose control process
 * was killed. Knows how to find setpriv and how to read its complaint; starts no administrator's program.
 *
 * What it cannot do: the signal reaches the program alone, not what the program has started; a set-user-ID program
 * clears it (prctl(2)); and control may die in the moment before setpriv has run.
 */
import { spawnSync } from "node:child_process";

/** The program's file follows. */
export const DEATH_SIGNAL_ARGS: readonly string[] = ["--pdeathsig", "KILL", "--"];
/** The name under which setpriv complains, so that its complaint is not taken for the program's. */
export const STARTER_NAME = "holdfast-start";

const CANDIDATES = ["/usr/bin/setpriv", "/bin/setpriv"];
const PROBE_MILLIS = 5_000;

/** Path of a setpriv that can do it, tried out once; null when there is none. */
export function findSetpriv(candidates: readonly string[] = CANDIDATES): string | null {
  const works = (path: string): boolean =>
    spawnSync(path, [...DEATH_SIGNAL_ARGS, "/bin/sh", "-c", ":"], {
      argv0: STARTER_NAME,
      stdio: "ignore",
      timeout: PROBE_MILLIS,
    }).status === 0;
  return candidates.find(works) ?? null;
}

/** setpriv ends with 127 or 126 when it cannot become the program (execvp(3)); null when it could. */
export function starterComplaint(
  code: number,
  stderr: string,
): { readonly code: string; readonly text: string } | null {
  if ((code !== 126 && code !== 127) || !stderr.startsWith(`${STARTER_NAME}: `)) return null;
  const text = stderr.slice(STARTER_NAME.length + 2).trim();
  if (code === 127) return { code: "ENOENT", text };
  if (text.endsWith("Exec format error")) return { code: "ENOEXEC", text };
  if (text.includes("Resource temporarily unavailable")) return { code: "EAGAIN", text };
  return { code: text.endsWith("Permission denied") ? "EACCES" : "EIO", text };
}
