/** One page of HTTP_GET or SSL_GET: connect, ask, read to the end. Each step may take connect_timeout. */
import { createHash } from "node:crypto";
import type { HttpChecker, UrlCheck } from "../../core/lvs/checkers.ts";
import type { Finding } from "../../core/lvs/findings.ts";
import { AnswerReader, asText, httpRequest, judgeAnswer, LONGEST_BODY } from "../../core/lvs/http-answer.ts";
import type { Probe } from "../../ports/probes.ts";
import { searchPattern } from "./pattern-search.ts";
import { Chain, type ProbeContext, type ProbeDone, plain } from "./probe.ts";

const SILENT: Finding = { kind: "no-answer", what: "the end of the answer", how: "timeout", detail: "" };

export function probePage(context: ProbeContext, checker: HttpChecker, url: UrlCheck, done: ProbeDone): Probe {
  const chain = new Chain(done);
  const { timers } = context.commands;
  const { timeout } = checker.connection;
  const patience = (): void => chain.deadline(timers.schedule(timeout, () => chain.end(plain(SILENT))));
  const page = new Page(url);
  const tls = checker.tls ? { ...context.tls, serverName: serverName(checker, url) } : null;
  // The handshake has no deadline of its own below.
  if (tls !== null) chain.deadline(timers.schedule(timeout, () => chain.end(plain(LATE))));
  chain.part(
    context.port.stream(checker.connection, tls, {
      onOpen(stream) {
        patience();
        stream.write(Buffer.from(httpRequest(checker, url), "latin1"));
      },
      onData(bytes) {
        patience();
        page.push(bytes);
      },
      onEnd: (error) => chain.end(plain(page.judge(error))),
      onFailure: (finding) => chain.end(plain(finding)),
    }),
  );
  return chain;
}

const LATE: Finding = { kind: "connect", problem: "timeout", detail: "" };

const serverName = (checker: HttpChecker, url: UrlCheck): string | null =>
  checker.sni ? (checker.sniName ?? url.virtualhost ?? checker.virtualhost) : null;

/** What of an answer its page is judged by, and no more. */
class Page {
  readonly #url: UrlCheck;
  readonly #hash;
  readonly #body: string[] = [];
  #kept = 0;
  readonly #reader = new AnswerReader((bytes) => this.#take(bytes));

  constructor(url: UrlCheck) {
    this.#url = url;
    this.#hash = url.digest === null ? null : createHash("md5");
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  #take(bytes: Uint8Array): void {
    this.#hash?.update(bytes);
    if (this.#url.regex === null || this.#kept >= LONGEST_BODY) return;
    this.#kept += bytes.length;
    this.#body.push(this.#url.regex.flags.includes("u") ? Buffer.from(bytes).toString("utf8") : asText(bytes));
  }

  judge(error: string | null): Finding {
    const { head } = this.#reader;
    if (error !== null) return { kind: "no-answer", what: "the end of the answer", how: "closed", detail: error };
    const digest = this.#hash?.digest("hex") ?? null;
    return judgeAnswer(this.#url, { head, digest, body: this.#body.join("") }, searchPattern);
  }
}
