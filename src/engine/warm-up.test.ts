import { expect, test } from "vitest";
import { warmUp } from "./warm-up.ts";

test("the warm-up goes through every state that a takeover, a fault and a stop go through", () => {
  expect([...warmUp()].sort()).toEqual(["BACKUP", "FAULT", "MASTER", "STOP"]);
});
