/**
 * Looks for a pattern in what a server has sent, for a limited time. JavaScript's engine goes back over the text as often as the pattern lets it, and
 * the text may be made for that: even `a.*b` takes minutes over some megabytes without a `b`. Meanwhile nothing else of this process would run.
 */
import { type Context, createContext, Script } from "node:vm";
import type { PatternSearch } from "../../core/lvs/http-answer.ts";

/** Far below what the keeper waits for a sign of life. */
const LIMIT_MILLIS = 100;

const SEARCH = new Script(
  "{ const expression = new RegExp(pattern, flags); expression.lastIndex = from; expression.exec(text)?.index ?? -1; }",
);

let context: Context | null = null;

export const searchPattern: PatternSearch = (expression, text) => {
  // Made when it is first needed: most files have no pattern.
  context ??= createContext(Object.create(null) as object);
  Object.assign(context, expression, { text });
  try {
    return Number(SEARCH.runInContext(context, { timeout: LIMIT_MILLIS }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return null;
    throw error;
  } finally {
    // A page of megabytes is not kept until the next one comes.
    context.text = "";
  }
};
