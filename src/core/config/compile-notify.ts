/**
 * global_defs about telling others: notify FIFOs, mail, startup and shutdown script, how scripts are run. Values that
 * keepalived drops are dropped here too, with a diagnostic.
 */
import { seconds } from "../lib/units.ts";
import { parseOwner } from "./command.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import type { NoticeDefaults } from "./instance-defaults.ts";
import type { FifoConfig, GlobalConfig, InstanceNotices, MailConfig, TimedCommand } from "./model.ts";
import { type Settings, wordSpan } from "./settings.ts";

type NotifyPart = Pick<GlobalConfig, "notify" | "mail" | "startupScript" | "shutdownScript" | "scriptRules">;

export function compileNotify(settings: Settings, diagnostics: DiagnosticSink): NotifyPart {
  return {
    notify: {
      fifos: readFifos(settings, diagnostics),
      statesOnReload: settings.has("fifo_write_vrrp_states_on_reload"),
    },
    mail: readMail(settings, diagnostics),
    startupScript: readTimed(settings, "startup_script"),
    shutdownScript: readTimed(settings, "shutdown_script"),
    scriptRules: {
      supplementaryGroups: settings.has("set_supplementary_groups"),
      symlinkPaths: settings.flag("use_symlink_paths") ?? true,
      unusable: settings.text("unusable_script") === "ignore" ? "ignore" : "fault",
    },
  };
}

export const NO_NOTICES: InstanceNotices = { mail: false, priorityChanges: false, deleted: false };

/** What instances and sync groups inherit. */
export function noticeDefaults(settings: Settings): NoticeDefaults {
  const mailGiven = settings.flag("smtp_alert");
  const mailGivenForVrrp = settings.flag("smtp_alert_vrrp");
  return {
    mailGiven,
    mailGivenForVrrp,
    mail: mailGivenForVrrp ?? mailGiven ?? false,
    priorityChanges: settings.flag("vrrp_notify_priority_changes") ?? false,
  };
}

function readFifos(settings: Settings, diagnostics: DiagnosticSink): readonly FifoConfig[] {
  const fifos: FifoConfig[] = [];
  for (const keyword of ["notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo"] as const) {
    const node = settings.node(keyword);
    if (node === null) continue;
    const [path, ...owner] = settings.words(keyword).map((word) => word.text);
    if (path === undefined) {
      const remedy = `write ${keyword} /path/to/pipe`;
      diagnostics.report("missing-argument", node.span, `\`${keyword}\` names no pipe`, remedy);
    } else if (fifos.some((other) => other.path === path)) {
      const remedy = "give each its own path, or keep notify_fifo alone: it gets every line";
      diagnostics.report("duplicate-name", node.span, `${path} is named by another notify_fifo already`, remedy);
    } else {
      fifos.push({ keyword, path, ...parseOwner(owner), reader: settings.command(`${keyword}_script`) });
    }
  }
  return fifos;
}

const SMTP_PORT = 25;

function readMail(settings: Settings, diagnostics: DiagnosticSink): MailConfig | null {
  const to = readRecipients(settings, diagnostics);
  const [host, port] = settings.words("smtp_server");
  const node = settings.node("smtp_server");
  if (node !== null && host === undefined) {
    diagnostics.report("missing-argument", node.span, "`smtp_server` names no host", "write smtp_server HOST [PORT]");
  }
  const number = port === undefined ? SMTP_PORT : Number(port.text);
  const good = Number.isInteger(number) && number >= 1 && number <= 65_535;
  if (!good && port !== undefined && node !== null) {
    const remedy = "write a port from 1 to 65535";
    diagnostics.report("bad-value", wordSpan(node, port), `\`${port.text}\` is no port; ${SMTP_PORT} is used`, remedy);
  }
  if (node === null && to.length > 0) {
    const remedy = "write smtp_server HOST [PORT] in global_defs";
    const span = settings.node("notification_email")?.span ?? null;
    diagnostics.report("no-mail-server", span, "`notification_email` without `smtp_server`: no mail is sent", remedy);
  }
  if (host === undefined || to.length === 0) return null;
  return {
    host: host.text,
    port: good ? number : SMTP_PORT,
    to,
    from: settings.text("notification_email_from"),
    helo: settings.text("smtp_helo_name"),
    connectTimeout: seconds(settings.number("smtp_connect_timeout") ?? 30),
    noFaults: settings.has("no_email_faults"),
  };
}

function readRecipients(settings: Settings, diagnostics: DiagnosticSink): readonly string[] {
  const blocks = settings.nodes("notification_email");
  const empty = blocks.find(({ block }) => block !== null && block.length === 0);
  if (empty !== undefined) {
    const remedy = "write one address a line in it, or leave the block out";
    diagnostics.report("no-mail-recipient", empty.span, "`notification_email` names nobody", remedy);
  }
  return blocks.flatMap(({ block }) => (block ?? []).map((line) => line.keyword));
}

function readTimed(settings: Settings, keyword: string): TimedCommand | null {
  const command = settings.command(keyword);
  return command === null ? null : { command, timeout: seconds(settings.number(`${keyword}_timeout`) ?? 10) };
}
