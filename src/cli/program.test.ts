import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HostDoctorReply } from "../control/contract/doctor-schemas.ts";
import type { ReadModel } from "../control/read-model.ts";
import { type ApiServer, startApi } from "../control/server.ts";
import {
  eventAt,
  type FakeClock,
  failedCheck,
  fakeClock,
  faultStatus,
  masterStatus,
  sampleModel,
  sampleStatus,
} from "../control/testing/samples.ts";
import type { LogLevel } from "../core/events/log-line.ts";
import type { VrrpInstanceStatus } from "../core/vrrp/status.ts";
import { type ProgramParts, runProgram, withDefaultCommand } from "./program.ts";
import type { RunOptions } from "./run-options.ts";
import { plain } from "./terminal.ts";

const router = {
  instance: "VI_1",
  interface: "eth0",
  virtualRouterId: 51,
  sent: 2,
  heard: [{ source: "192.0.2.2", adverts: 3, priority: 90, refused: "TTL 64" }],
};

let folder: string;
let clock: FakeClock;
let model: ReadModel;
let api: ApiServer | null = null;
let present: VrrpInstanceStatus;
let level: LogLevel;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-cli-"));
  clock = fakeClock();
  model = sampleModel(clock);
  present = faultStatus(clock);
  level = "info";
});
afterEach(async () => {
  await api?.close();
  api = null;
  rmSync(folder, { recursive: true });
});

async function serve(): Promise<void> {
  const started = await startApi({
    socketPath: join(folder, "holdfast.sock"),
    readModel: model,
    actions: {
      status: async () => [present],
      reload: async (dryRun) =>
        dryRun
          ? { outcome: "would-apply", changes: ["VI_82: priority 100 -> 90"], diagnostics: [], detail: "" }
          : { outcome: "refused", changes: [], diagnostics: [], detail: "/etc/keepalived/keepalived.conf: line 3" },
      logLevel: () => level,
      setLogLevel: (wanted) => {
        level = wanted;
      },
      dump: async (kind) =>
        kind === "json"
          ? { files: ["/tmp/keepalived.json"], problems: [] }
          : { files: [], problems: ["/tmp/keepalived.stats cannot be written: the disk is full"] },
    },
  });
  if (!started.ok) throw new Error(started.error.message);
  api = started.value;
}

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly started: RunOptions | null;
}

const never = new AbortController().signal;

async function holdfast(
  line: string,
  signal = never,
  onOut?: (text: string) => void,
  readerLeft = never,
): Promise<Ran> {
  let out = "";
  let errors = "";
  let started: RunOptions | null = null;
  const parts: ProgramParts = {
    version: "0.1.0",
    runDaemon: async (options) => {
      started = options;
      return 0;
    },
    testConfig: async ({ file }) => (file === "bad.conf" ? 5 : 0),
    check: async (options) => {
      out += JSON.stringify(options);
      return 1;
    },
    hostDoctor: async ({ file, listenSeconds, status, silence }) => ({
      api: 1,
      host: "db1",
      file,
      daemon: { running: status !== null, version: null },
      listened: listenSeconds === 0 ? null : { seconds: listenSeconds ?? 3.5, routers: [router] },
      findings:
        listenSeconds === 2
          ? [
              {
                id: "rp-filter",
                severity: "error",
                server: "eth0",
                what: silence?.why ?? "",
                why: "because",
                fix: "sysctl",
              },
            ]
          : [],
      unseen: listenSeconds === 0 ? [{ what: "adverts", why: "no CAP_NET_RAW", fix: "run it as root" }] : [],
    }),
    sim: async (args) => {
      out += `sim ${args.join("|")}`;
      return 0;
    },
    lab: async () => 0,
    probe: async () => 0,
    languageServer: async () => 0,
    genhash: async (args) => {
      out += `genhash ${args.join("|")}`;
      return 0;
    },
    realserver: async () => 0,
    witness: async () => 0,
    mha: async () => 0,
    readOffline: async ({ stateDir }) => ({
      api: 1,
      events: [{ sequence: 1, ...eventAt(clock, failedCheck) }],
      problems: [`read ${stateDir}`],
    }),
  };
  const terminal = {
    out: (text: string) => {
      out += text;
      onOut?.(text);
    },
    err: (text: string) => {
      errors += text;
    },
    width: 80,
    isTty: false,
    paint: plain,
    env: { HOLDFAST_SOCKET: join(folder, "holdfast.sock") },
  };
  const exitCode = await runProgram(line.split(" ").filter(Boolean), parts, {
    terminal,
    interrupt: () => signal,
    readerLeft: async () => readerLeft,
  });
  return { exitCode, out, err: errors, started };
}

