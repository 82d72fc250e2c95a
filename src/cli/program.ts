/**
 * The command line: which words mean which command. Commands are loaded when they run. What the CLI layer may not
 * import (daemon, simulator, laboratory, configuration test) is given by the composition root.
 */
import { Command, CommanderError, Option } from "commander";
import { asking, type Done, type Invocation, json, never, untilStopped } from "./asking.ts";
import type { CheckOptions } from "./check.ts";
import { CHECK_FORMATS, type CheckFormat } from "./check-formats.ts";
import type { EventsOptions, HistoryOptions, ReadOffline } from "./commands/history.ts";
import type { HostDoctor } from "./commands/host-doctor.ts";
import type { ReloadOptions } from "./commands/reload.ts";
import type { RestartOptions } from "./commands/restart.ts";
import type { StatusOptions } from "./commands/status.ts";
import { addDatabaseCommands } from "./database-commands.ts";
import { CliError, EXIT, EXIT_CODES_HELP } from "./exit-codes.ts";
import { canonicalWords } from "./getopt.ts";
import { addHttpCommands } from "./http-commands.ts";
import { addLvsCommands } from "./lvs-commands.ts";
import type { PlaceOptions } from "./paths.ts";
import {
  type ConfigTestOptions,
  DEFAULT_CONFIG_FILE,
  optionSpecs,
  type RawOptions,
  type RunOptions,
  runOptions,
  SIGNALS,
  toRunOptions,
} from "./run-options.ts";
import type { Terminal } from "./terminal.ts";
import { addWitness, type WitnessOptions } from "./witness-options.ts";

/** A command whose options are its own: it gets the words behind its name and returns the exit code. */
export type ForeignCommand = (args: readonly string[]) => Promise<number>;

export interface ProgramParts {
  readonly version: string;
  readonly runDaemon: (options: RunOptions) => Promise<number>;
  /** `-t`: keepalived's exit codes. */
  readonly testConfig: (options: ConfigTestOptions) => Promise<number>;
  readonly check: (options: CheckOptions) => Promise<number>;
  /** `doctor` without a name. */
  readonly hostDoctor: HostDoctor;
  /** `lsp`: until the editor ends it. */
  readonly languageServer: (mainFile: string) => Promise<number>;
  readonly sim: ForeignCommand;
  readonly lab: ForeignCommand;
  readonly mha: ForeignCommand;
  readonly probe: ForeignCommand;
  readonly genhash: ForeignCommand;
  readonly realserver: ForeignCommand;
  readonly witness: (options: WitnessOptions) => Promise<number>;
  readonly readOffline: ReadOffline;
}

/** Runs the words behind the program's name; returns the exit code. */
export async function runProgram(
  args: readonly string[],
  parts: ProgramParts,
  invocation: Invocation,
): Promise<number> {
  const { terminal } = invocation;
  if (isGenhash(args)) return await parts.genhash(args.slice(1));
  let exitCode: number = EXIT.ok;
  const program = buildProgram(parts, invocation, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(canonicalRun(withDefaultCommand(args), terminal), { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof CliError)) throw error;
    terminal.err(`holdfast: ${error.message}\n`);
    if (error.remedy !== null) terminal.err(`          ${error.remedy}\n`);
    return error.exitCode;
  }
}

/** keepalived's -T comes first and is another program: what follows are its own options, which must not start the daemon. */
const isGenhash = ([first]: readonly string[]): boolean => first === "-T" || first === "--genhash";

const OURS = new Set(["--help", "-h", "--version", "-v"]);

/** Options without a command are keepalived's: `holdfast -f FILE -n` runs the daemon. */
export function withDefaultCommand(args: readonly string[]): readonly string[] {
  const [first] = args;
  if (first === undefined) return ["--help"];
  return first.startsWith("-") && !(args.length === 1 && OURS.has(first)) ? ["run", ...args] : args;
}

const HELP = { short: "-h", long: "--help", value: "none" } as const;

/** The daemon's options are read as keepalived reads them, before commander sees them. */
function canonicalRun(args: readonly string[], terminal: Terminal): readonly string[] {
  const [command, ...words] = args;
  if (command !== "run") return args;
  const { options, operands } = canonicalWords(words, [...optionSpecs(), HELP]);
  if (operands.length > 0) terminal.err(`holdfast: unexpected argument(s): ${operands.join(" ")}; they are ignored\n`);
  return [command, ...options];
}

