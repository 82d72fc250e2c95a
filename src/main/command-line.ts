/**
 * The command `holdfast`: composition root of the command line. Gives the program what the CLI layer may not import, each
 * part loaded only when it is asked for.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { type ProgramParts, runProgram } from "../cli/program.ts";
import { endQuietlyWhenReaderLeaves, processTerminal } from "../cli/terminal.ts";

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

const outLine = (text: string): void => void process.stdout.write(`${text}\n`);
const errLine = (text: string): void => void process.stderr.write(`${text}\n`);

const readers = endQuietlyWhenReaderLeaves();

function parts(): ProgramParts {
  const version = packageVersion();
  return {
    version,
    runDaemon: async (options) => {
      // A log nobody reads any more (`holdfast run -n 2>&1 | head`) is no reason to give up the address.
      readers.ignore();
      const code = await (await import("./run-daemon.ts")).runDaemon(options, version);
      // Not process.exit(): it waits for worker threads, and one may hang in a dead file system. Output is synchronous.
      return (await import("../linux/process.ts")).exitNow(code);
    },
    testConfig: async ({ file, configId, logFile, allConfig, problems }) => {
      const { runConfigTest } = await import("../cli/check.ts");
      const err = logFile === null ? errLine : (text: string) => appendFileSync(logFile, `${text}\n`);
      const options = { file, allConfig, problems, ...(configId === null ? {} : { configId }) };
      return runConfigTest(options, await checkIo(err));
    },
    check: async (options) => (await import("../cli/check.ts")).runCheck(options, await checkIo(errLine)),
    hostDoctor: async (question, ask) => (await import("./host-doctor.ts")).lookAtHost(question, ask),
    languageServer: async (mainFile) => {
      const { runLanguageServer } = await import("../cli/language-server.ts");
      const { source } = await checkIo(errLine);
      return runLanguageServer({ source, version, mainFile, input: process.stdin, output: process.stdout });
    },
    sim: async (words) => {
      const { runSimArguments } = await import("../sim/arguments.ts");
      return runSimArguments(words, { out: outLine, progress: progress(), millis: () => performance.now() }, errLine);
    },
    lab: async (words) => {
      const { runLabCommand } = await import("../lab/command.ts");
      const out = (text: string): void => void process.stdout.write(text);
      return runLabCommand(words, { out, err: (text) => void process.stderr.write(text) });
    },
    mha: async (words) => {
      const { mhaCommand } = await import("./mha.ts");
      const code = await mhaCommand(words, version);
      // A name server that is silent keeps a thread of Node busy; output is synchronous.
      process.exit(code);
    },
    realserver: async (words) => {
      const { runRealServer } = await import("./realserver.ts");
      return runRealServer(words, { out: outLine, err: errLine });
    },
    witness: async (options) => {
      // As the daemon: a log nobody reads any more is no reason to stop.
      readers.ignore();
      const code = await (await import("./witness.ts")).runWitness(options, { version, line: errLine });
      return (await import("../linux/process.ts")).exitNow(code);
    },
    genhash: async (words) => {
      const { runGenhash } = await import("./genhash.ts");
      const code = await runGenhash(words, { out: outLine, err: errLine });
      // A socket that still waits for its deadline is nobody's any more.
      process.exit(code);
    },
    probe: async (words) => {
      const { runProbe } = await import("./probe.ts");
      const code = await runProbe(words, { home: process.env.HOME ?? null, out: outLine, err: errLine });
      // A name server that is silent keeps a thread of Node busy for longer than a check may take.
      process.exit(code);
    },
    readOffline: async ({ stateDir, limit, ...filter }) => {
      const { readJournal } = await import("../control/journal-reader.ts");
      const { events, problems } = await readJournal(stateDir, filter, limit);
      return { api: 1, events: [...events], problems: [...problems] };
    },
  };
}

async function checkIo(err: (text: string) => void) {
  const { createConfigSource } = await import("../linux/config-source.ts");
  const { rewriteFile } = await import("../linux/rewrite-file.ts");
  return { source: createConfigSource(), rewrite: rewriteFile, out: outLine, err };
}

/** One line that is written over, on a terminal only. */
function progress(): ((text: string) => void) | null {
  return process.stderr.isTTY ? (text) => void process.stderr.write(`\r\u001b[K${text}`) : null;
}

/** Ctrl-C ends what watches or follows; a second one ends anything. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  return controller.signal;
}

/** `holdfast events --follow | head -1` ends with head, not with the event after. */
async function readerLeft(): Promise<AbortSignal> {
  const { watchReader } = await import("../linux/reader-watch.ts");
  return watchReader(process.stdout.fd);
}

process.exitCode = await runProgram(process.argv.slice(2), parts(), {
  terminal: processTerminal(),
  interrupt: interruptSignal,
  readerLeft,
});
