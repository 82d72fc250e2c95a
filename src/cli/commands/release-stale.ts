/** `holdfast release-stale VIP`: removes an address that was left on this host, if it is shown to be a left-over. */
import type { ReleaseStaleReply } from "../../control/contract/types.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

export interface ReleaseStaleOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** The peers are given 2 s to answer. */
const ANSWER_MILLIS = 10_000;

/** 0: removed, or with --dry-run it would be; 1: refused, and why. */
export async function releaseStaleCommand(
  { client, terminal }: CommandContext,
  address: string,
  options: ReleaseStaleOptions,
): Promise<number> {
  const body = { address, dryRun: options.dryRun === true };
  const reply = await client.post<ReleaseStaleReply>("/v1/vip/release-stale", body, ANSWER_MILLIS);
  const refused = reply.outcome === "refused";
  if (options.json === true) {
    printJson(terminal, reply);
    return refused ? EXIT.failed : EXIT.ok;
  }
  if (refused) throw new CliError(`${reply.address} is not removed: ${reply.detail}`, EXIT.failed, reply.remedy);
  const done = reply.outcome === "removed" ? "is removed" : "would be removed";
  terminal.out(`${reply.address} ${done} from ${reply.interfaces.join(", ")}: ${reply.detail}.\n`);
  return EXIT.ok;
}