describe("without a daemon", () => {
  it("every question names the socket and the way to start, and ends with 3", async () => {
    for (const command of ["status", "explain", "reload", "events", "events --follow", "status --watch"]) {
      const ran = await holdfast(command);
      expect(ran.exitCode).toBe(3);
      expect(ran.err).toContain(`nobody answers at ${folder}/holdfast.sock`);
      expect(ran.err).toContain("holdfast run -f FILE");
    }
  });

  it("history reads the journal of the state directory", async () => {
    const ran = await holdfast(`history -p ${folder}/x.pid`);
    expect(ran.exitCode).toBe(0);
    expect(ran.out).toContain("script vs_mysql_82 fails: exit code 1");
    expect(ran.err).toContain(`read ${folder}`);
  });
});

describe("doctor of this host", () => {
  it("needs no daemon: 0 when nothing is wrong, 1 with findings, 4 when it could not listen, 2 for a time that is none", async () => {
    const fine = await holdfast("doctor -f a.conf");
    expect([fine.exitCode, fine.out]).toEqual([
      0,
      "db1: no holdfast answers; a.conf\nListened 3.5 s:\n  VI_1 (virtual router 51 on eth0): adverts: 2 of this host, 3 of 192.0.2.2 (priority 90, refused)\n\nNothing is wrong.\n",
    ]);
    const wrong = await holdfast("doctor --listen 2");
    expect(wrong.exitCode).toBe(1);
    expect(wrong.out).toContain("/etc/keepalived/keepalived.conf");
    expect(wrong.out).toContain(
      `error: eth0: holdfast is not running: nobody answers at ${folder}/holdfast.sock [rp-filter]\n  why: because\n  fix: sysctl\n`,
    );
    const blind = await holdfast("doctor --listen 0");
    expect(blind.exitCode).toBe(4);
    expect(blind.out).toContain("Could not be looked at:\n  adverts: no CAP_NET_RAW\n    to see it: run it as root\n");
    expect(blind.out).toContain("Nothing is wrong in what could be looked at.");
    expect((await holdfast("doctor --listen soon")).exitCode).toBe(2);
  });

  it("takes the daemon's own file, and --json is the contract's answer", async () => {
    await serve();
    const { out } = await holdfast("doctor --json");
    const reply = HostDoctorReply.parse(JSON.parse(out));
    expect([reply.daemon.running, reply.file]).toEqual([true, "/etc/keepalived/keepalived.conf"]);
  });
});

describe("finding the daemon", () => {
  it("-p finds the socket beside the pid file, --socket names it, HOLDFAST_SOCKET is the default", async () => {
    await serve();
    for (const where of ["", `-p ${folder}/keepalived.pid`, `--socket ${folder}/holdfast.sock`]) {
      expect((await holdfast(`status ${where}`)).exitCode).toBe(0);
    }
    expect((await holdfast(`status -p ${folder}/elsewhere/k.pid`)).exitCode).toBe(3);
  });
});

