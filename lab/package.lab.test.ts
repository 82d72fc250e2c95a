// The packages: the .deb is installed in a clean Debian, runs a pair with a host beside it, and leaves nothing when it is purged.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StatusReply } from "../src/control/contract/types.ts";
import type { LabHost } from "../src/lab/lab.ts";
import { cacheDirectory, PROJECT_ROOT } from "../src/lab/paths.ts";
import type { RunningProgram } from "../src/lab/processes.ts";
import { eventsOf, instanceWhen } from "./holdfast-client.ts";
import { describeStage, type Stage } from "./stage.ts";

const VIP = "192.168.11.100";
const instance = (priority: number): string => `
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/32
  }
}
`;

/** Debian 12 with nothing but what makes it one; made once a machine. */
function cleanDebian(): string {
  const root = join(cacheDirectory(), "debian-bookworm");
  if (existsSync(join(root, "complete"))) return root;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  execFileSync("debootstrap", ["--variant=minbase", "bookworm", root], { stdio: "ignore" });
  writeFileSync(join(root, "complete"), "");
  return root;
}

/** A clean Debian laid over a lab host: what is written goes with the host. */
class InstalledHost {
  readonly host: LabHost;
  readonly root: string;

  constructor(host: LabHost) {
    this.host = host;
    this.root = join(host.directory, "debian");
  }

  async prepare(lower: string): Promise<void> {
    const [upper, work] = [join(this.host.directory, "upper"), join(this.host.directory, "work")];
    for (const folder of [this.root, upper, work]) mkdirSync(folder, { recursive: true });
    const script = `
      mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" || exit 1
      mount -t tmpfs tmpfs "$4/run" && mount --rbind /proc "$4/proc" && mount --rbind /dev "$4/dev" && mkdir -p "$4/packages"
    `;
    await this.host.execOrThrow(["sh", "-c", script, "sh", lower, upper, work, this.root]);
  }

