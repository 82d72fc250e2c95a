// What a reload's reading writes beside the log.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ALL_SUBSYSTEMS } from "../core/config/subsystems.ts";
import { load, rereading } from "./config-reading.ts";
import { createLogWriter } from "./log-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-reading-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIG = (findings: string): string => `global_defs {
  reload_check_config ${findings}
  dynamic_interfaces
}
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  virtual_ipaddress { 192.0.2.1 }
}
`;

test("reload_check_config FILE holds what is wrong, as the log does, and is empty again when nothing is", () => {
  const file = join(folder, "keepalived.conf");
  const findings = join(folder, "findings");
  const logged: string[] = [];
  const sinks = [{ write: ({ text }: { text: string }) => void logged.push(text) }];
  const log = createLogWriter({ format: "keepalived", level: "info", sinks });
  const options = { file, configId: null, allConfig: false, subsystems: ALL_SUBSYSTEMS, pidFile: join(folder, "pid") };
  writeFileSync(file, CONFIG(findings));
  const first = load(options);
  const settings = first.config.global.reload;
  const again = rereading(options, first, { log, settings: () => settings });
  expect(settings.findingsFile).toBe(findings);

  writeFileSync(file, CONFIG(findings).replace("virtual_router_id", "virtual_router_ix"));
  expect(again().unusable).not.toBe(null);
  expect(readFileSync(findings, "utf8")).toContain("virtual_router_ix");
  expect(readFileSync(findings, "utf8")).toBe(logged.map((text) => `${text}\n`).join(""));
  expect(statSync(findings).mode & 0o777).toBe(0o600);

  writeFileSync(file, CONFIG(findings));
  expect(again().unusable).toBe(null);
  expect(readFileSync(findings, "utf8")).toBe("");
});
