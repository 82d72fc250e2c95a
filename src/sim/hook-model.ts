/**
 * The administrator's programs of one host, under the production hook engine: every program runs for a while of its
 * own; a gate program follows the mood of its host. The engine believes it talks to a real Spawner; examining answers at once,
 * because virtual time has no microtasks.
 */
import { compileGlobals } from "../core/config/compile-globals.ts";
import { NO_NOTICES } from "../core/config/compile-notify.ts";
import { createDiagnostics } from "../core/config/diagnostics.ts";
import type { Command, HoldfastConfig } from "../core/config/model.ts";
import { NO_TRACKERS, NOTHING_WRITTEN } from "../core/config/tracked.ts";
import type { HookKind } from "../core/events/vocabulary.ts";
import { ok } from "../core/lib/result.ts";
import { seconds } from "../core/lib/units.ts";
import { NO_LVS } from "../core/lvs/config.ts";
import { PLAIN_HOST } from "../core/routing/host.ts";
import type { VrrpInstanceConfig } from "../core/vrrp/config.ts";
import { createHookEngine, type GateAnswer, type HookEngine } from "../engine/hook-engine.ts";
import type { Program, ProgramEnd, ProgramOutput, RunningProgram, Spawner } from "../ports/spawner.ts";
import type { Timers } from "../ports/timers.ts";
import type { Observer } from "./observer.ts";
import type { Prng } from "./prng.ts";

/** How notify_claim and notify_release behave on a host. */
export type GateMood = "open" | "refuse" | "hang";

export interface HookParts {
  readonly node: number;
  readonly configs: readonly VrrpInstanceConfig[];
  readonly prng: Prng;
  readonly observer: Observer;
  readonly timers: Timers;
  readonly after: (micros: number, action: () => void) => void;
  readonly gateMood: () => GateMood;
  readonly answer: (answer: GateAnswer) => void;
}

const RUN_MIN = 1_000;
const RUN_MAX = 300_000;
const HOOKS: readonly HookKind[] = ["notify", "notify_master", "notify_backup", "notify_fault", "notify_stop"];
const GATES: readonly HookKind[] = ["notify_claim", "notify_release"];
const QUIET: ProgramOutput = { stdout: "", stderr: "" };

export function createHooks(parts: HookParts): HookEngine {
  const hooks = createHookEngine({
    tools: { spawner: createSpawner(parts), timers: parts.timers },
    publish: () => undefined,
    answer: parts.answer,
  });
  hooks.configure(configOf(parts.configs));
  return hooks;
}

function createSpawner(parts: HookParts): Spawner {
  return {
    examine: (command) => immediate(ok({ file: command.argv[0] ?? "", args: command.argv.slice(1), identity: null })),
    start: (program, env, onEnd) => run(parts, program, env.HOLDFAST_GROUP ?? env.HOLDFAST_INSTANCE ?? "", onEnd),
  };
}

type OnEnd = (end: ProgramEnd, output: ProgramOutput) => void;

function run(parts: HookParts, program: Program, instance: string, onEnd: OnEnd): RunningProgram {
  const { node, observer, prng } = parts;
  const gate = GATES.includes(program.file as HookKind);
  const mood = gate ? parts.gateMood() : "open";
  const stubborn = prng.chance(0.3);
  const duration = prng.logBetween(RUN_MIN, RUN_MAX);
  const words = [program.file, ...program.args];
  let running = true;
  const end = (how: ProgramEnd): void => {
    if (!running) return;
    running = false;
    observer.hook(node, instance, "ended", words);
    onEnd(how, QUIET);
  };
  observer.hook(node, instance, "started", words);
  if (mood !== "hang") parts.after(duration, () => end({ kind: "exit", code: mood === "refuse" ? 1 : 0 }));
  return {
    pid: 1,
    signalGroup: (signal) => {
      if (signal === "SIGTERM" && stubborn) return;
      parts.after(500, () => end({ kind: "signal", signal }));
    },
  };
}

/** A promise that calls back at once: everything in the simulator happens at a point of virtual time. */
function immediate<T>(value: T): Promise<T> {
  // biome-ignore lint/suspicious/noThenProperty: being a thenable is the purpose
  return { then: (use: (value: T) => void) => use(value) } as unknown as Promise<T>;
}

const SPAN = { file: "simulated.conf", line: 1, column: 1, length: 1 };

function configOf(configs: readonly VrrpInstanceConfig[]): HoldfastConfig {
  return {
    ...compileGlobals([], createDiagnostics()),
    scripts: [],
    lvs: NO_LVS,
    groups: groupsOf(configs),
    files: [],
    processes: [],
    mysql: [],
    api: null,
    redis: [],
    peerLink: null,
    quorum: null,
    witness: null,
    instances: configs.map((vrrp) => ({
      vrrp,
      hooks: Object.fromEntries(
        [...HOOKS, ...(vrrp.claimGate === null ? [] : GATES)].map((hook) => [hook, commandOf(hook)]),
      ),
      hookTimeout: seconds(10),
      managesMysql: null,
      managesRedis: null,
      gateways: null,
      notices: NO_NOTICES,
      written: NOTHING_WRITTEN,
      span: SPAN,
    })),
    host: PLAIN_HOST,
  };
}

/** The sync group of all instances, told by notify like they are. */
function groupsOf(configs: readonly VrrpInstanceConfig[]): HoldfastConfig["groups"] {
  const group = configs[0]?.syncGroup ?? null;
  if (group === null) return [];
  const { name, members } = group;
  return [
    {
      name,
      members,
      hooks: { notify: commandOf("notify") },
      hookTimeout: seconds(10),
      mail: false,
      priorityChanges: false,
      trackingWeight: false,
      tracked: NO_TRACKERS,
      span: SPAN,
    },
  ];
}

function commandOf(name: string): Command {
  return { argv: [name], user: null, group: null, text: name, span: SPAN };
}
