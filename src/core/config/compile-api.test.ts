import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const TOKENS = `alice read sha256:${"0".repeat(64)}\n`;
const FILES = { "/c.pem": "cert", "/k.pem": "key", "/tokens": TOKENS, "/bad": "alice" };

function load(body: string, mode = 0o600) {
  const source = memorySource(
    { "/h.conf": `api {\n${body}\n}\n`, ...FILES },
    { script: (path) => ({ path, file: { kind: "file", mode, uid: 0, gid: 0 }, writableByOthers: null }) },
  );
  const { config, diagnostics } = loadConfig(source, "/h.conf", { lint: false });
  return { api: config.api, codes: diagnostics.map(({ code }) => code) };
}

describe("api { }", () => {
  it("without the block there is no listener", () => {
    expect(loadConfig(memorySource({ "/h.conf": "" }), "/h.conf").config.api).toBeNull();
  });

  it("serves loopback without TLS and tokens", () => {
    expect(load("listen 127.0.0.1 9180\nlisten ::1 9180")).toEqual({
      api: {
        listen: [
          { address: "127.0.0.1", port: 9_180 },
          { address: "::1", port: 9_180 },
        ],
        tls: null,
        tokenFile: null,
        dashboard: null,
        rateLimit: 20,
      },
      codes: [],
    });
  });

  it.each([
    ["listen 10.0.0.1 9180", "api-needs-tls"],
    ["listen 0.0.0.0 9180\ntoken_file /tokens", "api-needs-tls"],
    ["listen :: 9180\ntls_cert /c.pem\ntls_key /k.pem", "api-needs-tokens"],
    ["listen 10.0.0.1", "missing-argument"],
    ["listen localhost 9180", "bad-value"],
    ["listen 127.0.0.1 0", "bad-value"],
    ["listen 127.0.0.1 65536", "bad-value"],
  ])("never opens what others reach without TLS and tokens, nor what it does not understand: %s", (body, code) => {
    const { api, codes } = load(body);
    expect(api?.listen).toEqual([]);
    expect(codes).toEqual([code]);
  });

  it("with TLS and tokens it may listen anywhere", () => {
    const { api, codes } = load("listen 0.0.0.0 9180\ntls_cert /c.pem\ntls_key /k.pem\ntoken_file /tokens");
    expect(codes).toEqual([]);
    expect(api?.listen).toHaveLength(1);
  });

  it("says what is wrong with its files", () => {
    expect(load("listen ::1 1\ntoken_file /none").codes).toEqual(["api-file-unusable"]);
    expect(load("listen ::1 1\ntoken_file /bad").codes).toEqual(["api-file-unusable"]);
    expect(load("listen ::1 1\ntoken_file /tokens", 0o644).codes).toEqual(["api-file-unusable"]);
    expect(load("listen ::1 1\ntls_cert /c.pem").codes).toEqual(["missing-argument"]);
    expect(load("listen ::1 1\ntls_cert /none\ntls_key /k.pem").codes).toEqual(["api-file-unusable"]);
    expect(load("listen ::1 1\ntls_cert /c.pem\ntls_key /k.pem", 0o644).codes).toEqual(["key-file-readable"]);
  });
});
