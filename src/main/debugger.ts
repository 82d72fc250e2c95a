/**
 * Keeps Node's debugger shut. Until a listener is there, Node opens it on SIGUSR1 for everybody on this host who can
 * reach 127.0.0.1:9229, and a data dump asked for a moment too early would be such a signal. `--inspect` and
 * NODE_OPTIONS stay what they are: who starts the daemon with them wants it.
 */
import inspector from "node:inspector";

/** Also in node --help from version 22.14 on; before that an address that no host can bind (0.0.0.0/8, RFC 1122) does it. */
const SWITCH = "--disable-sigusr1";
const NOWHERE = "--inspect-port=0.0.0.1:9229";

/** Options for every Node process that we start ourselves. */
export function debuggerOptions(known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags): readonly string[] {
  return [known.has(SWITCH) ? SWITCH : NOWHERE];
}

const ASKED_FOR = /^--inspect(?:-brk|-wait)?(?:=|$)/;

/** From here on the signal does nothing of Node's; if it came before, its effect is undone. */
export function closeDebugger(): void {
  process.on("SIGUSR1", () => undefined);
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(/\s+/)];
  if (inspector.url() !== undefined && !given.some((option) => ASKED_FOR.test(option))) inspector.close();
}
