import { expect, test } from "vitest";
import { hideTokens, maskSecrets, secretTokens } from "./secrets.ts";

test.each([
  ["mysql -h db -P 3306 -pS3cret -e x", "mysql -h db -P 3306 -p****** -e x"],
  ["mysql --password=S3cret -e x", "mysql --password=****** -e x"],
  ["mysql --password S3cret -e x", "mysql --password ****** **"],
  ["check --pass S3cret -e x", "check --pass ****** **"],
  ["check --auth S3cret -e x", "check --auth ****** -e x"],
  ["check --require-auth --pwd S3cret", "check --require-auth ***** ******"],
  ["redis-cli -p 6379 -a S3cret ping", "redis-cli -p 6379 -a ****** ping"],
  ["sshpass -p S3cret ssh", "sshpass -p ****** ssh"],
  ["env MYSQL_PWD=S3cret mysql", "env MYSQL_PWD=****** mysql"],
  ["mysql -p'S3 cret' -h db", "mysql -p*** ***** -h db"],
  ['mysql -p\\"S3 cret\\" -h db', "mysql -p**** ****** -h db"],
  ["curl -u root:S3cret http://h/", "curl -u root:****** http://h/"],
  ["check mysql://root:S3cret@h/db", "check mysql://root:******/db"],
  ["  auth_pass S3cret", "  auth_pass ******"],
  ["auth_pas S3 cret", "auth_pas ** ****"],
  ["priority auth_pass S3cret", "priority auth_pass ******"],
  ["key 1 file:/etc/k S3cret", "key 1 file:/etc/k ******"],
  ["key 1 hex:S3cret", "key * **********"],
  ["key 1 file:S3cret", "key * ***********"],
  ["mysql -pMypass other -pS3", "mysql -p****** ***** -p**"],
])("%s is shown as %s", (line, shown) => {
  // What is hidden has to be; how much more may be, as long as the columns stay.
  expect(maskSecrets(line)).toHaveLength(line.length);
  expect(maskSecrets(line)).not.toMatch(/S3|cret|Mypass/);
  expect(maskSecrets(line).slice(0, shown.indexOf("*"))).toBe(shown.slice(0, shown.indexOf("*")));
});

test.each([
  "/etc/keepalived/checkMySQL.py -h 127.0.0.1 -P 3306",
  "redis-cli -h 10.0.0.1 -p 6379 ping",
  "192.0.2.1/24 dev eth1 label eth1:0 brd +",
  'script "/usr/local/bin/check --port=3306 --print"',
  "auth_type PASS",
  "key 1 file:/etc/keepalived/keys/vrrp51",
])("%s stays as it is", (line) => {
  expect(maskSecrets(line)).toBe(line);
});

test("what follows a secret is still readable", () => {
  expect(maskSecrets("mysql -pS3cret -e 'select 1'")).toBe("mysql -p****** -e 'select 1'");
});

test("a message loses the words of a secret and keeps all others", () => {
  const tokens = secretTokens(["priority auth_pass S3cret#2"]);
  expect(hideTokens("`S3cret#2` after `priority` is ignored", tokens)).toBe("`***#***` after `priority` is ignored");
});

test("a line of hostile length costs little more than its length", () => {
  for (const piece of ["pass", "-", "key ", "-a ", "-p'", "a", "pass ", "://x:", '\\"', "-u "]) {
    expect(maskSecrets(piece.repeat(65_536 / piece.length)).length).toBeGreaterThan(65_000);
  }
}, 60_000);
