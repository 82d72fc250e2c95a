import fc from "fast-check";
import { expect, test } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { describe } from "../events/describe.ts";
import { renderDiagnostic } from "./diagnostics.ts";
import { loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";
import type { Command } from "./model.ts";

const COMMANDS = [
  "mysql -h db -pSECRET -e 'select 1'",
  "mysql -p'SECRET' -h db",
  "mysqladmin --password=SECRET ping",
  "mysqladmin --password SECRET ping",
  "check password=SECRET",
  "redis-cli -p 6379 -a SECRET ping",
  "check --pass SECRET",
  "check --auth SECRET -v",
  "check --auth=SECRET -v",
  "/usr/bin/env MYSQL_PWD=SECRET mysql",
  "curl -u root:SECRET http://h/",
  "check mysql://root:SECRET@h/db",
];
/** In quotes, without them, with the quotation mark left open, with words behind. */
const FORMS: readonly ((command: string) => string)[] = [
  (command) => `"${command}"`,
  (command) => command,
  (command) => `"${command}`,
  (command) => `"${command}" nobody nogroup more`,
  (command) => `${command} {`,
];
const LINES = [
  "auth_pass SECRET",
  "auth_pass SECRET SECRET",
  "auth_pas SECRET",
  "priority auth_pass SECRET",
  "priority 100 auth_pass SECRET",
  "advert_int password SECRET",
  "nopreempt key SECRET",
  "auth_pass { SECRET }",
  "vip_lease password SECRET",
  "auth_pass $P $P",
  "priority auth_pass $P",
];

function configWith(scriptLine: string, hookLine: string, line: string): string {
  return [
    "$P=SECRET",
    `vrrp_script c {\nscript ${scriptLine}\ninterval 0\n}`,
    `vrrp_instance A {\ninterface eth0\nvirtual_router_id 5\n${line}\nauthentication {\nauth_type PASS\n${line}\n}`,
    `track_script {\nc ${line}\n}\nvirtual_ipaddress {\n192.0.2.1 ${line}\n}\nnotify_master ${hookLine}\n}\n`,
  ].join("\n");
}

/** Everything that is ever printed, logged or kept of a configuration. */
function shownOf(text: string): string {
  const { config, diagnostics, files } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  const hooks = config.instances.flatMap((instance) => Object.values(instance.hooks) as Command[]);
  const commands = [...config.scripts.map(({ command }) => command), ...hooks].map(({ text }) => text);
  const log = commands.flatMap((command) => {
    const body = { kind: "hook-started", instance: "A", hook: "notify_master", command } as const;
    return describe({ at: 0, time: 0, origin: "parent", body }).lines.map((it) => it.text);
  });
  const rendered = diagnostics.map((one) => renderDiagnostic(one, files));
  return [...rendered, JSON.stringify(diagnostics), ...commands, ...log].join("\n");
}

const SECRET_CHARACTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+.,%/"];

test(
  "a secret on a command line or after a secret keyword is shown nowhere, however wrong the line is",
  () => {
    // Begins as no word of ours does.
    const anySecret = fc
      .string({ unit: fc.constantFrom(...SECRET_CHARACTERS), maxLength: 16 })
      .map((text) => `Zq7${text}`);
    const anyCommand = fc
      .tuple(fc.constantFrom(...COMMANDS), fc.constantFrom(...FORMS))
      .map(([command, form]) => form(command));
    fc.assert(
      fc.property(anySecret, anyCommand, anyCommand, fc.constantFrom(...LINES), (secret, script, hook, line) => {
        const text = configWith(script, hook, line).replaceAll("SECRET", () => secret);
        expect(shownOf(text)).not.toContain(secret);
      }),
      { numRuns: runs(1_500, 50_000) },
    );
  },
  SEARCH_TIMEOUT,
);

test("the commands themselves keep their secrets, or nothing would work any more", () => {
  const text = configWith('"mysql -pS3cret"', '"redis-cli -a S3cret"', "auth_pass S3cret");
  const { config } = loadConfig(memorySource({ "/k.conf": text }), "/k.conf");
  expect(config.scripts[0]?.command).toMatchObject({ argv: ["mysql", "-pS3cret"], text: "mysql -p******" });
  expect(config.instances[0]?.hooks.notify_master?.argv).toEqual(["redis-cli", "-a", "S3cret"]);
});
