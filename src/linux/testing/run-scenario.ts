/** For tests only: runs one scenario and prints what it returns as one JSON object. */
import { exitNow } from "../libc.ts";
import { SCENARIOS } from "./scenarios.ts";

const name = process.argv[2] ?? "";
const scenario = SCENARIOS[name];
if (scenario === undefined) throw new Error(`no scenario "${name}"`);
const observed = JSON.stringify(await scenario());
process.stdout.write(observed, () => exitNow(0));
