/**
 * All check scripts of a configuration: which run, in which environment, who is told. It decides nothing about
 * instances: the keeper turns standings into faults and weights. Scripts that nobody tracks are not run, as with keepalived.
 */
import type { HoldfastConfig, ScriptRules } from "../core/config/model.ts";
import type { HoldfastEventBody } from "../core/events/vocabulary.ts";
import type { ScriptStanding } from "../core/link/messages.ts";
import type { VrrpStateName } from "../core/vrrp/state.ts";
import type { ScriptPolicy } from "../ports/spawner.ts";
import { type CheckPlan, CheckRunner, type CheckStatus, type CheckVerdict } from "./check-runner.ts";
import type { CommandTools } from "./command-run.ts";

export interface CheckEngineOptions {
  readonly tools: CommandTools;
  readonly publish: (body: HoldfastEventBody) => void;
  /** Standings for the keeper: those that changed, and the keys that have just succeeded. */
  readonly tell: (standings: Readonly<Record<string, ScriptStanding>>, succeeded: readonly string[]) => void;
  /** State last entered by an instance. */
  readonly stateOf: (instance: string) => VrrpStateName;
}

export interface CheckEngine {
  /** Takes over a new configuration; scripts whose command is unchanged keep standing and schedule. */
  configure(config: HoldfastConfig): void;
  /** Every standing, for a keeper that has just started. */
  standings(): Readonly<Record<string, ScriptStanding>>;
  status(): readonly CheckStatus[];
  /** Ends all runs; resolves when no process of ours is left. */
  stop(): Promise<void>;
  kill(): void;
}

export function scriptPolicy(config: HoldfastConfig): ScriptPolicy {
  const { scriptUser, enableScriptSecurity, scriptRules } = config.global;
  return {
    user: scriptUser?.user ?? null,
    group: scriptUser?.group ?? null,
    security: enableScriptSecurity,
    supplementaryGroups: scriptRules.supplementaryGroups,
    symlinkPaths: scriptRules.symlinkPaths,
  };
}

/** The scripts that must run, by key. */
export function planChecks(config: HoldfastConfig): ReadonlyMap<string, CheckPlan> {
  const policy = scriptPolicy(config);
  const scripts = new Map(config.scripts.map((script) => [script.name, script]));
  const plans = new Map<string, CheckPlan>();
  for (const { vrrp } of config.instances) {
    for (const { key } of vrrp.trackScripts) {
      const own = `@${vrrp.name}`;
      const script = scripts.get(key) ?? (key.endsWith(own) ? scripts.get(key.slice(0, -own.length)) : undefined);
      if (script === undefined) continue;
      const instances = plans.get(key)?.instances ?? [];
      plans.set(key, { key, script, policy, instances: [...instances, vrrp.name] });
    }
  }
  return plans;
}

/** With `unusable_script ignore` a script that cannot be run counts for nothing, as in keepalived: as if it were healthy. */
const heard = (standing: ScriptStanding, rule: ScriptRules["unusable"]): ScriptStanding =>
  standing.kind === "unusable" && rule === "ignore" ? { kind: "ok" } : standing;

export function createCheckEngine(options: CheckEngineOptions): CheckEngine {
  let rule: ScriptRules["unusable"] = "fault";
  const runners = new Map<string, CheckRunner>();
  const retiring = new Set<CheckRunner>();

  const report = (verdict: CheckVerdict): void => {
    const { key, standing, changed, succeeded, newFailure, outcome, lastError, durationMillis } = verdict;
    if (changed || succeeded) options.tell(changed ? { [key]: heard(standing, rule) } : {}, succeeded ? [key] : []);
    if (standing.kind === "unknown" || (!changed && !newFailure)) return;
    options.publish({
      kind: "check",
      script: key,
      standing: standing.kind,
      changed,
      outcome,
      lastError,
      durationMillis,
    });
  };

  const environment = ({ instances }: CheckPlan): Readonly<Record<string, string>> => ({
    HOLDFAST_INSTANCE: instances.join(","),
    // A script shared by several instances can have one answer only: that of the first in the file.
    HOLDFAST_STATE: options.stateOf(instances[0] ?? ""),
  });

  const retire = (key: string, runner: CheckRunner): Promise<void> =>
    new Promise((resolve) => {
      retiring.add(runner);
      runner.retire(() => {
        retiring.delete(runner);
        if (runners.get(key) === runner) runners.delete(key);
        resolve();
      });
    });

  const host = { tools: options.tools, environment, report };
  return {
    configure(config) {
      const before = rule;
      rule = config.global.scriptRules.unusable;
      const plans = planChecks(config);
      for (const [key, runner] of runners) {
        if (!plans.has(key)) void retire(key, runner);
      }
      for (const [key, plan] of plans) {
        const runner = runners.get(key);
        // A script that comes back while its last run is still dying takes that runner over: never two at once.
        if (runner) retiring.delete(runner);
        if (runner) runner.update(plan);
        else runners.set(key, new CheckRunner(host, plan));
      }
      if (before !== rule) options.tell(this.standings(), []);
    },
    standings() {
      const standings: Record<string, ScriptStanding> = {};
      for (const [key, runner] of runners) {
        if (!retiring.has(runner)) standings[key] = heard(runner.standing, rule);
      }
      return standings;
    },
    status: () => [...runners.values()].filter((runner) => !retiring.has(runner)).map((runner) => runner.status()),
    async stop() {
      await Promise.all([...runners].map(([key, runner]) => retire(key, runner)));
    },
    kill() {
      for (const runner of runners.values()) runner.kill();
    },
  };
}
