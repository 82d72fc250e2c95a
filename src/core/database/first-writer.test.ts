import { expect, test } from "vitest";
import { standsAgainst } from "./first-writer.ts";

const peer = (kind: string) => ({ address: "192.0.2.2:3306", state: { kind } });
const alone = { open: false, ownProblem: null };

test.each([
  ["a peer that is down", alone, [peer("down")], null],
  ["a peer that is silent", alone, [peer("silent")], null],
  ["a peer that answers", alone, [peer("silent"), peer("up")], "answers"],
  ["a peer that lets nobody in", alone, [peer("unusable")], "answers"],
  ["the writer", { ...alone, open: true }, [peer("down")], "writer already"],
  ["an own server that is down", { ...alone, ownProblem: "refused" }, [peer("down")], "cannot be asked: refused"],
])("naming a first writer beside %s", (_name, own, peers, against) => {
  const found = standsAgainst(own, peers);
  if (against === null) expect(found).toBeNull();
  else expect(found).toContain(against);
});