/** All commands with their options; docs/cli.md is written from them. */
export function buildProgram(parts: ProgramParts, invocation: Invocation, done: Done): Command {
  const { terminal } = invocation;
  const program = new Command("holdfast")
    .description("Keeps a database's address on a server that is alive, up to date and allowed to write.")
    .version(versionText(parts.version), "-v, --version", "show the version")
    .addHelpText(
      "after",
      `\nWithout a command, keepalived's options run the daemon: holdfast -f FILE -n -p PIDFILE.\n${EXIT_CODES_HELP}`,
    )
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text, write) => write(`holdfast: ${text.replace(/^error: /, "")}`),
    })
    .showHelpAfterError("          see `holdfast --help`");
  addRun(program, parts, invocation, done);
  addCheck(program, parts, done);
  addLsp(program, parts, done);
  addQuestions(program, invocation, done);
  addDatabaseCommands(program, { invocation, done, hostDoctor: parts.hostDoctor });
  addLvsCommands(program, invocation, done);
  addHttpCommands(program, invocation, done);
  addWitness(program, parts.witness, done);
  addJournal(program, { parts, invocation, done });
  for (const [name, doc, run] of foreign(parts)) {
    program
      .command(name)
      .description(doc)
      .argument("[words...]")
      .allowUnknownOption()
      .helpOption(false)
      .passThroughOptions()
      .action(async (words: string[]) => done(await run(words)));
  }
  for (const command of program.commands) {
    command.showHelpAfterError(`          see \`holdfast ${command.name()} --help\``);
  }
  return program;
}

const versionText = (version: string): string => `Holdfast v${version}`;

function foreign(parts: ProgramParts): readonly (readonly [string, string, ForeignCommand])[] {
  return [
    ["probe", "ask a database server once whether it is good; for check scripts", parts.probe],
    ["realserver", "make this host a real server behind a virtual address (LVS)", parts.realserver],
    ["genhash", "print the MD5 sum of a page, for HTTP_GET's digest", parts.genhash],
    ["sim", "run whole clusters in virtual time", parts.sim],
    ["lab", "private hosts to learn and rehearse on", parts.lab],
    ["mha", "one master, many replicas: MHA's commands", parts.mha],
  ];
}

const GENHASH_FIRST = "-T must be the first word: genhash is a program of its own";

function addRun(program: Command, parts: ProgramParts, { terminal }: Invocation, done: Done): void {
  const run = program.command("run").description("run the daemon (takes keepalived's options)");
  for (const option of runOptions()) run.addOption(option);
  run.action(async (raw: RawOptions) => {
    if (raw.genhash === true)
      throw new CliError(GENHASH_FIRST, EXIT.usage, "write holdfast genhash -s ADDRESS -p PORT -u PATH");
    if (raw.version === true) return terminal.out(`${versionText(parts.version)}\n`);
    if (typeof raw.signum === "string") return done(printSignal(terminal, raw.signum));
    const options = toRunOptions(raw, terminal.env);
    if (raw.configTest !== undefined) {
      const { file, configId, allConfig, problems } = options;
      const logFile = typeof raw.configTest === "string" ? raw.configTest.replace(/^=/, "") : null;
      return done(await parts.testConfig({ file, configId, allConfig, problems, logFile }));
    }
    return done(await parts.runDaemon(options));
  });
}

interface CheckWords {
  readonly useFile?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly configId?: string;
  readonly format?: CheckFormat;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
}

function addCheck(program: Command, parts: ProgramParts, done: Done): void {
  program
    .command("check")
    .description("test the configuration and point out known traps")
    .argument("[file]", `configuration file (default: ${DEFAULT_CONFIG_FILE})`)
    .argument("[peer]", "the other host's file: what does not fit between the two is pointed out")
    .option("-f, --use-file <file>", "the same, as keepalived has it")
    .option("-i, --config-id <id>", "id that lines beginning with @id are compared with")
    .option("--strict", "warnings count: exit code 1")
    .addOption(new Option("--format <format>", "findings for other programs").choices(CHECK_FORMATS).conflicts("json"))
    .addOption(json())
    .addOption(new Option("--fix", "make the corrections that are safe, and show them").conflicts(["json", "format"]))
    .option("--dry-run", "with --fix: show them only")
    .action(async (named: string | undefined, peer: string | undefined, words: CheckWords) => {
      done(await parts.check(checkOptions(named ?? words.useFile ?? DEFAULT_CONFIG_FILE, peer, words)));
    });
}

function addLsp(program: Command, parts: ProgramParts, done: Done): void {
  program
    .command("lsp")
    .description("language server for editors, on standard input and output: findings, hover, completion, corrections")
    .option("-f, --use-file <file>", "main file; what it includes is checked as a part of it", DEFAULT_CONFIG_FILE)
    // Editors add it; there is no other way.
    .addOption(new Option("--stdio", "as is always so").hideHelp())
    .action(async ({ useFile }: { readonly useFile: string }) => done(await parts.languageServer(useFile)));
}

function checkOptions(file: string, peer: string | undefined, words: CheckWords): CheckOptions {
  const { strict, json: asJson, configId, format } = words;
  const fix = fixMode(words, peer);
  return {
    file,
    strict: strict === true,
    ...(peer === undefined ? {} : { peer }),
    ...(format === undefined ? {} : { format }),
    json: asJson === true,
    ...(fix === null ? {} : { fix }),
    ...(configId === undefined ? {} : { configId }),
  };
}

function fixMode({ fix, dryRun }: CheckWords, peer: string | undefined): "write" | "dry" | null {
  if (dryRun === true && fix !== true)
    throw new CliError("--dry-run belongs to --fix", EXIT.usage, "write holdfast check --fix --dry-run FILE");
  if (fix !== true) return null;
  if (peer !== undefined)
    throw new CliError("--fix corrects one host's file", EXIT.usage, "write it once for each file");
  return dryRun === true ? "dry" : "write";
}

