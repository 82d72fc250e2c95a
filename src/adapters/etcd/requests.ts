/** One HTTP request to one endpoint, over kept connections. */
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { StoreEndpoint } from "../../core/quorum/config.ts";
import type { StoreFailure } from "../../core/quorum/failure.ts";
import type { TlsMaterial } from "../credentials.ts";
import type { Answer, Asked } from "./gateway.ts";

/** Records are a few hundred bytes. */
const LARGEST = 256 * 1_024;

export interface Requests {
  /** `signal` ends it; the failure then is `timeout`. */
  send(
    to: StoreEndpoint,
    asked: Asked,
    how: { readonly token: string | null; readonly signal: AbortSignal },
  ): Promise<Result<Answer, StoreFailure>>;
  close(): void;
}

export function createRequests(tls: TlsMaterial): Requests {
  const kept = { keepAlive: true, maxSockets: 4 };
  const plain = new PlainAgent(kept);
  const secure = new TlsAgent({ ...kept, ...tls });
  return {
    send: (to, { path, body }, { token, signal }) =>
      new Promise((resolve) => {
        const fail = (failure: StoreFailure): void => resolve(err(failure));
        const headers = {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...(token === null ? {} : { authorization: token }),
        };
        const options = { method: "POST", headers, signal };
        const request = begin(() =>
          to.tls
            ? tlsRequest(`${to.url}${path}`, { ...options, agent: secure })
            : plainRequest(`${to.url}${path}`, { ...options, agent: plain }),
        );
        if (typeof request === "string") {
          fail({ kind: "setup", detail: `${to.url}: ${request}` });
          return;
        }
        request.on("response", (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
            if (text.length > LARGEST) request.destroy(new Error("the answer is too long"));
          });
          response.on("end", () => resolve(ok({ status: response.statusCode ?? 0, body: text })));
          response.on("error", (error) => fail(why(to, error, signal)));
        });
        request.on("error", (error) => fail(why(to, error, signal)));
        request.end(body);
      }),
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** An address that is none, a certificate and a key that do not belong together: node:http and node:tls throw at once. */
function begin<T>(request: () => T): T | string {
  try {
    return request();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
  }
}

function why({ url }: StoreEndpoint, error: NodeJS.ErrnoException, signal: AbortSignal): StoreFailure {
  if (signal.aborted) return { kind: "timeout", detail: `${url}: no answer in time` };
  const code = error.code ?? error.message;
  const detail = `${url}: ${code}`;
  return { kind: CERTIFICATE.test(code) ? "setup" : "unreachable", detail };
}

const CERTIFICATE = /CERT|SSL|SIGNATURE|ISSUER|ALTNAME|EPROTO/;
