/** Paths and patterns as text: what can be said of them without looking at a disk. */

export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** Absolute path without `.` and `..`, so that one file has one name. */
export function resolvePath(path: string, directory: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

const MOST_ALTERNATIVES = 256;

/** The alternatives of `{a,b}` patterns, nested ones too; at most 256. */
export function expandBraces(pattern: string): readonly string[] {
  const done: string[] = [];
  const todo = [pattern];
  while (todo.length > 0 && done.length + todo.length < MOST_ALTERNATIVES) {
    const next = todo.shift() ?? "";
    const brace = /\{([^{}]*)\}/.exec(next);
    if (brace === null) done.push(next);
    else
      todo.push(
        ...(brace[1] ?? "")
          .split(",")
          .map((part) => next.slice(0, brace.index) + part + next.slice(brace.index + brace[0].length)),
      );
  }
  return [...new Set(done)];
}
