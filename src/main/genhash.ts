/** `holdfast genhash`: one page, fetched as a checker fetches it, and the sum that a checker compares. */
import { createHash } from "node:crypto";
import { EXIT } from "../cli/exit-codes.ts";
import { GENHASH_HELP, type GenhashOptions, parseGenhash } from "../cli/genhash-options.ts";
import { findingInWords } from "../core/events/explain-lvs.ts";
import type { IpAddress } from "../core/lib/ip.ts";
import { millis } from "../core/lib/units.ts";
import type { Finding } from "../core/lvs/findings.ts";
import { AnswerReader, httpRequest } from "../core/lvs/http-answer.ts";
import { createArena } from "../linux/arena.ts";
import { createBackgroundPoll } from "../linux/background-poll.ts";
import { createProbePort } from "../linux/probe-port.ts";
import type { ProbeIo } from "./probe-io.ts";

const ARENA_BYTES = 1024 * 1024;

export async function runGenhash(words: readonly string[], io: Pick<ProbeIo, "out" | "err">): Promise<number> {
  const options = parseGenhash(words);
  if (!options.ok) {
    io.err(`holdfast: ${options.error}`);
    io.err("          see `holdfast genhash --help`");
    return EXIT.usage;
  }
  if (options.value === "help") {
    io.out(GENHASH_HELP.trimEnd());
    return EXIT.ok;
  }
  const page = await fetchPage(options.value);
  if (typeof page === "string") {
    io.err(`holdfast: [${options.value.server}]:${options.value.port}: ${page}`);
    return EXIT.failed;
  }
  if (options.value.verbose) io.out(`status ${page.status}, ${page.bytes} bytes`);
  io.out(page.digest);
  return EXIT.ok;
}

interface Page {
  readonly status: number;
  readonly bytes: number;
  readonly digest: string;
}

const closed: Finding = { kind: "no-answer", what: "an answer", how: "closed", detail: "" };
const silent: Finding = { kind: "no-answer", what: "the end of the answer", how: "timeout", detail: "" };

function fetchPage(options: GenhashOptions): Promise<Page | string> {
  const arena = createArena(ARENA_BYTES);
  const port = createProbePort(arena, createBackgroundPoll(arena));
  const connection = {
    address: options.server as IpAddress,
    port: options.port,
    timeout: millis(options.timeoutMillis),
    bindAddress: null,
    bindPort: 0,
    bindInterface: null,
    mark: options.mark,
  };
  const serverName = options.sni ? options.virtualhost : null;
  const tls = options.tls ? { serverName, ca: null, certificate: null, key: null, passphrase: null } : null;
  const hash = createHash("md5");
  const reader = new AnswerReader((bytes) => void hash.update(bytes));
  return new Promise((resolve) => {
    const end = (finding: Finding): void => resolve(findingInWords(finding));
    const patience = setTimeout(() => end(silent), options.timeoutMillis);
    port.stream(connection, tls, {
      onOpen(stream) {
        patience.refresh();
        stream.write(
          Buffer.from(httpRequest({ ...options, connection }, { path: options.path, virtualhost: null }), "latin1"),
        );
      },
      onData(bytes) {
        patience.refresh();
        reader.push(bytes);
      },
      onEnd(error) {
        if (reader.head === null || error !== null) end(closed);
        else resolve({ status: reader.head.status, bytes: reader.received, digest: hash.digest("hex") });
      },
      onFailure: end,
    });
  });
}
