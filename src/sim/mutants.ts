/**
 * Deliberate defects that the simulator must find: edits of the compiled JavaScript, so that the sources need no test-only
 * branch. Every `find` must occur exactly once in its file; a mutant that no longer fits fails the test by name.
 */
export interface Edit {
  /** Below the output folder of the compiler. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

export const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });
export const mutant = (name: string, ...edits: Edit[]): Mutant => ({ name, edits });

const TRANSITION = "core/vrrp/transition.js";
const MASTER = "core/vrrp/master.js";
const BACKUP = "core/vrrp/backup.js";
const GROUP = "core/vrrp/sync-group.js";
const EFFECTS = "engine/vrrp-effects.js";
const CARRIER = "engine/address-carrier.js";
const FENCE = "engine/fence-carrier.js";
const SUPERVISOR = "engine/keeper-supervisor.js";

export const MUTANTS: readonly Mutant[] = [
  mutant("skew is zero", edit("core/vrrp/timers.js", "return (((256 - priority) * unit) / 256);", "return 0;")),
  mutant(
    "priority 0 is forgotten",
    edit(TRANSITION, "if (leaving.resign)\n        draft.effects.push(SEND_RESIGN);", ""),
  ),
  mutant("priority 0 is not obeyed", edit(BACKUP, "masterDownAt: after(draft.now, skew),", "")),
  mutant(
    "the lease is not renewed",
    edit("core/vrrp/lease.js", "return now - lease.renewedAt >= RENEW_MIN || lease", "return lease"),
    edit("core/vrrp/lease.js", "- (now + advertInterval) < RESERVE;", "< 0;"),
  ),
  mutant(
    "the renewal does not reach the kernel",
    edit(CARRIER, "for (const entry of this.#renewalsOf(runtime))", "for (const entry of [])"),
  ),
  mutant("a lost lease is put back", edit(CARRIER, "if (now >= validUntil || ", "if (false && ")),
  mutant("the fence is not renewed", edit(FENCE, "const error = this.#write(open);", "const error = null;")),
  mutant(
    "the fence stays open for longer than the peers wait",
    edit("core/vrrp/fence.js", "- FENCE_LATENESS;", "* 2;"),
  ),
  mutant(
    "no fence is raised",
    edit(FENCE, "const error = this.#ports.fence.set(entries, afresh);", "const error = null;"),
  ),
  mutant("tables of dead keepers stay", edit(FENCE, "const swept = this.#ports.fence.sweep();", "const swept = [];")),
  mutant(
    "the address stays in FAULT",
    edit(TRANSITION, 'if (role.phase.kind !== "claiming")\n        draft.effects.push(REMOVE_ADDRESSES);', ""),
  ),
  mutant(
    "priority 0 before the address is off",
    edit(
      EFFECTS,
      "this.addresses.flushRemovals();\n            this.#flushResigns();",
      "this.#flushResigns();\n            this.addresses.flushRemovals();",
    ),
  ),
  mutant(
    "nopreempt is ignored",
    edit(
      BACKUP,
      "if (!config.preempt || advert.priority >= draft.state.priority)\n        return true;",
      "if (advert.priority >= draft.state.priority)\n        return true;",
    ),
  ),
  mutant(
    "the tie is reversed",
    edit(MASTER, "compareIp(source, state.source) < 0", "compareIp(source, state.source) > 0"),
  ),
  mutant("the claim gate is ignored", edit(BACKUP, "if (claimGateOf(draft.config) === null) {", "if (true) {")),
  mutant(
    "a fault is not shared in its sync group",
    edit(GROUP, "for (const rule of [shareFaults, ", "for (const rule of ["),
  ),
  mutant("one falls back and its sibling stays", edit(GROUP, "fallBackTogether, claim", "claim")),
  mutant(
    "one member claims alone",
    edit(
      GROUP,
      "if (!members.every((member) => (isUp(member) && !isReleasing(member)) || wants(member)))",
      "if (false)",
    ),
  ),
  mutant(
    "FAULT leads to MASTER",
    edit(TRANSITION, 'assert(kind === "backup" ||', "assert(true ||"),
    edit(
      "core/vrrp/fault.js",
      'transition(draft, { to: "backup", wait: "master-down", advert: null }, { code: "recovered" }, BY_OWN_DECISION);',
      'transition(draft, { to: "master", gate: "open" }, { code: "recovered" }, BY_OWN_DECISION);',
    ),
  ),
  mutant(
    "the interval of version 3 is not learned",
    edit(
      BACKUP,
      "const interval = config.version === 3 ? advert.advertInterval : config.advertInterval;\n    const next",
      "const interval = config.advertInterval;\n    const next",
    ),
  ),
  mutant(
    "a new MASTER announces nothing",
    edit(
      TRANSITION,
      'draft.effects.push(ADD_ADDRESSES, { kind: "announce", repeat: garp.repeat });',
      "draft.effects.push(ADD_ADDRESSES);",
    ),
  ),
  mutant(
    "a MASTER that outlasts a rival does not announce again",
    edit(MASTER, 'draft.effects.push({ kind: "announce", repeat: lowerPrioRepeat });', ""),
  ),
  mutant(
    "adverts drift",
    edit(
      MASTER,
      "const next = after(due, period);\n    return next > now ? next : after(now, period);",
      "return after(now, period);",
    ),
  ),
  mutant(
    "silence of control is ignored",
    edit("core/health/trackers.js", 'return inputs.controlSilent ? [{ kind: "control-silent" }] : [];', "return [];"),
  ),
  mutant(
    "hooks are not serialised",
    edit("engine/hook-engine.js", "if (queue.running !== null || this.#waitsForMember(queue))", "if (false)"),
  ),
  mutant(
    "leftovers are not swept",
    edit(CARRIER, 'this.#removals.push(this.#pend(runtime, change("remove", index, leftover, null)));', ""),
  ),
  mutant(
    "nobody speaks for a dead keeper",
    edit(SUPERVISOR, "this.#host.guard.release(this.#book.orders(), statics)", "{ removed: [], errors: [] }"),
  ),
];