describe("status --wait", () => {
  it("returns 0 only when the address is held and announced, not when the state is MASTER", async () => {
    await serve();
    present = { ...masterStatus(clock), holding: false };
    const early = await holdfast("status --wait VI_82=MASTER --timeout 0.3");
    expect(early.exitCode).toBe(1);
    expect(early.err).toContain("the address is not announced yet");
    const waiting = holdfast("status --wait VI_82=MASTER --timeout 30");
    present = masterStatus(clock);
    expect((await waiting).exitCode).toBe(0);
  });

  it("returns 1 with the present state and the reason", async () => {
    model.record(eventAt(clock, failedCheck));
    await serve();
    const ran = await holdfast("status --wait VI_82=MASTER --timeout 0");
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain("VI_82 is not MASTER after 0 s: it is FAULT");
    expect(ran.err).toContain("libmysqlclient.so.21");
  });

  it("waits for a daemon that is only just starting", async () => {
    present = masterStatus(clock);
    const waiting = holdfast("status --wait VI_82=MASTER --timeout 30");
    await serve();
    expect((await waiting).exitCode).toBe(0);
  });

  it("refuses what it cannot wait for", async () => {
    await serve();
    expect((await holdfast("status --wait VI_82")).exitCode).toBe(2);
    expect((await holdfast("status --wait VI_82=GONE")).exitCode).toBe(2);
    expect((await holdfast("status --wait VI_82=MASTER --timeout soon")).exitCode).toBe(2);
    const unknown = await holdfast("status --wait VI_9=BACKUP --timeout 0");
    expect(unknown.err).toContain("there is no instance VI_9; the daemon runs VI_82");
  });

  it("does not wait for an instance that the daemon does not have", async () => {
    await serve();
    const ran = await holdfast("status --wait VI_9=MASTER --timeout 100000");
    expect(ran).toMatchObject({ exitCode: 1, err: "holdfast: there is no instance VI_9; the daemon runs VI_82\n" });
  });
});

describe("what is asked of the running daemon", () => {
  it("log-level shows the level and changes it", async () => {
    await serve();
    expect((await holdfast("log-level")).out).toBe("info\n");
    expect((await holdfast("log-level debug")).out).toBe("The log level is debug; it was info.\n");
    expect(JSON.parse((await holdfast("log-level --json")).out)).toEqual({ api: 1, level: "debug", before: "debug" });
  });

  it("dump prints the paths; what could not be written is a failure that says why", async () => {
    await serve();
    expect(await holdfast("dump json")).toMatchObject({ exitCode: 0, out: "/tmp/keepalived.json\n", err: "" });
    const failed = await holdfast("dump stats");
    expect(failed).toMatchObject({ exitCode: 1, out: "" });
    expect(failed.err).toBe("holdfast: /tmp/keepalived.stats cannot be written: the disk is full\n");
  });
});

