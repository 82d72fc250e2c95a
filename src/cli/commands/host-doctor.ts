/** `holdfast doctor` without a name: this host. Looking is handed in, because the command needs the kernel and not only the API. */
import type { HostDoctorReply, StatusReply } from "../../control/contract/types.ts";
import type { Silence } from "../../core/doctor/daemon-silence.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { DEFAULT_CONFIG_FILE } from "../run-options.ts";
import { type CommandContext, printJson } from "./context.ts";
import { findingText } from "./finding-text.ts";

export interface HostDoctorQuestion {
  readonly file: string;
  readonly configId: string | null;
  /** How long to listen for adverts; null: as long as the file's intervals ask for. */
  readonly listenSeconds: number | null;
  /** The daemon's account of itself; null: it does not answer. */
  readonly status: StatusReply | null;
  /** Why it does not answer; null: it does. */
  readonly silence: Silence | null;
}

/** The daemon's API; rejects with a CliError when it does not answer. */
export type HostDoctorAsk = Pick<CommandContext["client"], "get" | "post">;

export type HostDoctor = (question: HostDoctorQuestion, ask: HostDoctorAsk) => Promise<HostDoctorReply>;

export interface HostDoctorOptions {
  readonly useFile?: string;
  readonly configId?: string;
  readonly listen?: string;
  readonly json?: boolean;
}

/** 0: nothing is wrong, notes aside; 1: something is; 4: nothing is known to be wrong, and the adverts could not be listened to. */
export async function hostDoctorCommand(
  { client, terminal }: CommandContext,
  options: HostDoctorOptions,
  look: HostDoctor,
): Promise<number> {
  const listenSeconds = secondsOf(options.listen);
  const asked = await statusOf(client);
  const file = options.useFile ?? asked.status?.daemon.configFile ?? DEFAULT_CONFIG_FILE;
  if (options.json !== true && terminal.isTty) terminal.err("listening ...\r");
  const reply = await look({ file, configId: options.configId ?? null, listenSeconds, ...asked }, client);
  if (options.json === true) printJson(terminal, reply);
  else terminal.out(inWords(reply));
  if (reply.findings.some(({ severity }) => severity !== "note")) return EXIT.failed;
  return reply.listened === null ? EXIT.notPermitted : EXIT.ok;
}

const LISTEN_MAX = 300;

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seconds = Number(text);
  if (seconds >= 0 && seconds <= LISTEN_MAX && text.trim() !== "") return seconds;
  throw new CliError(`--listen ${text} is no time`, EXIT.usage, `write seconds, 0 to ${LISTEN_MAX}`);
}

const KINDS: Readonly<Record<number, Silence["kind"]>> = {
  [EXIT.notRunning]: "nobody",
  [EXIT.notPermitted]: "not-permitted",
};

async function statusOf(client: CommandContext["client"]) {
  try {
    return { status: await client.get<StatusReply>("/v1/status"), silence: null };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { status: null, silence: { kind: KINDS[error.exitCode] ?? "no-answer", why: error.message } };
  }
}

type Router = NonNullable<HostDoctorReply["listened"]>["routers"][number];

function inWords({ host, file, daemon, listened, findings, unseen }: HostDoctorReply): string {
  const running = daemon.running ? `holdfast ${daemon.version ?? ""} runs` : "no holdfast answers";
  const lines = [`${host}: ${running}; ${file}`];
  if (listened !== null && listened.routers.length > 0)
    lines.push(`Listened ${listened.seconds} s:`, ...listened.routers.map(routerText));
  if (unseen.length > 0) {
    lines.push("", "Could not be looked at:");
    for (const { what, why, fix } of unseen) lines.push(`  ${what}: ${why}`, `    to see it: ${fix}`);
  }
  const rest = unseen.length > 0 ? " in what could be looked at" : "";
  if (findings.length === 0) lines.push("", `Nothing is wrong${rest}.`);
  else lines.push("", findings.map(findingText).join("\n").trimEnd());
  return `${lines.join("\n")}\n`;
}

function routerText({ instance, interface: device, virtualRouterId, sent, heard }: Router): string {
  const others = heard.map(
    ({ source, adverts, priority, refused }) =>
      `${adverts} of ${source} (priority ${priority}${refused === null ? "" : ", refused"})`,
  );
  const own = sent > 0 ? [`${sent} of this host`] : [];
  const all = [...own, ...others].join(", ") || "none";
  return `  ${instance} (virtual router ${virtualRouterId} on ${device}): adverts: ${all}`;
}
