/** The file that `record_position` writes. */
import type { MemberFacts } from "./member.ts";

/** What `SHOW MASTER STATUS` says before the first write, in its own words. */
export function positionText(
  { end, gtids }: MemberFacts,
  { name, server, time }: { readonly name: string; readonly server: string; readonly time: string },
): string {
  const gtid =
    gtids.product === "mariadb" ? `gtid_binlog_pos: ${gtids.position}` : `Executed_Gtid_Set: ${gtids.executed}`;
  return [
    `# mysql ${name} (${server}) before it was opened for writes`,
    `time: ${time}`,
    `File: ${end?.file ?? ""}`,
    `Position: ${end?.offset ?? ""}`,
    gtid,
    "",
  ].join("\n");
}
