// The built command in front of a real pipe whose reader leaves, against the API of a daemon in which nothing happens.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { startApi } from "../control/server.ts";
import { fakeClock, sampleModel, sampleStatus } from "../control/testing/samples.ts";

const HOLDFAST = fileURLToPath(new URL("../../dist/bundle/holdfast.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "holdfast-reader-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(["events --follow --since 0", "status --watch"])(
  "`holdfast %s | head -1` ends although nothing happens any more",
  async (words) => {
    const clock = fakeClock();
    const readModel = sampleModel(clock);
    const nothing = { outcome: "unchanged", changes: [], diagnostics: [], detail: "" } as const;
    const actions = { status: async () => [sampleStatus(clock)], reload: async () => nothing };
    const started = await startApi({ socketPath: join(folder, "s"), readModel, actions });
    if (!started.ok) throw new Error(started.error.message);
    const script = `node "$1" ${words} --socket "$2" | head -1; exit "\${PIPESTATUS[0]}"`;
    const child = spawn("bash", ["-c", script, "bash", HOLDFAST, started.value.socketPath], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    await started.value.close();
  },
  30_000,
);
