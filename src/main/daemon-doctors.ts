/** What the daemon itself looks at for a doctor: the servers of its managed database groups, and the host as a director. */
import type { HostDoctorAsk } from "../cli/commands/host-doctor.ts";
import { CliError } from "../cli/exit-codes.ts";
import type { DoctorReply } from "../control/contract/types.ts";
import type { Unseen } from "../core/doctor/catalogue.ts";

interface Answer {
  readonly findings: DoctorReply["findings"];
  readonly unseen: readonly Unseen[];
}

interface Question {
  readonly path: string;
  readonly what: string;
  readonly command: string;
}

/** Names of managed MySQL groups, and whether the file has virtual servers. */
export interface Looked {
  readonly groups: ReadonlySet<string>;
  readonly director: boolean;
}

export async function askDoctors({ groups, director }: Looked, ask: Pick<HostDoctorAsk, "get">): Promise<Answer> {
  const questions = [...groups].map((name): Question => {
    const command = `holdfast doctor ${name}`;
    return { path: `/v1/mysql/doctor?name=${encodeURIComponent(name)}`, what: `servers of ${name}`, command };
  });
  if (director)
    questions.push({ path: "/v1/lvs/doctor", what: "this host as a director", command: "holdfast doctor --lvs" });
  const answers = await Promise.all(questions.map((one) => askOne(one, ask)));
  return {
    findings: answers.flatMap(({ findings }) => findings),
    unseen: answers.flatMap(({ unseen }) => unseen),
  };
}

async function askOne({ path, what, command }: Question, ask: Pick<HostDoctorAsk, "get">): Promise<Answer> {
  try {
    return { findings: (await ask.get<DoctorReply>(path)).findings, unseen: [] };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { findings: [], unseen: [{ what, why: error.message, fix: command }] };
  }
}
