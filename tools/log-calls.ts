/**
 * Texts that the sources write into the log without an event: arguments of `log.line`, `say`, `refuse` and the like, found in the
 * syntax tree. A template's expressions become "…". A text that is computed elsewhere is returned as its expression.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import type { LogLevel } from "../src/core/events/log-line.ts";

export interface LoggedText {
  /** Below src. */
  readonly file: string;
  /** Null: computed; `expression` says how. */
  readonly text: string | null;
  readonly expression: string;
  /** Information, unless another is written. */
  readonly level: LogLevel;
}

/** Calls that end in the log: their name, and which argument is the text and which its level. */
const CALLS: Readonly<Record<string, { readonly text: number; readonly level: number | null }>> = {
  line: { text: 1, level: 2 },
  say: { text: 0, level: null },
  refuse: { text: 0, level: null },
  onProblem: { text: 0, level: null },
  fail: { text: 0, level: null },
};
const FOLDERS = ["main", "control"];
const FILES = ["linux/log-file.ts"];
const SOURCES = join(import.meta.dirname, "../src");

export function loggedTexts(): readonly LoggedText[] {
  const named = FOLDERS.flatMap((folder) =>
    readdirSync(join(SOURCES, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  return [...named, ...FILES].filter((name) => /(?<!\.test)\.ts$/.test(name)).flatMap(textsOf);
}

function textsOf(name: string): readonly LoggedText[] {
  const path = join(SOURCES, name);
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const constants = new Map<string, ts.Expression>();
  const found: LoggedText[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      constants.set(node.name.text, node.initializer);
    }
    if (ts.isCallExpression(node)) found.push(...textsOfCall(node, constants, relative(SOURCES, path)));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function textsOfCall(
  { expression: callee, arguments: given }: ts.CallExpression,
  constants: ReadonlyMap<string, ts.Expression>,
  file: string,
): readonly LoggedText[] {
  const name = ts.isPropertyAccessExpression(callee) ? callee.name.text : ts.isIdentifier(callee) ? callee.text : "";
  const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
  const argument = call === undefined ? undefined : given[call.text];
  if (call === undefined || argument === undefined) return [];
  const level = call.level === null ? undefined : given[call.level];
  const written = level !== undefined && ts.isStringLiteral(level) ? (level.text as LogLevel) : "info";
  return branches(argument).map((one) => ({
    file,
    text: textOf(one, constants),
    expression: one.getText(),
    level: written,
  }));
}

/** Both of `a ? b : c`. */
function branches(expression: ts.Expression): readonly ts.Expression[] {
  if (ts.isParenthesizedExpression(expression)) return branches(expression.expression);
  if (!ts.isConditionalExpression(expression)) return [expression];
  return [...branches(expression.whenTrue), ...branches(expression.whenFalse)];
}

function textOf(expression: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string | null {
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isTemplateExpression(expression)) {
    return expression.head.text + expression.templateSpans.map(({ literal }) => `…${literal.text}`).join("");
  }
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(expression.left, constants), textOf(expression.right, constants)];
    return left === null || right === null ? null : left + right;
  }
  const named = ts.isIdentifier(expression) ? constants.get(expression.text) : undefined;
  return named === undefined || !isText(named) ? null : textOf(named, constants);
}

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) || ts.isBinaryExpression(node);
