import { describe, it } from "vitest";
import { INCIDENTS } from "./incidents.ts";

describe("incidents", () => {
  for (const [name, scenario] of Object.entries(INCIDENTS)) it(name, scenario);
});
