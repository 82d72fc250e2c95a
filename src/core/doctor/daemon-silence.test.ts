import { expect, test } from "vitest";
import { judgeSilence, type Silence } from "./daemon-silence.ts";

const why = "in words";

test.each<[Silence["kind"], number | null, string, RegExp | null]>([
  ["nobody", null, "daemon-absent", null],
  ["nobody", 9, "unseen", /a holdfast runs \(pid 9\)/],
  ["not-permitted", null, "unseen", /^in words$/],
  ["no-answer", null, "daemon-silent", /^in words$/],
])("%s, and alive is %s", (kind, living, told, perhaps) => {
  const verdict = judgeSilence({ kind, why }, living);
  expect([...verdict.findings.map(({ id }) => id), ...verdict.unseen.map(() => "unseen")]).toEqual([told]);
  if (perhaps === null) expect(verdict.perhaps).toBeNull();
  else expect(verdict.perhaps).toMatch(perhaps);
});
