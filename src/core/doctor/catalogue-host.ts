/** The daemon, the kernel it runs on, and what else is on the host. */
import type { CatalogueEntry } from "./catalogue-entry.ts";

export const HOST_FINDINGS = {
  "daemon-absent": {
    severity: "warning",
    meaning: "The daemon does not run, or its API does not answer.",
    why: "This host would take over nothing.",
    fix: "Start it; its log or `systemctl status holdfast` says why it has ended.",
  },
  "config-errors": {
    severity: "warning",
    meaning: "The configuration file has errors.",
    why: "What is wrong is left out, and the next reload is refused.",
    fix: "`holdfast check FILE` says what to write instead.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
