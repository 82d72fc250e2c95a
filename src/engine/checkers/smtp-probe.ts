/** SMTP_CHECK: the greeting, HELO, QUIT (RFC 5321). Each line may take connect_timeout. */
import { hostname } from "node:os";
import type { SmtpChecker } from "../../core/lvs/checkers.ts";
import { type Finding, OK } from "../../core/lvs/findings.ts";
import type { Probe, ProbeStream } from "../../ports/probes.ts";
import { Chain, type ProbeContext, type ProbeDone, plain } from "./probe.ts";

const LONGEST_LINE = 4_096;
const SHOWN = 60;

export function probeSmtp(context: ProbeContext, checker: SmtpChecker, done: ProbeDone): Probe {
  const chain = new Chain(done);
  const { timers } = context.commands;
  const answers = (what: string, how: "timeout" | "closed", detail: string): Finding => ({
    kind: "no-answer",
    what,
    how,
    detail,
  });
  const patience = (): void =>
    chain.deadline(
      timers.schedule(checker.connection.timeout, () => chain.end(plain(answers("a line", "timeout", "")))),
    );
  const dialogue = new Dialogue(checker.heloName ?? hostname(), (finding) => chain.end(plain(finding)));
  chain.part(
    context.port.stream(checker.connection, null, {
      onOpen(stream) {
        patience();
        dialogue.begin(stream);
      },
      onData(bytes) {
        patience();
        dialogue.push(Buffer.from(bytes).toString("latin1"));
      },
      onEnd: (error) => chain.end(plain(answers("a line", "closed", error ?? ""))),
      onFailure: (finding) => chain.end(plain(finding)),
    }),
  );
  return chain;
}

type Step = "banner" | "HELO" | "QUIT";

class Dialogue {
  readonly #helo: string;
  readonly #end: (finding: Finding) => void;
  #stream: ProbeStream | null = null;
  #step: Step = "banner";
  #pending = "";

  constructor(helo: string, end: (finding: Finding) => void) {
    this.#helo = helo;
    this.#end = end;
  }

  begin(stream: ProbeStream): void {
    this.#stream = stream;
  }

  /** Only the first line of an answer counts, as with keepalived. */
  push(text: string): void {
    this.#pending = (this.#pending + text).slice(-LONGEST_LINE);
    const end = this.#pending.indexOf("\n");
    if (end < 0) return;
    const line = this.#pending.slice(0, end);
    this.#pending = "";
    this.#answer(line);
  }

  #answer(line: string): void {
    const code = Number.parseInt(line, 10);
    const got = line.replace(/[^ -~]/g, "").slice(0, SHOWN);
    if (this.#step === "QUIT") this.#end(OK);
    else if (code !== (this.#step === "banner" ? 220 : 250)) this.#end({ kind: "greeting", what: this.#step, got });
    else if (this.#step === "banner") this.#say("HELO", `HELO ${this.#helo}\r\n`);
    else this.#say("QUIT", "QUIT\r\n");
  }

  #say(step: Step, text: string): void {
    this.#step = step;
    this.#stream?.write(Buffer.from(text, "latin1"));
  }
}
