import { expect, test } from "vitest";
import { elsewhere, type Namespaces } from "./elsewhere.ts";

const [HERE, THERE] = ["4:1", "4:2"];
const named = { name: "red", namespace: THERE };

test.each<[string, Partial<Namespaces>, string | null]>([
  ["nothing is said of a namespace", {}, null],
  ["the file's namespace, from outside", { named }, "ip netns exec red"],
  ["the file's namespace is not there yet", { named: { ...named, namespace: null } }, "ip netns exec red"],
  ["the file's namespace, from inside", { named: { ...named, namespace: HERE } }, null],
  ["the daemon was started with -s", { daemon: { pid: 7, namespace: THERE } }, "nsenter -t 7 -n"],
  ["the daemon is here, whatever the file says", { named, daemon: { pid: 7, namespace: HERE } }, null],
  ["where the doctor itself is, is not known", { own: null, named }, null],
])("%s", (_title, planted, enter) => {
  expect(elsewhere({ own: HERE, named: null, daemon: null, ...planted })?.enter ?? null).toBe(enter);
});
