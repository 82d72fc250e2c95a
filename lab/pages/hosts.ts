/**
 * Hosts of the lab as a reader of the pages finds theirs: packages installed, nothing configured, nothing running. Each has an /etc,
 * /usr and /var of its own over the machine's, and a shell in which the page's commands are typed one after the other.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Lab, LabHost } from "../../src/lab/lab.ts";
import { preparedTemplate } from "../../src/lab/mariadb.ts";
import { HOLDFAST_LAUNCHER, LAB_DATA, PROJECT_ROOT } from "../../src/lab/paths.ts";
import { LAB_PATH, type RunningProgram, sleep } from "../../src/lab/processes.ts";
import type { CommandStep, FileStep, Page } from "./page.ts";
import { difference } from "./shown.ts";

/** No command of a page takes longer, a wait for a takeover included. */
const COMMAND_MS = 60_000;

const SETUP = `
  set -e
  for folder in etc usr var; do
    mkdir -p "$1/$folder/upper" "$1/$folder/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$1/$folder/upper,workdir=$1/$folder/work" "/$folder"
  done
  cat "$2" >/etc/hosts; rm -f /etc/resolv.conf; : >/etc/resolv.conf
  rm -rf /etc/keepalived /etc/holdfast /var/lib/holdfast /var/lib/mysql /var/lib/redis
  mkdir -p /etc/keepalived /etc/holdfast /var/lib/redis /var/log/redis
  install -m 0755 "$3/systemctl.sh" /usr/bin/systemctl
  ln -sf systemctl /usr/bin/journalctl
  ln -sf "$4" /usr/bin/holdfast
  mkdir -p /usr/lib/systemd/system /usr/share/doc/holdfast
  cp "$5/packaging/systemd/holdfast.service" /usr/lib/systemd/system/
  cp -a "$5/packaging/examples" /usr/share/doc/holdfast/`;

export class PageHost {
  readonly host: LabHost;
  readonly #shell: RunningProgram;
  #typed = 0;

  private constructor(host: LabHost, shell: RunningProgram) {
    this.host = host;
    this.#shell = shell;
  }

  static async open(host: LabHost, { database }: { readonly database: boolean }): Promise<PageHost> {
    const scratch = mkdtempSync(join(host.directory, "root-"));
    const pages = join(LAB_DATA, "pages");
    const names = join(host.directory, "hosts");
    await host.execOrThrow(["bash", "-c", SETUP, "setup", scratch, names, pages, HOLDFAST_LAUNCHER, PROJECT_ROOT]);
    if (database) {
      await host.execOrThrow(["cp", "-a", await preparedTemplate(), "/var/lib/mysql"]);
    }
    const shell = host.spawn(["bash", "--noprofile", "--norc"], {
      PATH: `/usr/sbin:/usr/bin:${LAB_PATH}`,
      LANG: "C.UTF-8",
      COLUMNS: "120",
    });
    shell.write("exec 2>&1\ncd /root 2>/dev/null || cd /\n");
    return new PageHost(host, shell);
  }

  /** Types a command; what it prints, and its exit code. */
  async type(command: string): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    const from = this.#shell.lines.length;
    this.#typed += 1;
    const mark = `-- ended ${this.#typed} `;
    // The empty line: a last line without its end must not hide the mark.
    this.#shell.write(`{ ${command}\n} </dev/null\nprintf '\\n%s%s\\n' '${mark}' "$?"\n`);
    const ended = await this.#shell.line(new RegExp(`^${mark}`), { timeoutMs: COMMAND_MS });
    const lines = this.#shell.lines.slice(from).map((line) => line.text);
    return {
      code: Number(ended.text.slice(mark.length)),
      lines: lines.filter((text) => !text.startsWith("-- ended ")),
    };
  }

  /** As an editor would: a new file has mode 0644, an old one keeps its own. */
  async writeFile(path: string, text: string): Promise<void> {
    const copy = join(this.host.directory, "written");
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, text);
    await this.host.execOrThrow(["bash", "-c", 'mkdir -p "$(dirname "$2")" && cat "$1" >"$2"', "bash", copy, path]);
  }
}

export type PageHosts = ReadonlyMap<string, PageHost>;

export async function openHosts(lab: Lab, databases: readonly string[]): Promise<PageHosts> {
  const open = async (host: LabHost) =>
    [host.name, await PageHost.open(host, { database: databases.includes(host.name) })] as const;
  return new Map(await Promise.all(lab.hosts.filter(({ name }) => name !== "gateway").map(open)));
}

async function typeOn(name: string, step: CommandStep, hosts: PageHosts): Promise<void> {
  const host = hosts.get(name);
  if (host === undefined) throw new Error(`there is no host "${name}"`);
  const { code, lines } = await host.type(step.command);
  const said = `${name}, ${step.command}:\n${lines.join("\n")}`;
  // Where a failure is meant the page says `; echo $?`.
  if (code !== 0) throw new Error(`ended with ${code}: ${said}`);
  const problem = step.shown.length === 0 ? null : difference(step.shown, lines);
  if (problem !== null) throw new Error(`${problem}\n${said}`);
}

/** What asks the daemon or tells it something is typed by a person, who is slower than adverts, once a second on these pages. */
const ASKS_DAEMON = /^(holdfast|journalctl)\b/;
const TYPING_MS = 1_200;

async function runStep(step: CommandStep | FileStep, hosts: PageHosts): Promise<void> {
  if (step.kind === "command" && ASKS_DAEMON.test(step.command)) await sleep(TYPING_MS);
  if (step.kind === "command") await Promise.all(step.hosts.map((name) => typeOn(name, step, hosts)));
  else await Promise.all(step.hosts.map((name) => hosts.get(name)?.writeFile(step.path, step.text)));
}

/** What the daemons have done last, for the message of a failed test. */
async function journals(hosts: PageHosts): Promise<string> {
  const asked = [...hosts.values()].map(async ({ host }) => {
    const { stdout, stderr } = await host.exec([HOLDFAST_LAUNCHER, "history", "--limit", "25"]);
    return `-- ${host.name}\n${stdout}${stderr}`;
  });
  return (await Promise.all(asked)).join("\n");
}

/** Runs the page from top to bottom; the error names its line. */
export async function runPage(page: Page, hosts: PageHosts): Promise<void> {
  for (const step of page.steps) {
    try {
      await runStep(step, hosts);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new Error(`line ${step.line}: ${problem}\n${await journals(hosts)}`);
    }
  }
}