describe("the other commands", () => {
  it("events --follow prints what happens until Ctrl-C and ends with 0", async () => {
    await serve();
    const interrupt = new AbortController();
    const followed = holdfast("events --follow --since 0", interrupt.signal, (text) => {
      if (text.includes("keeper started")) model.record(eventAt(clock, failedCheck));
      if (text.includes("vs_mysql_82 fails")) interrupt.abort();
    });
    expect((await followed).exitCode).toBe(0);
  });

  it("events --follow and status --watch end with 0 when nobody reads them any more", async () => {
    await serve();
    for (const line of ["events --follow --since 0", "status --watch"]) {
      const reader = new AbortController();
      const ran = await holdfast(line, never, () => reader.abort(), reader.signal);
      expect(ran).toMatchObject({ exitCode: 0, err: "" });
      expect(ran.out).not.toBe("");
    }
  });

  it("status --watch ends with 0 at Ctrl-C", async () => {
    await serve();
    const interrupt = new AbortController();
    const ran = await holdfast("status --watch", interrupt.signal, () => interrupt.abort());
    expect(ran).toMatchObject({ exitCode: 0, err: "" });
  });

  it("reload says what was refused with 1, --dry-run what would change with 0", async () => {
    await serve();
    const refused = await holdfast("reload");
    expect(refused.exitCode).toBe(1);
    expect(refused.out).toContain("goes on with the old configuration");
    expect(await holdfast("reload --dry-run")).toMatchObject({
      exitCode: 0,
      out: "A reload would change this:\n  VI_82: priority 100 -> 90\n",
    });
  });

  it("explain of an unknown instance names those that run", async () => {
    await serve();
    const ran = await holdfast("explain VI_9");
    expect(ran).toMatchObject({ exitCode: 1, out: "" });
    expect(ran.err).toContain("it runs VI_82");
  });

  it("history and events of an unknown instance name those that run; one that has just gone keeps its history", async () => {
    await serve();
    for (const command of ["history", "events", "events --follow"]) {
      const ran = await holdfast(`${command} --instance VI_9`);
      expect(ran).toMatchObject({ exitCode: 1, out: "" });
      expect(ran.err).toContain("there is no instance VI_9\n          it runs VI_82");
    }
    const gone = { instance: "VI_9", report: { kind: "state", to: "STOP" } };
    model.record(eventAt(clock, { kind: "vrrp", ...gone } as unknown as Parameters<typeof eventAt>[1]));
    expect((await holdfast("history --instance VI_9 --json")).exitCode).toBe(0);
  });

  it("--json is what the API answers", async () => {
    await serve();
    present = sampleStatus(clock);
    expect(JSON.parse((await holdfast("status --json")).out).instances[0].name).toBe("VI_82");
    expect(JSON.parse((await holdfast("explain --json")).out).explanations[0].state).toBe("BACKUP");
    expect(JSON.parse((await holdfast("history --json")).out).events).toHaveLength(1);
  });

  it("check takes its file as a word or with -f, and gives back the verdict", async () => {
    for (const line of ["check --strict x.conf", "check -f x.conf --strict"]) {
      const ran = await holdfast(line);
      expect(ran.exitCode).toBe(1);
      expect(JSON.parse(ran.out)).toEqual({ file: "x.conf", strict: true, json: false });
    }
  });

  it("sim and lab get their own words, options included", async () => {
    expect(await holdfast("sim --seed 7 --help")).toMatchObject({ exitCode: 0, out: "sim --seed|7|--help" });
  });

  it.each([
    ["bogus", "unknown command 'bogus'", "see `holdfast --help`"],
    ["statsu", "(Did you mean status?)", "see `holdfast --help`"],
    ["status --bogus", "unknown option '--bogus'", "see `holdfast status --help`"],
    ["status extra", "too many arguments", "see `holdfast status --help`"],
    ["status --wait VI_82", "--wait VI_82 is not INSTANCE=STATE", "write for example --wait VI_1=MASTER"],
    ["status --wait VI_82=GONE", "--wait VI_82=GONE is not INSTANCE=STATE", "states: INIT, BACKUP, MASTER"],
    ["status --wait", "argument missing", "see `holdfast status --help`"],
    ["status --wait VI_82=MASTER --timeout soon", "--timeout soon is not a number of seconds", "--timeout 30"],
    ["status --wait VI_82=MASTER --timeout -1", "--timeout -1 is not a number of seconds", "--timeout 30"],
    ["status --wait VI_82=MASTER --watch", "cannot be used with", "see `holdfast status --help`"],
    ["status --timeout 5", "there is no --wait", ""],
    ["history --limit many", "--limit many is not a whole number", ""],
    ["history --since -1", "--since -1 is not a whole number", ""],
    ["events --follow --limit 5", "cannot be used with", "see `holdfast events --help`"],
    ["reload extra", "too many arguments", "see `holdfast reload --help`"],
    ["check a.conf b.conf c.conf", "too many arguments", "see `holdfast check --help`"],
    ["check -f", "argument missing", "see `holdfast check --help`"],
    ["run --log-format xml", "Allowed choices are json, keepalived", "see `holdfast run --help`"],
    ["log-level loud", "there is no log level loud", "levels: error, warning, info, detail, debug"],
    ["log-level debgu", "there is no log level debgu", "did you mean debug?"],
    ["dump stat", "there is no dump stat", "did you mean stats?"],
  ])("wrong use: `holdfast %s` ends with 2 and says what is wrong", async (line, what, remedy) => {
    const ran = await holdfast(line);
    expect(ran).toMatchObject({ exitCode: 2, out: "", started: null });
    expect(ran.err).toMatch(/^holdfast: /);
    expect(ran.err).toContain(what);
    expect(ran.err).toContain(remedy);
  });

  it.each([
    "--help",
    "-h",
    "",
    "help",
    "run --help",
    "check --help",
    "status --help",
    "explain -h",
    "history -h",
    "events -h",
    "reload -h",
  ])("`holdfast %s` shows help and ends with 0", async (line) => {
    const ran = await holdfast(line);
    expect(ran).toMatchObject({ exitCode: 0, err: "", started: null });
    expect(ran.out).toMatch(/^Usage: holdfast/);
  });

  it("the help of the program lists its exit codes", async () => {
    expect((await holdfast("--help")).out).toContain("3  the daemon is not running");
  });
});

