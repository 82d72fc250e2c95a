/** The words behind `holdfast sim`, and its help. */
import { parseArgs } from "node:util";
import type { Policy } from "../core/database/config.ts";
import { runSimCommand, type SimCommandOptions, type SimIo } from "./command.ts";
import { NODES_MAX } from "./options.ts";

const HELP = `Usage: holdfast sim [options]

Runs whole clusters in virtual time on the daemon's own code, with seeded faults, and checks after every event that
nothing happens that must not. What is not given is drawn from the seed.

  --seed N               first seed (default 1)
  --runs K               seeds N, N+1, ... K of them (default 1)
  --hours H              simulated hours of each run (default 1)
  --nodes N              2 to ${NODES_MAX}
  --instances N          virtual routers on every node, 1 to 8
  --vrrp-version 2|3
  --interval MS          advert interval in milliseconds
  --[no-]nopreempt       --[no-]equal-priorities   --[no-]gates
  --[no-]unicast         --[no-]mixed-intervals    --[no-]groups
  --[no-]fence           \`fence strict\`
  --lease default|off
  --no-faults            nothing goes wrong
  --mysql                a managed pair of MariaDB servers with clients that write, instead of elections alone; of the
                         options above it takes --seed, --runs, --hours and --no-faults
  --redis                the same with a managed pair of Redis servers
  --quorum               two or three hosts that ask a quorum store before they claim; it takes --nodes as well
  --policy P             of that pair or group: availability, balanced or consistency (default balanced, with --quorum consistency)
  --json                 one JSON object a run
  --help

Exit code 0: nothing violated. 1: a violation; the last line is the command that replays it. 2: wrong usage.`;

const SWITCHES = [
  "nopreempt",
  "equal-priorities",
  "gates",
  "fence",
  "unicast",
  "mixed-intervals",
  "groups",
  "faults",
] as const;

class UsageError extends Error {}

export async function runSimArguments(
  args: readonly string[],
  io: SimIo,
  err: (line: string) => void,
): Promise<number> {
  try {
    const options = readOptions(args);
    if (options !== null) return await runSimCommand(options, io);
    for (const line of HELP.split("\n")) io.out(line);
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
    if (!usage) throw error;
    err(`holdfast sim: ${error.message}`);
    err("              see holdfast sim --help");
    return 2;
  }
}

/** Null when help was asked for. */
export function readOptions(args: readonly string[]): SimCommandOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      runs: { type: "string" },
      hours: { type: "string" },
      nodes: { type: "string" },
      instances: { type: "string" },
      "vrrp-version": { type: "string" },
      interval: { type: "string" },
      lease: { type: "string" },
      json: { type: "boolean" },
      mysql: { type: "boolean" },
      redis: { type: "boolean" },
      quorum: { type: "boolean" },
      policy: { type: "string" },
      help: { type: "boolean", short: "h" },
      ...Object.fromEntries(
        SWITCHES.flatMap((name) => [name, `no-${name}`]).map((name) => [name, { type: "boolean" }]),
      ),
    } as const,
    strict: true,
  });
  const given = values as Given;
  if (given.help === true) return null;
  const version = numberOf(given, "vrrp-version", 2, 3);
  const interval = numberOf(given, "interval", 10, 40_950);
  const nodes = numberOf(given, "nodes", 2, NODES_MAX);
  const instances = numberOf(given, "instances", 1, 8);
  return {
    seed: numberOf(given, "seed", 0, Number.MAX_SAFE_INTEGER) ?? 1,
    runs: numberOf(given, "runs", 1, 1_000_000) ?? 1,
    hours: hoursOf(given),
    json: given.json === true,
    ...pairOf(given),
    ...(nodes === undefined ? {} : { nodes }),
    ...(instances === undefined ? {} : { instances }),
    ...(version === undefined ? {} : { version: version === 2 ? 2 : 3 }),
    ...(interval === undefined ? {} : { intervalMillis: checkedInterval(interval, version) }),
    ...leaseOf(given),
    ...switchesOf(given),
  };
}

interface Given {
  readonly [name: string]: string | boolean | undefined;
  readonly help?: boolean;
  readonly json?: boolean;
  readonly hours?: string;
  readonly lease?: string;
}

function numberOf(given: Given, name: string, low: number, high: number): number | undefined {
  const text = given[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new UsageError(`--${name} ${String(text)}: give a whole number from ${low} to ${high}`);
  }
  return value;
}

function hoursOf(given: Given): number {
  const text = given.hours ?? "1";
  const value = Number(text);
  if (!(value > 0 && value <= 100_000))
    throw new UsageError(`--hours ${String(text)}: give a number above 0, such as 0.5`);
  return value;
}

function checkedInterval(millis: number, version: number | undefined): number {
  if (millis % 10 !== 0) throw new UsageError(`--interval ${millis}: version 3 counts in steps of 10 ms`);
  if (version === 2 && millis % 1_000 !== 0) {
    throw new UsageError(`--interval ${millis}: version 2 counts whole seconds; give 1000 or --vrrp-version 3`);
  }
  return millis;
}

const POLICIES: readonly Policy[] = ["availability", "balanced", "consistency"];

function pairOf(given: Given): Pick<SimCommandOptions, "mysql" | "redis" | "quorum" | "policy"> {
  const { policy } = given;
  const kind = { mysql: given.mysql === true, redis: given.redis === true, quorum: given.quorum === true };
  const kinds = Object.values(kind).filter((wanted) => wanted).length;
  if (kinds > 1) throw new UsageError("--mysql, --redis and --quorum: give one of them");
  if (policy === undefined) return kind;
  const known = POLICIES.find((one) => one === policy);
  if (known === undefined) throw new UsageError(`--policy ${String(policy)}: give ${POLICIES.join(", ")}`);
  if (kinds === 0) {
    throw new UsageError("--policy is one of a managed group: give --mysql, --redis or --quorum as well");
  }
  return { ...kind, policy: known };
}

function leaseOf(given: Given): Pick<SimCommandOptions, "lease"> {
  const lease = given.lease;
  if (lease === undefined) return {};
  if (lease !== "default" && lease !== "off") throw new UsageError(`--lease ${String(lease)}: give default or off`);
  return { lease };
}

function switchesOf(given: Given): Partial<SimCommandOptions> {
  const switches: Record<string, boolean> = {};
  for (const name of SWITCHES) {
    const value = given[`no-${name}`] === true ? false : given[name];
    if (typeof value === "boolean")
      switches[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return switches;
}
