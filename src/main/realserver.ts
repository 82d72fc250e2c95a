/**
 * `holdfast realserver up|down|status ADDRESS`: what a real server of LVS needs on its own host, without a daemon. Which settings those are,
 * and what is wrong, core/lvs/real-server-side.ts knows.
 */
import { parseArgs } from "node:util";
import { EXIT } from "../cli/exit-codes.ts";
import { type IpAddress, parseIp } from "../core/lib/ip.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { findServerFaults, type ServerMethod } from "../core/lvs/real-server-side.ts";
import { createArena } from "../linux/arena.ts";
import { openRealServerHost, type RealServerHost } from "../linux/real-server.ts";

const HELP = `Usage: holdfast realserver up|down|status ADDRESS [--method dr|tun|nat] [--director ADDRESS] [--json]

Makes this host a real server behind the virtual ADDRESS, or says what keeps it from being one.

  up        dr: ADDRESS on lo, arp_ignore 1, arp_announce 2. tun: the same on tunl0, rp_filter 2 there.
  down      takes ADDRESS off again.
  status    what is missing or wrong, with the remedy. Exit code 1 when something is.

  --method    how the director forwards: dr (default), tun, nat
  --director  nat: the director's address on this network, which must be the default gateway
  --json      answer as JSON`;

export interface CommandIo {
  /** Whole lines without their newline. */
  out(text: string): void;
  err(text: string): void;
}

interface Question {
  readonly action: "up" | "down" | "status";
  readonly method: ServerMethod;
  readonly address: IpAddress;
  readonly director: IpAddress | null;
  readonly json: boolean;
}

export function runRealServer(words: readonly string[], io: CommandIo): number {
  if (words.length === 0 || words.includes("--help")) {
    io.out(HELP);
    return EXIT.ok;
  }
  const question = readQuestion(words);
  if (!question.ok) {
    io.err(`holdfast: ${question.error}`);
    io.err("          see `holdfast realserver --help`");
    return EXIT.usage;
  }
  try {
    const host = openRealServerHost(createArena(1024 * 1024));
    const code = carryOut(question.value, host, io);
    host.close();
    return code;
  } catch (error) {
    io.err(`holdfast: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failed;
  }
}

function carryOut(question: Question, host: RealServerHost, io: CommandIo): number {
  const { action, director, json } = question;
  const done = action === "status" ? [] : host[action](question);
  // After down there is nothing to be right.
  const findings = action === "down" ? [] : findServerFaults(host.facts(question, director));
  if (json) io.out(JSON.stringify({ done, findings }, null, 2));
  else {
    for (const line of done) io.out(line);
    for (const { problem, remedy } of findings) io.out(`${problem}\n  = ${remedy}`);
    if (findings.length === 0 && action === "status") io.out("This host is a real server as it should be.");
  }
  return findings.length === 0 ? EXIT.ok : EXIT.failed;
}

const OPTIONS = {
  method: { type: "string" },
  director: { type: "string" },
  json: { type: "boolean" },
} as const;

const ACTIONS = ["up", "down", "status"] as const;
const METHODS = ["dr", "tun", "nat"] as const;

function readQuestion(words: readonly string[]): Result<Question, string> {
  const parsed = parse(words);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  const [first, text, extra] = positionals;
  const action = ACTIONS.find((one) => one === first);
  if (action === undefined) return err(`\`${first ?? ""}\` is none of up, down, status`);
  const address = parseIp(text?.split("/")[0] ?? "");
  if (address === null) return err(`\`${text ?? ""}\` is no address`);
  if (extra !== undefined) return err(`\`${extra}\` is one word too many`);
  const method = METHODS.find((one) => one === (values.method ?? "dr").toLowerCase());
  if (method === undefined) return err(`--method takes ${METHODS.join(", ")}`);
  const director = values.director === undefined ? null : parseIp(values.director);
  if (values.director !== undefined && director === null) return err(`--director ${values.director} is no address`);
  return ok({ action, method, address, director, json: values.json === true });
}

function parse(words: readonly string[]) {
  try {
    return ok(parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true }));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
