/** Runs the programs that list packet filters, without a shell. What they say is read by core/doctor/firewall. */
import { readFileSync } from "node:fs";
import { runProgram } from "./program-output.ts";

export interface FirewallListing {
  readonly nft: { readonly json: string; readonly text: string } | null;
  readonly saved: readonly { readonly tool: "iptables" | "ip6tables"; readonly text: string }[];
  /** What could not be listed, and why. */
  readonly problems: readonly { readonly what: string; readonly why: string; readonly fix: string }[];
}

const TOOLS = ["iptables", "ip6tables"] as const;
const TABLES = { iptables: "/proc/net/ip_tables_names", ip6tables: "/proc/net/ip6_tables_names" } as const;

export async function listFirewall(): Promise<FirewallListing> {
  const [json, text, saved] = await Promise.all([
    runProgram("nft", ["-j", "list", "ruleset"]),
    runProgram("nft", ["-a", "list", "ruleset"]),
    Promise.all(TOOLS.map(listIptables)),
  ]);
  const problems = saved.flatMap(({ problem }) => (problem === null ? [] : [problem]));
  const nft = json.outcome === "done" ? { json: json.stdout, text: text.stdout } : null;
  if (nft === null)
    problems.push({
      what: "rules of nftables",
      why: json.detail,
      fix: json.outcome === "missing" ? "apt install nftables (dnf install nftables)" : "run doctor as root",
    });
  return { nft, saved: saved.flatMap(({ listings }) => listings), problems };
}

type Problem = FirewallListing["problems"][number];

/** By whichever program answers; where both kinds of tables exist, by both. */
async function listIptables(tool: (typeof TOOLS)[number]) {
  const legacyTables = readTables(TABLES[tool]);
  const plain = await runProgram(`${tool}-save`, []);
  const isLegacy = plain.stdout.includes("(legacy)");
  const legacy = legacyTables && !isLegacy ? await runProgram(`${tool}-legacy-save`, []) : null;
  const listings = [plain, legacy]
    .filter((one) => one?.outcome === "done")
    .map((one) => ({ tool, text: one?.stdout ?? "" }));
  const unread = legacyTables && !listings.some(({ text }) => text.includes("(legacy)"));
  const problem: Problem | null = unread
    ? {
        what: `rules of ${tool} (legacy)`,
        why: (legacy ?? plain).detail,
        fix: "run doctor as root, where iptables is installed",
      }
    : null;
  return { listings, problem };
}

function readTables(path: string): boolean {
  try {
    return readFileSync(path, "utf8").trim() !== "";
  } catch {
    return false;
  }
}
