/**
 * `holdfast lsp`: the findings of `check`, the keyword registry and the corrections, for editors, over the Language Server Protocol on
 * standard input and output. Owns the translation of places; what is found and proposed is the core's. Reads files, writes none:
 * corrections are made by the editor.
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type CodeAction,
  CodeActionKind,
  CompletionItemKind,
  type Connection,
  createConnection,
  DiagnosticSeverity,
  type InitializeResult,
  type Diagnostic as LspDiagnostic,
  MarkupKind,
  ProposedFeatures,
  type Range,
  TextDocumentSyncKind,
  TextDocuments,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { completionsAt, hoverAt, type Proposal } from "../core/config/editor.ts";
import type { Fix } from "../core/config/fix.ts";
import { type LoadedConfig, loadConfig } from "../core/config/load.ts";
import type { Diagnostic, Severity } from "../core/config/model.ts";
import type { ConfigSource } from "../core/config/source.ts";
import { overlaid } from "./check-fix.ts";
import { rulePage, rulePages } from "./rule-pages.ts";

export interface LanguageServerParts {
  readonly source: ConfigSource;
  readonly version: string;
  /** Where an open file is looked for among the includes, before it is taken for a main file itself. */
  readonly mainFile: string;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Typing goes on: the file is read again when it has paused for so long. */
const PAUSE_MILLIS = 150;

const SEVERITY: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

const KIND: Readonly<Record<Proposal["kind"], CompletionItemKind>> = {
  keyword: CompletionItemKind.Keyword,
  block: CompletionItemKind.Module,
  value: CompletionItemKind.Value,
};

/** Runs until the editor ends it; the library ends the process then. */
export function runLanguageServer(parts: LanguageServerParts): Promise<never> {
  const connection = createConnection(ProposedFeatures.all, parts.input, parts.output);
  const server = new LanguageServer(connection, parts);
  server.listen();
  return new Promise(() => undefined);
}

class LanguageServer {
  readonly #connection: Connection;
  readonly #parts: LanguageServerParts;
  readonly #documents = new TextDocuments(TextDocument);
  /** By the file that was read as the main one: the files that findings were told of. */
  readonly #told = new Map<string, ReadonlySet<string>>();
  readonly #found = new Map<string, readonly Diagnostic[]>();
  #timer: NodeJS.Timeout | null = null;

  constructor(connection: Connection, parts: LanguageServerParts) {
    this.#connection = connection;
    this.#parts = parts;
  }

  listen(): void {
    const connection = this.#connection;
    connection.onInitialize(() => this.#capabilities());
    connection.onHover(({ textDocument, position }) => {
      const lines = this.#lines(textDocument.uri);
      const found = lines === null ? null : hoverAt(lines, { line: position.line + 1, column: position.character + 1 });
      if (found === null) return null;
      const range = rangeOf(position.line + 1, found.column, found.length);
      return { contents: { kind: MarkupKind.Markdown, value: found.markdown }, range };
    });
    connection.onCompletion(({ textDocument, position }) => {
      const lines = this.#lines(textDocument.uri) ?? [];
      return completionsAt(lines, { line: position.line + 1, column: position.character + 1 }).map((one) => ({
        label: one.label,
        kind: KIND[one.kind],
        detail: one.detail,
        documentation: { kind: MarkupKind.Markdown, value: one.doc },
      }));
    });
    connection.onCodeAction(({ textDocument, range }) => this.#actions(textDocument.uri, range));
    this.#documents.onDidChangeContent(() => this.#soon());
    this.#documents.onDidClose(() => this.#soon());
    this.#documents.listen(connection);
    connection.listen();
  }

  #capabilities(): InitializeResult {
    return {
      serverInfo: { name: "holdfast", version: this.#parts.version },
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        hoverProvider: true,
        completionProvider: {},
        codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      },
    };
  }

  #lines(uri: string): readonly string[] | null {
    return this.#documents.get(uri)?.getText().split(/\r?\n/) ?? null;
  }

  #soon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), PAUSE_MILLIS);
  }

  /** Every open file, each with what is open laid over the real files. */
  #check(): void {
    const open = new Map(
      this.#documents.all().flatMap((one) => {
        const path = pathOf(one.uri);
        return path === null ? [] : [[path, one.getText()] as const];
      }),
    );
    const source = overlaid(this.#parts.source, open);
    this.#found.clear();
    const before = new Set([...this.#told.values()].flatMap((files) => [...files]));
    this.#told.clear();
    const { mainFile } = this.#parts;
    const main = open.size === 0 ? null : loadConfig(source, mainFile);
    for (const path of open.keys()) {
      const covered = main?.files.has(path) === true;
      this.#take(covered ? mainFile : path, covered && main !== null ? main : loadConfig(source, path));
    }
    for (const path of this.#found.keys()) before.delete(path);
    for (const [path, list] of this.#found) this.#tell(path, list);
    for (const path of before) this.#tell(path, []);
  }

  #take(main: string, { diagnostics, files }: LoadedConfig): void {
    if (this.#told.has(main)) return;
    this.#told.set(main, new Set(files.keys()));
    for (const path of files.keys()) {
      const own = diagnostics.filter(({ span }) => (span === null ? path === main : span.file === path));
      this.#found.set(path, own);
    }
  }

  #tell(path: string, list: readonly Diagnostic[]): void {
    const pages = rulePages();
    const diagnostics = list.map((one) => inLsp(one, rulePage(pages, one.code)));
    void this.#connection.sendDiagnostics({ uri: pathToFileURL(path).href, diagnostics });
  }

  #actions(uri: string, range: Range): CodeAction[] {
    const path = pathOf(uri);
    const found = path === null ? [] : (this.#found.get(path) ?? []);
    return found.flatMap((one) => {
      const { fix } = one;
      if (fix === undefined || !touches(placeOf(one), range) || !this.#stillThere(uri, fix)) return [];
      const edit = { range: rangeOf(fix.span.line, fix.span.column, fix.span.length), newText: fix.replacement };
      const title = fix.replacement === "" ? `Remove \`${fix.expected.trim()}\`` : `Change to \`${fix.replacement}\``;
      const action: CodeAction = {
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [inLsp(one, null)],
        isPreferred: fix.safe,
        edit: { changes: { [uri]: [edit] } },
      };
      return [action];
    });
  }

  /** The findings may be older than the text. An editor keeps the byte order mark to itself. */
  #stillThere(uri: string, { span, expected }: Fix): boolean {
    const line = this.#lines(uri)?.[span.line - 1];
    return span.length > 0 && line?.slice(span.column - 1, span.column - 1 + span.length) === expected;
  }
}

function inLsp(one: Diagnostic, page: string | null): LspDiagnostic {
  return {
    range: placeOf(one),
    severity: SEVERITY[one.severity],
    code: one.code,
    source: "holdfast",
    message: one.remedy === null ? one.message : `${one.message}\n${one.remedy}`,
    ...(page === null ? {} : { codeDescription: { href: page } }),
  };
}

const placeOf = ({ span }: Diagnostic): Range =>
  span === null ? rangeOf(1, 1, 0) : rangeOf(span.line, span.column, span.length);

const rangeOf = (line: number, column: number, length: number): Range => ({
  start: { line: line - 1, character: column - 1 },
  end: { line: line - 1, character: column - 1 + length },
});

const touches = (one: Range, other: Range): boolean =>
  one.start.line <= other.end.line && one.end.line >= other.start.line;

/** Null for what is no file, such as a text without a name. */
function pathOf(uri: string): string | null {
  return uri.startsWith("file:") ? fileURLToPath(uri) : null;
}
