/** masterha_conf_host: adds a server's block to a configuration file or removes one. The rest of the file stays as it is. */
import { readFileSync } from "node:fs";
import { parseIni, withBlock } from "../core/mha/ini.ts";
import type { Options } from "../core/mha/options.ts";
import { PARAMETER, valueProblem } from "../core/mha/parameters.ts";
import { type MhaEnvironment, MhaError, wordsOf } from "./environment.ts";
import { removeBlock, replaceFile } from "./guard.ts";

export function confHost(env: MhaEnvironment, options: Options): number {
  const conf = options.text("conf");
  const hostname = options.text("hostname");
  const command = options.text("command");
  if (command === null) throw new MhaError("--command=<add|delete> must be set.");
  if (conf === null) throw new MhaError("--conf=<target_conf_file> must be set.");
  const block = blockName(options.text("block"), hostname);
  switch (command) {
    case "add":
      if (hostname === null) throw new MhaError("--hostname=<new_host_name> must be set.");
      add(conf, block, [["hostname", hostname], ...parameters(options.text("params") ?? "")]);
      env.out(`Wrote ${block} entry to ${conf} .\n`);
      return 0;
    case "delete":
    case "remove":
      removeBlock(conf, block);
      env.out(`Deleted ${block} entry from ${conf} .\n`);
      return 0;
    default:
      throw new MhaError(`--command=${command} is unknown; add or delete`);
  }
}

function blockName(block: string | null, hostname: string | null): string {
  if (block !== null) return block.startsWith("server") ? block : `server${block}`;
  if (hostname !== null) return `server_${hostname}`;
  throw new MhaError("--block=<block_name> must be set.");
}

/** `name=value;name=value`. */
function parameters(text: string): readonly (readonly [string, string])[] {
  return text
    .split(";")
    .filter((one) => one.trim() !== "")
    .map((one) => {
      const split = one.indexOf("=");
      const [name, value] = [one.slice(0, split).trim(), one.slice(split + 1).trim()];
      const parameter = split > 0 ? PARAMETER.get(name) : undefined;
      if (parameter === undefined) throw new MhaError(`Parameter name ${split > 0 ? name : one} is invalid!`);
      const problem = valueProblem(parameter, value);
      if (problem !== null) throw new MhaError(problem);
      return [name, value] as const;
    });
}

function add(conf: string, block: string, entries: readonly (readonly [string, string])[]): void {
  let text: string;
  try {
    text = readFileSync(conf, "utf8");
  } catch (error) {
    throw new MhaError(`${conf} cannot be read: ${wordsOf(error)}`);
  }
  const blocks = parseIni(text);
  if (!blocks.ok) throw new MhaError(`${conf}:${blocks.error.line}: ${blocks.error.text}`);
  if (blocks.value.some(({ name }) => name === block)) throw new MhaError(`Entry ${block} already exists on ${conf} .`);
  replaceFile(conf, withBlock(text, block, entries));
}
