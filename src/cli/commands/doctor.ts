/** `holdfast doctor`: what is wrong on this host, on the servers of a managed group, or on a director, and what to write instead. */
import type { DoctorReply, VipReply } from "../../control/contract/types.ts";
import { EXIT } from "../exit-codes.ts";
import { type CommandContext, printJson } from "./context.ts";
import { findingText } from "./finding-text.ts";
import { type HostDoctor, type HostDoctorOptions, hostDoctorCommand } from "./host-doctor.ts";

export interface DoctorOptions extends HostDoctorOptions {
  readonly vip?: string;
  readonly lvs?: boolean;
  readonly json?: boolean;
}

/** What is to be looked at; nothing of it: this host. */
export interface DoctorQuestion {
  readonly name: string | undefined;
  readonly options: DoctorOptions;
}

/** 0: nothing is wrong, notes aside; 1: something is. */
export async function doctorCommand(
  context: CommandContext,
  { name, options }: DoctorQuestion,
  look: HostDoctor,
): Promise<number> {
  if (options.vip !== undefined) return await doctorVip(context, options.vip, options);
  if (options.lvs === true) return await doctorLvs(context, options);
  if (name !== undefined) return await doctorGroup(context, name, options);
  return await hostDoctorCommand(context, options, look);
}

async function doctorLvs({ client, terminal }: CommandContext, options: DoctorOptions): Promise<number> {
  const reply = await client.get<DoctorReply>("/v1/lvs/doctor");
  const { servers, findings } = reply;
  if (options.json === true) printJson(terminal, reply);
  else if (servers.length === 0) terminal.out("The configuration has no virtual server.\n");
  else if (findings.length === 0) terminal.out(`${servers.length} virtual servers: nothing is wrong on this host.\n`);
  else terminal.out(findings.map(findingText).join("\n"));
  return findings.every(({ severity }) => severity === "note") ? EXIT.ok : EXIT.failed;
}

async function doctorGroup(
  { client, terminal }: CommandContext,
  name: string,
  options: DoctorOptions,
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

/** 0: one host answers; 1: nobody, or more than one, or it is not known. */
async function doctorVip(
  { client, terminal }: CommandContext,
  address: string,
  options: DoctorOptions,
): Promise<number> {
  const reply = await client.get<VipReply>(`/v1/vip?address=${encodeURIComponent(address)}`);
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(vipInWords(reply));
  return reply.verdict === "held-once" ? EXIT.ok : EXIT.failed;
}

function vipInWords({ address, words, sights }: VipReply): string {
  const lines = sights.map(({ peer, seen, problem }) => {
    const from = peer === null ? "from here" : `from ${peer}`;
    if (seen === null) return `  ${from}: not asked, ${problem}`;
    const own = seen.own ? ["the address is on this very host"] : [];
    const others = seen.macs.length > 0 ? [`${seen.macs.join(", ")} answers`] : ["nobody else answers"];
    const device = seen.interface === null ? "" : ` on ${seen.interface}`;
    return `  ${from}${device}: ${seen.problem ?? [...own, ...others].join("; ")}`;
  });
  return `${address}: ${words}.\n${lines.join("\n")}\n`;
}
