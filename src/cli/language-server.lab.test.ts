import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEXT = `global_defs {\n  routr_id db1\n}\nvrrp_instance VI {\n  interface lo\n  virtual_router_id 1\n  priorty 150\n  state M\n}\n`;

interface Told {
  readonly uri: string;
  readonly diagnostics: readonly { readonly code: string; readonly codeDescription?: { readonly href: string } }[];
}

const folder = mkdtempSync(join(tmpdir(), "lsp-"));
const path = join(folder, "keepalived.conf");
const uri = pathToFileURL(path).href;
const textDocument = { uri };
const server = spawn(join(ROOT, "bin/holdfast"), ["lsp", "-f", join(folder, "none.conf")], {
  stdio: ["pipe", "pipe", "inherit"],
});
const ended = new Promise<number | null>((resolve) => server.on("exit", resolve));
let connection: MessageConnection;
let waiting: ((told: Told) => void)[] = [];

/** The next findings; asked for before what causes them. */
const told = (): Promise<Told> => new Promise((resolve) => waiting.push(resolve));

beforeAll(async () => {
  writeFileSync(path, "");
  connection = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  connection.onNotification("textDocument/publishDiagnostics", (params: Told) => {
    const asked = waiting;
    waiting = [];
    for (const resolve of asked) resolve(params);
  });
  connection.listen();
  const answer = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  expect(answer).toMatchObject({ serverInfo: { name: "holdfast" }, capabilities: { hoverProvider: true } });
  await connection.sendNotification("initialized", {});
});

afterAll(() => {
  connection.dispose();
  server.kill();
  rmSync(folder, { recursive: true });
});

test("an editor gets findings of the text that is not saved yet, keywords, values and corrections", async () => {
  const first = told();
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "keepalived", version: 1, text: TEXT },
  });
  const { uri: about, diagnostics } = await first;
  expect(about).toBe(uri);
  expect(diagnostics.map(({ code }) => code)).toEqual(
    expect.arrayContaining(["unknown-keyword", "loopback-interface"]),
  );
  expect(diagnostics[0]?.codeDescription?.href).toMatch(/^file:.*\/docs\/rules\/[a-z-]+\.md$/);

  const hover = await connection.sendRequest("textDocument/hover", {
    textDocument,
    position: { line: 5, character: 4 },
  });
  expect(JSON.stringify(hover)).toContain("virtual_router_id");

  const state = { textDocument, position: { line: 7, character: 9 } };
  const values = (await connection.sendRequest("textDocument/completion", state)) as { label: string }[];
  expect(values.map(({ label }) => label)).toEqual(["MASTER", "BACKUP"]);

  const range = { start: { line: 0, character: 0 }, end: { line: 8, character: 0 } };
  const asked = { textDocument, range, context: { diagnostics: [] } };
  const actions = (await connection.sendRequest("textDocument/codeAction", asked)) as {
    title: string;
    isPreferred: boolean;
    edit: { changes: Record<string, { range: object; newText: string }[]> };
  }[];
  expect(actions.map(({ title, isPreferred }) => [title, isPreferred])).toEqual([
    ["Change to `router_id`", true],
    ["Change to `priority`", false],
  ]);
  const [edit] = actions[0]?.edit.changes[uri] ?? [];

  const second = told();
  await connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range: edit?.range, text: edit?.newText }],
  });
  const left = (await second).diagnostics.filter(({ code }) => code === "unknown-keyword");
  expect(left).toHaveLength(1);
  expect(readFileSync(path, "utf8")).toBe("");

  const third = told();
  await connection.sendNotification("textDocument/didClose", { textDocument });
  expect((await third).diagnostics).toEqual([]);
});

test("it ends when the editor says so", async () => {
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  expect(await ended).toBe(0);
});

test("the daemon loads nothing of it", () => {
  const bundle = join(ROOT, "dist/bundle");
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const [, chunk] of readFileSync(join(bundle, name), "utf8").matchAll(/(?:from|import)\s?"\.\/([^"]+\.js)"/g))
      load(chunk ?? "");
  };
  load("holdfast.js");
  load("keeper.js");
  const texts = [...loaded].map((name) => readFileSync(join(bundle, name), "utf8"));
  expect(texts.filter((text) => text.includes("textDocument/hover"))).toEqual([]);
});
