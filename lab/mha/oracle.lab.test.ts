/**
 * MHA 0.58 as the measure: the same configuration and the same servers, once with its programs and once with ours. Verdict of
 * masterha_check_repl, choice of the new master, exit code and data afterwards are the same.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "../../src/lab/lab.ts";
import { mhaUnavailable } from "../../src/lab/mha-peer.ts";
import { type ConfLines, MHA_TOPOLOGY, MhaScene } from "../../src/lab/mha-scene.ts";
import { runs } from "../../tools/test-runs.ts";
import { describeHoldfast } from "../support.ts";

const unavailable = mhaUnavailable();
if (unavailable !== null) process.stderr.write(`needs MHA 0.58: not run: comparison with it (${unavailable})\n`);

interface Case {
  readonly title: string;
  readonly lines: ConfLines;
  /** Replicas that receive nothing of the last rows. */
  readonly behind: readonly string[];
}

const CASES: readonly Case[] = [
  { title: "the freshest, others behind", lines: {}, behind: ["db2", "db4"] },
  { title: "a candidate that is behind", lines: { servers: { db4: ["candidate_master=1"] } }, behind: ["db4"] },
  {
    title: "no_master for the first, no priority of the freshest",
    lines: { defaults: ["latest_priority=0"], servers: { db2: ["no_master=1"] } },
    behind: ["db3"],
  },
  {
    title: "nobody may become master",
    lines: { servers: { db2: ["no_master=1"], db3: ["no_master=1"], db4: ["no_master=1"] } },
    behind: [],
  },
];

interface Verdict {
  readonly check: number | null;
  readonly code: number | null;
  readonly master: string;
  readonly followers: readonly (string | null)[];
}

describe.skipIf(unavailable !== null)("MHA 0.58", () => {
  describeHoldfast("MHA: as 0.58", () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await createLab(MHA_TOPOLOGY);
    });
    afterAll(() => lab.destroy());

    async function verdict({ lines, behind }: Case, peer: boolean): Promise<Verdict> {
      const scene = new MhaScene(lab, { mode: "position", count: 4, settings: ["relay_log_purge = 0"] });
      try {
        await scene.start();
        if (peer) scene.withPeer();
        await scene.startSsh();
        scene.writeConf(lines);
        const run = (name: string, ...args: readonly string[]) =>
          peer ? scene.peer(name, ...args) : scene.spawn(name, ...args);
        const check = await run("masterha_check_repl").exited;
        const [db1, ...replicas] = scene.four;
        await scene.stopReceiving(...replicas.filter(({ host }) => behind.includes(host.name)));
        await scene.write(db1, 4);
        await db1.kill();
        const args = ["--master_state=dead", "--dead_master_host=192.168.11.81", "--interactive=0"];
        const program = run("masterha_master_switch", ...args);
        const code = await program.exited;
        const open = await Promise.all(replicas.map((server) => server.value("SELECT @@global.read_only")));
        const master = replicas[open.indexOf("0")];
        if (master !== undefined) {
          await scene.sameData(replicas);
          expect(await scene.missing(master), program.text).toEqual([]);
        }
        const others = replicas.filter((server) => server !== master);
        const followers = master === undefined ? [] : await Promise.all(others.map((server) => scene.follows(server)));
        rmSync(join(scene.directory, "work"), { recursive: true, force: true });
        return { check, code, master: master?.host.name ?? "nobody", followers };
      } finally {
        await scene.end();
      }
    }

    test.each(CASES.slice(0, runs(2, CASES.length)).map((one) => [one.title, one] as const))(
      "%s",
      async (_title, one) => {
        const ours = await verdict(one, false);
        expect(ours).toEqual(await verdict(one, true));
      },
    );
  });
});

// The programs that are compared are Debian's, not links to ours.
test.skipIf(unavailable !== null)("the measure is Perl", () => {
  expect(readFileSync("/usr/bin/masterha_manager", "utf8")).toMatch(/^#!.*perl/);
});
