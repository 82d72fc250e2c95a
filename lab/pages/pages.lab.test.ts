// The commands of the tutorial and of the guides, typed on hosts of the lab from top to bottom; what they print is compared with the page.
// Both languages have the same blocks (tools/pages.test.ts), so one run is for both.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { withLab } from "../../src/lab/lab.ts";
import { PROJECT_ROOT } from "../../src/lab/paths.ts";
import { describeHoldfast } from "../support.ts";
import { openHosts, runPage } from "./hosts.ts";
import { readPage } from "./page.ts";
import { PAGES } from "./pages.ts";

describeHoldfast("what the books tell to type", () => {
  describe.concurrent("each page on bare hosts of its own", () => {
    test.each(PAGES)("$name", async ({ name, topology, databases }) => {
      const page = readPage(readFileSync(join(PROJECT_ROOT, "docs", `${name}.md`), "utf8"));
      await withLab(async (lab) => runPage(page, await openHosts(lab, databases)), topology);
    });
  });
});
