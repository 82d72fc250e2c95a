/**
 * Reads a command line as keepalived does: one word or one quoted text is the command, the words after it are user and
 * group. The quoted text is split again; there is never a shell.
 */

import { maskSecrets } from "../lib/secrets.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { Command } from "./model.ts";
import { mapped } from "./text.ts";
import { type Node, restOf } from "./tree.ts";
import { commandWords } from "./words.ts";

export function readCommand(node: Node, diagnostics: DiagnosticSink): Command | null {
  const outer = commandWords(restOf(node));
  const first = outer.words[0];
  if (outer.unterminated !== null || first === undefined || first.text.trim() === "") {
    if (outer.unterminated === null)
      diagnostics.report(
        "missing-argument",
        node.span,
        `\`${node.keyword}\` names no command`,
        `write ${node.keyword} "/path/to/program arguments"`,
      );
    else
      diagnostics.report(
        "unterminated-quote",
        { ...node.span, column: outer.unterminated, length: 1 },
        "the quotation mark is not closed on this line",
        "add the closing quotation mark",
      );
    return null;
  }
  const inner = commandWords(mapped(first.text));
  if (inner.unterminated !== null) {
    diagnostics.report(
      "unterminated-quote",
      { ...node.span, column: first.column, length: first.length },
      "a quotation mark inside the command is not closed",
      "add the closing quotation mark",
    );
    return null;
  }
  const owner = parseOwner(outer.words.slice(1).map((word) => word.text));
  return { argv: inner.words.map((word) => word.text), ...owner, text: maskSecrets(first.text), span: node.span };
}

/** `USER [[:]GROUP]`. */
export function parseOwner(words: readonly string[]): { readonly user: string | null; readonly group: string | null } {
  const [user = null, group] = words;
  if (group === undefined) return { user, group: null };
  const name = group.startsWith(":") ? group.slice(1) : group;
  return { user, group: name === "" ? null : name };
}