function printSignal(terminal: Terminal, name: string): number {
  const number = SIGNALS[name];
  if (number === undefined)
    throw new CliError(`unknown signal ${name}`, EXIT.failed, `known: ${Object.keys(SIGNALS).join(", ")}`);
  terminal.out(`${number}\n`);
  return EXIT.ok;
}

function addQuestions(program: Command, invocation: Invocation, done: Done): void {
  const { terminal, interrupt } = invocation;
  asking(program, "status", "who holds what, and since when")
    .option("-w, --watch", "again every second, until Ctrl-C")
    .addOption(
      new Option(
        "--wait <instance=state>",
        "until it is so; MASTER counts when the address is held and announced",
      ).conflicts("watch"),
    )
    .option("--timeout <seconds>", "how long --wait waits (default: 60)")
    .action(async (options: PlaceOptions & StatusOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { statusCommand } = await import("./commands/status.ts");
      const waits = options.wait !== undefined;
      const signal = waits ? interrupt() : options.watch === true ? await untilStopped(invocation) : never();
      done(await statusCommand(contextFor(terminal, options, signal), options));
    });
  asking(program, "explain", "why is it so: the chain of causes, and what comes next")
    .argument("[name]", "an instance, a real server (ADDRESS:PORT) or a virtual service as lvs status shows it")
    .action(async (name: string | undefined, options: PlaceOptions & { readonly json?: boolean }) => {
      const { contextFor } = await import("./commands/context.ts");
      const { explainCommand } = await import("./commands/explain.ts");
      done(await explainCommand(contextFor(terminal, options, never()), name, options));
    });
  asking(program, "log-level", "how much the daemon logs, from now on; without LEVEL the level it has")
    .argument("[level]", "error, warning, info, detail (as -D) or debug (each packet and timer)")
    .action(async (level: string | undefined, options: PlaceOptions & { readonly json?: boolean }) => {
      const { contextFor } = await import("./commands/context.ts");
      const { logLevelCommand } = await import("./commands/log-level.ts");
      done(await logLevelCommand(contextFor(terminal, options, never()), level, options));
    });
  asking(program, "dump", "write keepalived's dump files, as its signals do; prints their paths")
    .argument("<kind>", "data (USR1), stats (USR2), stats-clear (SIGRTMAX-1) or json (SIGRTMIN+2)")
    .action(async (kind: string, options: PlaceOptions & { readonly json?: boolean }) => {
      const { contextFor } = await import("./commands/context.ts");
      const { dumpCommand } = await import("./commands/dump.ts");
      done(await dumpCommand(contextFor(terminal, options, never()), kind, options));
    });
  asking(program, "reload", "read the configuration again")
    .option("--dry-run", "only say what would change")
    .action(async (options: PlaceOptions & ReloadOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { reloadCommand } = await import("./commands/reload.ts");
      done(await reloadCommand(contextFor(terminal, options, never()), options));
    });
  asking(program, "restart", "begin anew as the version that is installed now; addresses stay where they are")
    .option("--dry-run", "only say whether that is possible")
    .action(async (options: PlaceOptions & RestartOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { restartCommand } = await import("./commands/restart.ts");
      done(await restartCommand(contextFor(terminal, options, never()), options));
    });
}

interface JournalSetting {
  readonly parts: ProgramParts;
  readonly invocation: Invocation;
  readonly done: Done;
}

function addJournal(program: Command, { parts, invocation, done }: JournalSetting): void {
  const { terminal } = invocation;
  const filtered = (command: Command): Command =>
    command
      .option("--instance <name>", "only what concerns this instance")
      .option("--server <name>", "only what names this real server or virtual service")
      .option("--since <sequence>", "only events after this sequence number")
      .option("--limit <count>", "at most so many, the latest (default: 200)");
  filtered(asking(program, "history", "the journal, readable; also when the daemon is down"))
    .option("--kind <kind>", "only events of this kind: vrrp, check, hook-ended, reload ...")
    .option("--state-dir <dir>", "read the journal in this directory, without asking a daemon")
    .action(async (options: PlaceOptions & HistoryOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { historyCommand } = await import("./commands/history.ts");
      const { stateDirectory } = await import("./paths.ts");
      const offline = options.stateDir !== undefined;
      const setting = { readOffline: parts.readOffline, stateDir: stateDirectory(options), offline };
      done(await historyCommand(contextFor(terminal, options, never()), options, setting));
    });
  filtered(asking(program, "events", "what has just happened, or happens now"))
    .addOption(new Option("-f, --follow", "as it happens, until Ctrl-C").conflicts("limit"))
    .action(async (options: PlaceOptions & EventsOptions) => {
      const { contextFor } = await import("./commands/context.ts");
      const { eventsCommand } = await import("./commands/history.ts");
      const signal = options.follow === true ? await untilStopped(invocation) : never();
      done(await eventsCommand(contextFor(terminal, options, signal), options));
    });
}
