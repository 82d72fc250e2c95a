/** `holdfast doctor NAME`: what is set on the servers of a managed group that should not be, and what to write instead. */
import type { DoctorReply } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";

type Finding = DoctorReply["findings"][number];

/** 0: nothing is wrong, notes aside; 1: something is. */
export async function doctorCommand(
  { client, terminal }: CommandContext,
  name: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const reply = await client.get<DoctorReply>(`/v1/mysql/doctor?name=${encodeURIComponent(name)}`);
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(inWords(reply));
  return reply.findings.every(({ severity }) => severity === "note") ? EXIT.ok : EXIT.failed;
}

function inWords({ name, servers, findings }: DoctorReply): string {
  const asked = `mysql ${name}: asked ${servers.join(", ") || "nobody"}.`;
  if (findings.length === 0) return `${asked} Nothing is wrong.\n`;
  return `${asked}\n\n${findings.map(findingText).join("\n")}`;
}

function findingText({ id, severity, server, what, why, fix }: Finding): string {
  return `${severity}: ${server === null ? "" : `${server}: `}${what} [${id}]\n  why: ${why}\n  fix: ${fix}\n`;
}
