import { expect, test } from "vitest";
import { isDaemon } from "./holdfast-processes.ts";

test.each<[string, boolean]>([
  ["/usr/bin/node --inspect-port=0.0.0.1:9229 /opt/holdfast/dist/bundle/holdfast.js run -n -f /etc/x.conf", true],
  ["/usr/bin/node /opt/holdfast/dist/bundle/holdfast.js -f /etc/x.conf", true],
  ["/usr/bin/node /opt/holdfast/dist/bundle/holdfast.js", true],
  ["/usr/bin/node --max-old-space-size=64 /opt/holdfast/dist/bundle/keeper.js", true],
  ["/usr/bin/node /opt/holdfast/dist/bundle/holdfast.js doctor --json", false],
  ["/usr/bin/node /opt/holdfast/dist/bundle/holdfast.js status", false],
  ["vi /etc/holdfast/holdfast.conf", false],
  ["/usr/bin/node /srv/app/keeper.js", false],
  ["bash", false],
])("%s is a daemon: %s", (line, daemon) => {
  expect(isDaemon([...line.split(" "), ""])).toBe(daemon);
});
