import { describe, it } from "vitest";
import { GROUPS } from "./groups.ts";

describe("groups", () => {
  for (const [name, scenario] of Object.entries(GROUPS)) it(name, scenario);
});
