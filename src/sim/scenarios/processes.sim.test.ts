import { describe, it } from "vitest";
import { PROCESSES } from "./processes.ts";

describe("processes", () => {
  for (const [name, scenario] of Object.entries(PROCESSES)) it(name, scenario);
});
