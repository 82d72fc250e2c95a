import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runLabCommand } from "../src/lab/command.ts";
import { describeHoldfast } from "./support.ts";

/** What `holdfast lab WORDS` prints and returns. */
async function lab(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const take = (part: string) => {
    text += part;
  };
  return { code: await runLabCommand(words, { out: take, err: take }), text };
}

describeHoldfast("holdfast lab", () => {
  let parent = "";
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "holdfast-lab-command-"));
    process.env.HOLDFAST_LAB = join(parent, "lab");
  });
  afterEach(async () => {
    await lab("down");
    rmSync(parent, { recursive: true, force: true });
    delete process.env.HOLDFAST_LAB;
  });

  test("up starts a pair of which one holds the address; a second up is refused; down leaves nothing", async () => {
    expect(await lab("down")).toEqual({ code: 0, text: "no lab runs\n" });
    expect((await lab("status")).code).toBe(1);
    const up = await lab("up");
    expect(up.text).toMatch(/db[12] holds 192\.168\.11\.100/);
    expect(up.code).toBe(0);
    const second = await lab("up");
    expect(second.code).toBe(1);
    expect(second.text).toContain("a lab runs already");
    const status = await lab("status");
    expect(status.code).toBe(0);
    expect(status.text.match(/holds the virtual address/g)).toHaveLength(1);
    // Processes of one host are its own.
    expect((await lab("exec", "db1", "sh", "-c", "[ $(pidof mariadbd | wc -w) = 1 ] && exit 7")).code).toBe(7);
    expect((await lab("exec", "nowhere", "true")).text).toContain("hosts: db1, db2, client, gateway");
    expect(await lab("down")).toEqual({ code: 0, text: "the lab is gone\n" });
    expect(existsSync(join(parent, "lab"))).toBe(false);
  });

  test("a folder that no lab made is left alone", async () => {
    process.env.HOLDFAST_LAB = parent;
    const mine = join(parent, "mine.txt");
    writeFileSync(mine, "");
    const up = await lab("up");
    expect(up.code).toBe(1);
    expect(up.text).toContain("no lab made");
    await lab("down");
    expect(existsSync(mine)).toBe(true);
  });
});
