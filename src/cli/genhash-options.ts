/** The words of `holdfast genhash`: keepalived's genhash(1), option for option. */
import { parseIp } from "../core/lib/ip.ts";
import { err, ok, type Result } from "../core/lib/result.ts";
import { readWords } from "./probe-words.ts";

export interface GenhashOptions {
  readonly server: string;
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
  readonly sni: boolean;
  readonly virtualhost: string | null;
  readonly protocol: "1.0" | "1.0C" | "1.1";
  /** SO_MARK. */
  readonly mark: number;
  readonly timeoutMillis: number;
  readonly verbose: boolean;
}

export const GENHASH_HELP = `Usage: holdfast genhash -s ADDRESS -p PORT -u PATH [options]

Fetches a page as HTTP_GET and SSL_GET do and prints the MD5 sum of its body, for the keyword digest.

Options:
  -s, --server <address>         address of the server
  -p, --port <port>              its port
  -u, --url <path>               path of the page, such as /index.html
  -S, --use-ssl                  over TLS
  -I, --use-sni                  send the virtual host's name in the TLS hello
  -V, --use-virtualhost <name>   host to ask for (default: address and port)
  -P, --protocol <version>       1.0, 1.0c (with Connection: close) or 1.1 (default: 1.0)
  -m, --fwmark <mark>            firewall mark of the packets
  -t, --timeout <seconds>        for connecting, and for each piece of the answer (default: 5)
  -v, --verbose                  show status and length as well
  -h, --help                     this text

Exit codes:
  0  the sum was printed
  1  no page: the cause is on standard error
  2  wrong use of the command line
`;

const OPTIONS = {
  server: { type: "string", short: "s" },
  port: { type: "string", short: "p" },
  url: { type: "string", short: "u" },
  "use-ssl": { type: "boolean", short: "S" },
  "use-sni": { type: "boolean", short: "I" },
  "use-virtualhost": { type: "string", short: "V" },
  protocol: { type: "string", short: "P" },
  fwmark: { type: "string", short: "m" },
  timeout: { type: "string", short: "t" },
  verbose: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const;

const PROTOCOLS: Readonly<Record<string, GenhashOptions["protocol"]>> = {
  "1.0": "1.0",
  "1.0c": "1.0C",
  "1.0C": "1.0C",
  "1.1": "1.1",
};

/** "help", or what is wrong with the words. */
export function parseGenhash(words: readonly string[]): Result<GenhashOptions | "help", string> {
  const parsed = readWords(words, OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  if (values.help === true || words.length === 0) return ok("help");
  const [extra] = positionals;
  if (extra !== undefined) return err(`\`${extra}\` is no option of genhash`);
  return optionsOf(values);
}

type Values = Extract<ReturnType<typeof readWords<typeof OPTIONS>>, { readonly ok: true }>["value"]["values"];

function optionsOf(values: Values): Result<GenhashOptions, string> {
  const server = parseIp(values.server ?? "");
  if (server === null) return err("-s takes the server's address");
  const port = whole(values.port, [1, 65_535]);
  if (port === null) return err("-p takes a port from 1 to 65535");
  if (values.url === undefined || values.url === "") return err("-u takes the path of the page");
  const protocol = PROTOCOLS[values.protocol ?? "1.0"];
  if (protocol === undefined) return err("-P takes 1.0, 1.0c or 1.1");
  const mark = whole(values.fwmark ?? "0", [0, 4_294_967_295]);
  if (mark === null) return err("-m takes a mark from 0 to 4294967295");
  const timeout = whole(values.timeout ?? "5", [1, 4_294]);
  if (timeout === null) return err("-t takes seconds from 1 to 4294");
  return ok({
    server,
    port,
    path: values.url,
    tls: values["use-ssl"] === true,
    sni: values["use-sni"] === true,
    virtualhost: values["use-virtualhost"] ?? null,
    protocol,
    mark,
    timeoutMillis: timeout * 1_000,
    verbose: values.verbose === true,
  });
}

function whole(text: string | undefined, [least, most]: readonly [number, number]): number | null {
  const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}
