/**
 * One line of virtual_rules or static_rules to a Rule, judged as keepalived 2.2.7 judges it. Keywords are rule-words.ts; what must
 * hold for the rule as a whole is here.
 */
import type { Rule } from "../routing/model.ts";
import { PROTOCOL_KEEPALIVED } from "../routing/model.ts";
import { closePrefix, LineReader } from "./line-reader.ts";
import type { RoutingContext } from "./route-line.ts";
import { ACTION, newRuleDraft, type RuleDraft, type RuleReading, readRuleWord } from "./rule-words.ts";
import type { Node } from "./tree.ts";

export interface RuleLine {
  readonly rule: Rule;
  readonly node: Node;
}

/** keepalived counts down from here for rules without preference; shared by all lines of one file. */
export interface RulePriorities {
  next: Record<4 | 6, number>;
}

const FIRST_PRIORITY = 16_384;

export function createRulePriorities(): RulePriorities {
  return { next: { 4: FIRST_PRIORITY, 6: FIRST_PRIORITY } };
}

export function readRules(
  blocks: readonly Node[],
  context: RoutingContext,
  priorities: RulePriorities,
): readonly RuleLine[] {
  const rules: RuleLine[] = [];
  for (const node of blocks.flatMap((block) => block.block ?? [])) {
    const line = new LineReader(node, context.diagnostics);
    const rule = readRule(
      { line, names: context.names, draft: newRuleDraft(), trackGroups: context.trackGroups },
      priorities,
    );
    if (rule !== null) rules.push({ rule, node });
  }
  return rules;
}

function readRule(reading: RuleReading, priorities: RulePriorities): Rule | null {
  const { line, draft } = reading;
  for (let word = line.take(); word !== null; word = line.take()) {
    if (!readRuleWord(reading, word)) return null;
  }
  const problem = problemOf(draft);
  if (problem !== null) {
    line.complain("bad-rule", `${problem}; the rule is left out`, null);
    return null;
  }
  return finish(reading, priorities);
}

/** What is wrong with the rule as a whole, or null. */
function problemOf({ action, priority, gotoTarget, tableOption }: RuleDraft): string | null {
  if (action === null) return "a rule needs table, goto, nop, l3mdev, blackhole, unreachable or prohibit";
  if (action === ACTION.goto && priority === null) return "goto needs a preference";
  if (action === ACTION.goto && (priority ?? 0) >= (gotoTarget ?? 0)) return "goto leads to a rule that is not behind";
  if (action !== ACTION.table && tableOption) return "realms and suppress_* go with table only";
  return null;
}

function finish({ line, draft }: RuleReading, priorities: RulePriorities): Rule {
  const { action, from, to, noTrack, tableOption: _, ...rest } = draft;
  const family = draft.family ?? 4;
  return {
    ...rest,
    family,
    action: action ?? ACTION.table,
    from: from === null ? null : closePrefix(from, family),
    to: to === null ? null : closePrefix(to, family),
    priority: draft.priority ?? assignPriority(line, priorities, family),
    protocol: protocolOf(line, draft),
    tracked: !noTrack,
    trackGroup: trackGroupOf(line, draft),
    text: line.text,
  };
}

function assignPriority(line: LineReader, priorities: RulePriorities, family: 4 | 6): number {
  const priority = priorities.next[family]--;
  line.complain(
    "rule-no-preference",
    `the rule names no preference and gets ${priority}, which depends on the order of the file`,
    "add preference N",
  );
  return priority;
}

function protocolOf(line: LineReader, { noTrack, protocol }: RuleDraft): number {
  if (noTrack) return protocol ?? 0;
  if (protocol !== null && protocol !== PROTOCOL_KEEPALIVED) {
    line.complain(
      "adjusted",
      `a tracked rule has protocol ${PROTOCOL_KEEPALIVED} (keepalived); ${protocol} is replaced`,
      "remove protocol, or add no_track",
    );
  }
  return PROTOCOL_KEEPALIVED;
}

function trackGroupOf(line: LineReader, { trackGroup, inputDevice, noTrack }: RuleDraft): string | null {
  if (trackGroup === null) return null;
  if (inputDevice !== null && !noTrack) return trackGroup;
  line.complain(
    "unknown-track-group",
    `track_group ${trackGroup} needs iif and no no_track; nothing depends on this rule`,
    "add iif INTERFACE",
  );
  return null;
}
