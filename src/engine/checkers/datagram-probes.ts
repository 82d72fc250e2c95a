/** UDP_CHECK, DNS_CHECK and PING_CHECK: one datagram each, and what comes back within connect_timeout. */
import type { DnsChecker, PingChecker, UdpChecker } from "../../core/lvs/checkers.ts";
import { dnsAnswer, dnsQuestion } from "../../core/lvs/dns-message.ts";
import { type Finding, OK } from "../../core/lvs/findings.ts";
import { judgeReply } from "../../core/lvs/udp-reply.ts";
import type { Probe } from "../../ports/probes.ts";
import { Chain, type ProbeContext, type ProbeDone, plain } from "./probe.ts";

const SILENT: Finding = { kind: "no-answer", what: "an answer", how: "timeout", detail: "" };
/** keepalived sends so many random bytes. */
const RANDOM_BYTES = 16;
const WORDS = 65_536;

export function probeUdp(context: ProbeContext, checker: UdpChecker, done: ProbeDone): Probe {
  const chain = new Chain(done);
  const { reply, connection } = checker;
  const payload = checker.payload ?? Array.from({ length: RANDOM_BYTES }, () => Math.floor(context.random() * 256));
  // Without require_reply silence is success: a host that refuses says so.
  wait(context, chain, connection.timeout, reply === null ? OK : SILENT);
  chain.part(
    context.port.datagram(connection, Uint8Array.from(payload), {
      onData: (bytes) => chain.end(plain(reply === null ? OK : judgeReply(reply, bytes))),
      onFailure: (finding) => chain.end(plain(finding)),
    }),
  );
  return chain;
}

export function probeDns(context: ProbeContext, checker: DnsChecker, done: ProbeDone): Probe {
  const chain = new Chain(done);
  const identifier = Math.floor(context.random() * WORDS);
  wait(context, chain, checker.connection.timeout, SILENT);
  chain.part(
    context.port.datagram(checker.connection, dnsQuestion(checker, identifier), {
      onData(bytes) {
        const finding = dnsAnswer(bytes, identifier);
        if (finding !== null) chain.end(plain(finding));
      },
      onFailure: (finding) => chain.end(plain(finding)),
    }),
  );
  return chain;
}

export function probePing(context: ProbeContext, checker: PingChecker, done: ProbeDone): Probe {
  const chain = new Chain(done);
  const request = { identifier: Math.floor(context.random() * WORDS), sequence: Math.floor(context.random() * WORDS) };
  wait(context, chain, checker.connection.timeout, SILENT);
  chain.part(
    context.port.echo(checker.connection, request, {
      onReply({ identifier, sequence }) {
        if (identifier === request.identifier && sequence === request.sequence) chain.end(plain(OK));
      },
      onFailure: (finding) => chain.end(plain(finding)),
    }),
  );
  return chain;
}

function wait(
  { commands }: ProbeContext,
  chain: Chain,
  timeout: UdpChecker["connection"]["timeout"],
  finding: Finding,
): void {
  chain.deadline(commands.timers.schedule(timeout, () => chain.end(plain(finding))));
}
