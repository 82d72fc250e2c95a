/** `script/demo`: says what is missing, or plays the demonstration and ends with its judgement. */
import { once } from "node:events";
import { runDemo } from "./demo.ts";
import { say } from "./demo-report.ts";
import { namespacesUnavailable } from "./namespace.ts";

async function main(): Promise<void> {
  const unavailable = await namespacesUnavailable();
  if (unavailable !== null) {
    say(`needs root: 1 not run (${unavailable})`);
    say(
      process.getuid?.() === 0
        ? "this root may not make namespaces: a container needs CAP_SYS_ADMIN and a root folder that is a mount point"
        : "run it as root, or on a kernel that lets ordinary users make user namespaces",
    );
    process.exitCode = 77;
    return;
  }
  const kind = process.argv.includes("--daemon=keepalived") ? "keepalived" : "holdfast";
  process.exitCode = await runDemo({ kind, managed: false });
  if (!process.stdout.writableLength) return;
  await once(process.stdout, "drain");
}

await main();