  /** As a root shell on that host. */
  run(script: string): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    return this.host.exec(["chroot", this.root, "/bin/sh", "-c", script]);
  }

  async runOrThrow(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    if (code !== 0) throw new Error(`${script}: code ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  start(program: string): RunningProgram {
    return this.host.spawn(["chroot", this.root, program, "-n", "-D"]);
  }

  async status(): Promise<StatusReply> {
    return JSON.parse(await this.runOrThrow("holdfast status --json")) as StatusReply;
  }

  /** Everything but what dpkg keeps of its own work. */
  async files(): Promise<string> {
    return this.runOrThrow(
      "find / -xdev \\( -path /packages -o -path /var/log -o -path /var/lib/dpkg -o -path /var/cache \\) -prune -o -print | sort",
    );
  }
}

describeStage("the packages", (stage: Stage) => {
  let folder: string;
  let lower: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-packages-"));
    const build = ["tools/package/main.mjs", "--out", folder];
    execFileSync(process.execPath, build, { cwd: PROJECT_ROOT });
    execFileSync(process.execPath, [...build, "deb", "--version", "0.1.1"], { cwd: PROJECT_ROOT });
    lower = cleanDebian();
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test("the .deb is installed without a network and without Node, runs as keepalived, is upgraded and leaves nothing", async () => {
    const installed = new InstalledHost(stage.host("db1"));
    await installed.prepare(lower);
    await installed.host.execOrThrow(["mount", "--bind", folder, join(installed.root, "packages")]);
    const clean = (await installed.files()).split("\n");
    expect((await installed.run("command -v node")).code).not.toBe(0);

    const said = await installed.runOrThrow("dpkg -i /packages/holdfast_0.1.0_amd64.deb 2>&1");
    expect(said).not.toMatch(/error|warning/i);
    expect(
      await installed.runOrThrow("holdfast --version; keepalived --version; masterha_check_repl --help | head -1"),
    ).toMatch(/^Holdfast v0\.1\.0\nHoldfast v0\.1\.0\n.+/);
    expect(await installed.runOrThrow("dpkg --verify holdfast")).toBe("");
    await installed.runOrThrow("ls /usr/lib/systemd/system/holdfast-witness.service");
    const example = "/usr/share/doc/holdfast/examples/witness.conf";
    const made =
      "(echo -n hex:; printf 5a%.0s $(seq 32)) > /etc/holdfast/witness.key; chmod 600 /etc/holdfast/witness.key";
    await installed.runOrThrow(`${made}; holdfast check --strict ${example}; rm /etc/holdfast/witness.key`);
    await installed.runOrThrow("cd /usr/share/man && ls man8/holdfast.8.gz man5/holdfast.conf.5.gz");
    await installed.runOrThrow("mkdir -p /etc/keepalived && echo 'DAEMON_ARGS=\"-D\"' > /etc/default/holdfast");
    writeFileSync(join(folder, "keepalived.conf"), instance(150));
    await installed.runOrThrow("cp /packages/keepalived.conf /etc/keepalived/ && holdfast check");

    const daemon = installed.start("/usr/sbin/keepalived");
    await stage.held("db1", true, { vip: VIP });
    const db2 = stage.start("db2", instance(100));
    await instanceWhen(db2, "VI_1", (view) => view.state === "BACKUP");
    expect(await installed.runOrThrow("holdfast status")).toContain("VI_1      MASTER");

    // The upgrade, while a client uses the address: it never leaves, the peer never moves, the keeper serves on.
    const before = (await installed.status()).keeper.pid;
    const moves = installed.host.spawn(["ip", "-4", "monitor", "address", "dev", "eth0"]);
    const load = stage.host("client").spawn(["ping", "-n", "-i", "0.05", "-W", "1", VIP]);
    const upgraded = await installed.runOrThrow("dpkg -i --force-confold /packages/holdfast_0.1.1_amd64.deb 2>&1");
    expect(upgraded).toContain("The daemon is 0.1.1 now");
    await load.signal("SIGINT");
    await load.exited;
    expect(load.lines.map(({ text }) => text).join("\n")).toMatch(/ 0% packet loss/);
    expect(moves.lines.filter(({ text }) => text.includes("Deleted"))).toEqual([]);
    await moves.signal("SIGTERM");
    const now = await installed.status();
    expect([now.daemon.version, now.keeper.pid]).toEqual(["0.1.1", before]);
    const states = (await eventsOf(db2)).flatMap(({ body }) =>
      body.kind === "vrrp" && body.report.kind === "state" ? [body.report.to] : [],
    );
    expect(states).toEqual(["BACKUP"]);
    expect(await installed.runOrThrow("holdfast --version; cat /etc/default/holdfast")).toBe(
      'Holdfast v0.1.1\nDAEMON_ARGS="-D"\n',
    );

    await installed.runOrThrow("dpkg -P holdfast 2>&1");
    await daemon.exited;
    await stage.held("db1", false, { vip: VIP });
    await stage.held("db2", true, { vip: VIP });
    await installed.runOrThrow("rm -r /etc/keepalived");
    expect((await installed.files()).split("\n").filter((path) => !clean.includes(path))).toEqual([]);
  });

  test("the .rpm and the npm tarball have their programs and nothing of this machine", () => {
    const names = readdirSync(folder);
    const rpm = join(folder, names.find((name) => name.endsWith(".x86_64.rpm")) ?? "none");
    const files = execFileSync("rpm", ["-qlp", rpm], { encoding: "utf8" }).split("\n");
    for (const path of ["/usr/bin/holdfast", "/usr/lib/systemd/system/holdfast.service", "/etc/sysconfig/holdfast"]) {
      expect(files).toContain(path);
    }
    expect(files.filter((path) => path !== "" && !/^\/(?:usr|etc|var\/lib\/holdfast)/.test(path))).toEqual([]);
    const scripts = execFileSync("rpm", ["-qp", "--scripts", rpm], { encoding: "utf8" });
    for (const name of ["postinstall", "preuninstall", "postuninstall"]) expect(scripts).toContain(`${name} scriptlet`);
    const tarball = join(folder, names.find((name) => name.endsWith(".tgz")) ?? "none");
    const packed = execFileSync("tar", ["-tf", tarball], { encoding: "utf8" }).split("\n");
    expect(packed).toContain("package/bin/holdfast");
    expect(packed).toContain("package/dist/bundle/holdfast.js");
    expect(packed.filter((path) => path.includes(".test."))).toEqual([]);
  });
});
