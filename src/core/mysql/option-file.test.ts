import fc from "fast-check";
import { expect, test } from "vitest";
import { credentialsProblem, parseOptionFile } from "./option-file.ts";

const options = (text: string) => {
  const parsed = parseOptionFile(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

test("sections of clients are read, the last value counts, others are left alone", () => {
  const text = [
    "# comment",
    "[mysqld]",
    "user = mysql",
    "[client]",
    "user=one",
    "password = secret # of the check",
    "port=3307",
    "ssl_ca = /etc/ca.pem",
    "; another",
    "compress",
    "[mysqldump]",
    "user=dump",
    "[client-mariadb]",
    "user=two",
  ].join("\n");
  expect(options(text)).toEqual({ user: "two", password: "secret", port: 3307, tlsCa: "/etc/ca.pem" });
});

test.each([
  ['"with # and blank "', "with # and blank "],
  ["'it\\'s'", "it's"],
  ["a\\\\b", "a\\b"],
  ["tab\\there", "tab\there"],
  ["keeps\\q", "keeps\\q"],
  ['in"side', 'in"side'],
  ["a=b=c", "a=b=c"],
])("password=%s is read as the mysql client reads it", (written, meant) => {
  expect(options(`[client]\npassword=${written}`).password).toBe(meant);
});

test("what is wrong is told by its line and never with a value", () => {
  expect(parseOptionFile("[client]\npassword=Zq7\nport=Zq7")).toEqual({
    ok: false,
    error: "line 3: port is no number from 1 to 65535",
  });
  expect(parseOptionFile("[client]\n!include /etc/Zq7")).toMatchObject({ ok: false });
});

test("any password in quotes comes back; no text makes the reader throw, no error repeats a secret", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (secret, noise) => {
      const written = secret.replace(/[\r\n]/g, "");
      const quoted = written.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
      expect(options(`[client]\npassword="${quoted}"\n`).password).toBe(written);
      const other = parseOptionFile(`[client]\npassword=Zq7Zq7\n${noise}`);
      if (!other.ok) expect(other.error).not.toContain("Zq7Zq7");
    }),
  );
});

test.each([0o600, 0o400, 0o700, 0o611])("mode %o may hold a password", (mode) => {
  expect(credentialsProblem("/f", mode)).toBeNull();
});

test.each([0o640, 0o604, 0o644, 0o620, 0o602])("mode %o is refused with the remedy", (mode) => {
  expect(credentialsProblem("/f", mode)).toContain("chmod 0600 /f");
});
