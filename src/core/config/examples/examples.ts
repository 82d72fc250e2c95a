/** Every rule of `holdfast check` with why it matters and what it looks like. A code that is missing here does not compile. */
import type { DiagnosticCode } from "../codes.ts";
import { DATABASES } from "./databases.ts";
import type { RuleExample } from "./example.ts";
import { GROUPS } from "./groups.ts";
import { INSTANCES } from "./instances.ts";
import { PAIRS } from "./pairs.ts";
import { READING } from "./reading.ts";
import { SERVICES } from "./services.ts";

export const RULE_EXAMPLES: Readonly<Record<DiagnosticCode, RuleExample>> = {
  ...READING,
  ...INSTANCES,
  ...GROUPS,
  ...DATABASES,
  ...SERVICES,
  ...PAIRS,
};