describe("keepalived's command line", () => {
  it.each([
    ["-f", "option -f lacks its value", "write --use-file=VALUE"],
    ["--signum NONE", "unknown signal NONE", "known: STOP, RELOAD"],
    ["--log-detial", "unknown option --log-detial", "did you mean --log-detail?"],
  ])("`holdfast %s` ends with keepalived's 1 and says what is wrong", async (line, what, remedy) => {
    const ran = await holdfast(line);
    expect(ran).toMatchObject({ exitCode: 1, out: "", started: null });
    expect(ran.err).toContain(what);
    expect(ran.err).toContain(remedy);
  });

  it("without a command runs the daemon: the binary can be swapped in an init script", async () => {
    const { started, exitCode } = await holdfast(`-D -l -nf /etc/k.conf -p ${folder}/k.pid -r ${folder}/v.pid -d`);
    expect(exitCode).toBe(0);
    expect(started).toEqual({
      file: "/etc/k.conf",
      pidFile: `${folder}/k.pid`,
      vrrpPidFile: `${folder}/v.pid`,
      checkersPidFile: null,
      stateDir: folder,
      socketPath: `${folder}/holdfast.sock`,
      foreground: true,
      logConsole: true,
      logDetail: true,
      logFormat: "keepalived",
      facility: 3,
      facilityGiven: false,
      noSyslog: false,
      logFile: null,
      flushLogFile: false,
      debug: false,
      umask: null,
      dontRespawn: false,
      coreDump: false,
      namespace: null,
      allConfig: false,
      subsystems: { vrrp: true, checkers: true, keepIpvs: false },
      dumpConfig: true,
      configId: null,
      problems: [],
      notices: [],
    });
  });

  it("keepalived_vrrp.pid is written beside the default pid file, and elsewhere only when -r asks for it", async () => {
    const second = async (line: string) => (await holdfast(`run -n ${line}`)).started?.vrrpPidFile;
    const third = async (line: string) => (await holdfast(`run -n ${line}`)).started?.checkersPidFile;
    expect(await third("")).toBe("/run/keepalived_checkers.pid");
    expect(await third(`-p ${folder}/k.pid`)).toBeNull();
    expect(await third(`-p ${folder}/k.pid -c ${folder}/c.pid`)).toBe(`${folder}/c.pid`);
    expect(await second("")).toBe("/run/keepalived_vrrp.pid");
    expect(await second("-p /run/keepalived.pid")).toBe("/run/keepalived_vrrp.pid");
    expect(await second(`-p ${folder}/k.pid`)).toBeNull();
    expect(await second(`-r ${folder}/v.pid`)).toBe(`${folder}/v.pid`);
  });

  it("accepts the long names and --log-format", async () => {
    const { started } = await holdfast("run --dont-fork --use-file=a.conf --log-detail --log-format json");
    expect(started).toMatchObject({
      file: "a.conf",
      foreground: true,
      logFormat: "json",
      stateDir: "/var/lib/holdfast",
    });
  });

  it("accepts every letter keepalived has, and says of each that does nothing that it does nothing", async () => {
    const letters =
      "-P -C -B --all -S 1 -G -X -V -I -R -u 022 -c /c.pid -b /b.pid -a -s ns -e -x -A a -m -M p --flush-log-file";
    const { started, exitCode } = await holdfast(`${letters} -f a.conf`);
    expect(exitCode).toBe(0);
    expect(started?.notices).toHaveLength(9);
    expect(started).toMatchObject({ umask: 0o022, facility: 17, noSyslog: true, dontRespawn: true, coreDump: true });
    expect(started?.notices).toContain("option -X changes nothing: addresses are always released at a stop");
  });

  it("-t gives the exit code of the configuration test, with other options before and after", async () => {
    expect((await holdfast("-t -f good.conf")).exitCode).toBe(0);
    expect((await holdfast("-n -t -f bad.conf")).exitCode).toBe(5);
    expect((await holdfast("-f bad.conf --config-test")).exitCode).toBe(5);
  });

  it("-g takes an attached file or keepalived's own", async () => {
    const logFile = async (line: string) => (await holdfast(line)).started?.logFile;
    expect(await logFile("-f a.conf")).toBeNull();
    expect(await logFile("-g -f a.conf")).toBe("/tmp/keepalived.log");
    expect(await logFile("-g/var/log/x.log -f a.conf")).toBe("/var/log/x.log");
    expect(await logFile("--log-file=/var/log/x.log -f a.conf")).toBe("/var/log/x.log");
  });

  it.each([
    ["-S 0", 16],
    ["-S local7", 23],
    ["--log-facility=user", 1],
    ["-Sdaemon", 3],
  ])("%s is syslog's facility %i", async (line, facility) => {
    expect((await holdfast(`${line} -f a.conf`)).started).toMatchObject({
      facility,
      facilityGiven: true,
      problems: [],
    });
  });

  it("a facility or mask that is none is said, and the default holds", async () => {
    const { started } = await holdfast("-S local9 -u 0xyz -f a.conf");
    expect(started).toMatchObject({ facility: 3, umask: null });
    expect(started?.problems).toEqual([
      expect.stringContaining("Invalid log facility 'local9'"),
      expect.stringContaining("Invalid --umask option 0xyz"),
    ]);
  });

  it.each([
    ["-C", { vrrp: false, checkers: true, keepIpvs: false }],
    ["-P", { vrrp: true, checkers: false, keepIpvs: false }],
    ["-PC", { vrrp: true, checkers: true, keepIpvs: false }],
    ["-I", { vrrp: true, checkers: true, keepIpvs: true }],
  ])("%s: which of keepalived's processes it stands for", async (letters, subsystems) => {
    expect((await holdfast(`${letters} -f a.conf`)).started?.subsystems).toEqual(subsystems);
  });

  // What keepalived 2.2.7 answers to the same words, as recorded from it.
  it.each([
    ["-z", 1],
    ["-Dlz", 1],
    ["--bogus", 1],
    ["--log -t", 1],
    ["-t extra -f good.conf", 0],
    ["--dump -t -f good.conf", 0],
    ["--vrrp_p=x -t -f good.conf", 0],
    ["-tnope -f good.conf", 0],
    ["--config-test=nope -f bad.conf", 5],
    ["-Dlt -f bad.conf", 5],
    ["-M -t -f good.conf", 0],
    ["-Mfoo -t -f good.conf", 0],
    ["-X -V -t -f good.conf", 0],
    ["-v", 0],
    ["-h", 0],
    ["--signum=JSON", 0],
    ["--signum=FOO", 1],
  ])("%s ends with %i, as keepalived does", async (line, code) => {
    expect((await holdfast(line)).exitCode).toBe(code);
  });

  it("-T as the first word is genhash with the words behind it, and nowhere else", async () => {
    for (const line of ["-T -S -v", "--genhash -S -v", "genhash -S -v"]) {
      expect((await holdfast(line)).out, line).toBe("genhash -S|-v");
    }
    for (const line of ["-n -T", "-f a.conf --genhash"]) {
      const ran = await holdfast(line);
      expect(ran, line).toMatchObject({ exitCode: 2, out: "", started: null });
      expect(ran.err).toContain("-T must be the first word");
    }
  });

  it("-v shows the version, --signum a number", async () => {
    expect((await holdfast("-v")).out).toBe("Holdfast v0.1.0\n");
    expect((await holdfast("--signum=STATS_CLEAR")).out).toBe("63\n");
    expect((await holdfast("--signum=NONE")).exitCode).toBe(1);
  });

  it("leaves words that are commands alone", () => {
    expect(withDefaultCommand(["status", "-p", "x"])).toEqual(["status", "-p", "x"]);
    expect(withDefaultCommand(["-f", "x"])).toEqual(["run", "-f", "x"]);
    expect(withDefaultCommand([])).toEqual(["--help"]);
  });
});
