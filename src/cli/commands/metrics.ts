/** `holdfast metrics`: Prometheus' text from the daemon, for a textfile collector or a look. */
import { EXIT } from "../exit-codes.ts";
import type { CommandContext } from "./context.ts";

export async function metricsCommand({ client, terminal }: CommandContext): Promise<number> {
  terminal.out(await client.text("/metrics"));
  return EXIT.ok;
}
