/** global_defs about the daemon itself: dump files, reload, names of processes; and the words of include_check. */
import type { DiagnosticSink } from "./diagnostics.ts";
import { INCLUDE_CHECK_NAMES, NO_CHECKS, readIncludeCheck } from "./include-check.ts";
import type { DumpSettings, GlobalConfig, ReloadSettings } from "./model.ts";
import { type Settings, wordSpan } from "./settings.ts";
import { closest } from "./suggest.ts";

export function compileDaemon(
  settings: Settings,
  diagnostics: DiagnosticSink,
): Pick<GlobalConfig, "dumps" | "reload" | "processNames"> {
  checkIncludeCheck(settings, diagnostics);
  const names = settings.has("process_names");
  return {
    dumps: readDumps(settings),
    reload: readReload(settings),
    processNames: {
      control: settings.text("process_name") ?? (names ? "keepalived" : null),
      keeper: settings.text("vrrp_process_name") ?? (names ? "keepalived_vrrp" : null),
    },
  };
}

function readDumps(settings: Settings): DumpSettings {
  return {
    useInstance: settings.flag("data_use_instance") ?? false,
    stateFile: settings.text("state_dump_file"),
    statsFile: settings.text("stats_dump_file"),
    jsonFile: settings.text("json_dump_file"),
    jsonVersion: settings.text("json_version") === "2" ? 2 : 1,
  };
}

function readReload(settings: Settings): ReloadSettings {
  const [file] = settings.words("reload_file");
  const [findings] = settings.words("reload_check_config");
  return {
    timeFile: settings.text("reload_time_file"),
    repeat: settings.has("reload_repeat"),
    file: settings.has("reload_file") ? (file?.text ?? "") : null,
    saveDirectory: settings.text("config_save_dir"),
    findingsFile: findings?.text ?? null,
  };
}

function checkIncludeCheck(settings: Settings, diagnostics: DiagnosticSink): void {
  for (const node of settings.nodes("include_check")) {
    const { unknown } = readIncludeCheck(
      node.args.map(({ text }) => text),
      NO_CHECKS,
    );
    for (const text of unknown) {
      const word = node.args.find((one) => one.text === text);
      const near = closest(text.replace(/^[+-]/, ""), INCLUDE_CHECK_NAMES);
      diagnostics.report(
        "bad-value",
        word === undefined ? node.span : wordSpan(node, word),
        `\`${text}\` is no check of include_check`,
        `${near === null ? "" : `did you mean \`${near}\`? `}write ${INCLUDE_CHECK_NAMES.join(", ")}`,
      );
    }
  }
}
