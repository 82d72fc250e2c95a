import { expect, test } from "vitest";
import { isCalled } from "./server-names.ts";

test.each([
  ["[192.0.2.10]:tcp:80", "[192.0.2.10]:tcp:80", true],
  ["[192.0.2.10]:tcp:80", "192.0.2.10:80", true],
  ["[192.0.2.10]:tcp:80", "192.0.2.10", true],
  ["[192.0.2.10]:tcp:80", "TCP 192.0.2.10:80", true],
  ["[192.0.2.10]:tcp:80", "UDP 192.0.2.10:80", false],
  ["[192.0.2.10]:tcp:80", "192.0.2.10:8", false],
  ["[192.0.2.10]:tcp:80", "192.0.2.1", false],
  ["[2001:db8::1]:udp:53", "[2001:db8::1]:53", true],
  ["[2001:db8::1]:udp:53", "2001:db8::1", true],
  ["FWM 5", "FWM 5", true],
  ["FWM 5", "5", false],
])("%s, typed as %s: %s", (name, typed, called) => {
  expect(isCalled(name, typed)).toBe(called);
});
