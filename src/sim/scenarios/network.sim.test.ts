import { describe, it } from "vitest";
import { NETWORK } from "./network.ts";

describe("network", () => {
  for (const [name, scenario] of Object.entries(NETWORK)) it(name, scenario);
});
