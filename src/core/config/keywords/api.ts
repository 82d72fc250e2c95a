/** Keywords of `api { }`: the HTTP listener beside the Unix socket. All of them are extensions. */
import type { ArgSpec, KeywordEntry } from "./types.ts";
import { bool, done, integer, word, words } from "./types.ts";

const known = (name: string, args: ArgSpec, doc: string, fallback?: string): KeywordEntry =>
  done(name, args, doc, { extension: true, ...(fallback === undefined ? {} : { default: fallback }) });

export const API: readonly KeywordEntry[] = [
  known(
    "listen",
    words,
    "ADDRESS PORT to serve the API, /metrics, /healthz and /readyz at by HTTP; one line each. Other addresses than loopback need tls_cert, tls_key and token_file.",
    "none: the Unix socket alone",
  ),
  known("tls_cert", word, "Path of the server's certificate with its chain (PEM); read anew at every reload."),
  known("tls_key", word, "Path of its key (PEM), mode 0600."),
  known(
    "token_file",
    word,
    "Path of the file with names, roles and hashed tokens (`holdfast token add`), mode 0600; read anew when it changes.",
    "none: on loopback everybody may read and nobody may change",
  ),
  known(
    "dashboard",
    bool,
    "Serves the dashboard, a page for browsers, at /dashboard/. What it shows and does needs the same tokens as the API.",
    "on loopback addresses alone",
  ),
  known(
    "rate_limit",
    integer(1, 10_000),
    "Requests a second that one client address may make; bursts of five times as many.",
    "20",
  ),
];
