/** Events of virtual servers for the test of docs/log.md: each checker with each finding that it can have. */
import type { IpvsEventBody } from "../src/core/events/ipvs-events.ts";
import type { CheckerKindName, LvsEventBody } from "../src/core/events/lvs-events.ts";
import type { Finding } from "../src/core/lvs/findings.ts";

type Body = IpvsEventBody | LvsEventBody;
type Kinds = {
  readonly [Kind in Body["kind"]]: readonly Extract<Body, { kind: Kind }>[];
};

const CONNECT = (["refused", "timeout", "unreachable"] as const).map(
  (problem): Finding => ({ kind: "connect", problem, detail: "EHOSTUNREACH" }),
);
const SILENT = (["timeout", "closed"] as const).map(
  (how): Finding => ({ kind: "no-answer", what: "an answer", how, detail: "" }),
);
const FAILURES: Readonly<Record<CheckerKindName, readonly Finding[]>> = {
  tcp: CONNECT,
  http: [
    ...CONNECT,
    ...SILENT,
    { kind: "tls", detail: "wrong version number" },
    { kind: "http-status", status: 503, path: "/" },
    { kind: "digest", got: "0".repeat(32), path: "/" },
    { kind: "regex", path: "/", matched: false },
  ],
  smtp: [
    ...CONNECT.slice(0, 2),
    ...SILENT,
    ...(["banner", "HELO"] as const).map((what): Finding => ({ kind: "greeting", what, got: "554" })),
  ],
  dns: [...SILENT, { kind: "rcode", code: 2 }, { kind: "connect", problem: "refused", detail: "" }],
  misc: [
    { kind: "exit", status: 1 },
    { kind: "signal", signal: "SIGSEGV", number: 11 },
    { kind: "script-timeout" },
    { kind: "script-unusable", reason: "it is not executable" },
  ],
  ping: SILENT,
  udp: [...CONNECT, { kind: "reply", detail: "4 bytes" }],
  file: [{ kind: "file", value: 9 }],
  mysql: [{ kind: "trouble", text: "replication lags 40 s behind" }],
  redis: [{ kind: "trouble", text: "its link to the master is down" }],
};

const NAMES = { service: "[192.0.2.1]:tcp:80", server: "[192.0.2.10]:tcp:80" } as const;
const SERVICE = { service: NAMES.service } as const;
const KINDS = Object.keys(FAILURES) as readonly CheckerKindName[];
const BOTH = [true, false] as const;

const MARK = { kind: "fwmark", family: 4, mark: 7 } as const;

export const LVS_SAMPLES: Kinds = {
  ipvs: (["ready", "absent"] as const).map((state) => ({
    kind: "ipvs",
    state,
    version: "1.2.1",
    adopted: 2,
    foreign: 1,
    detail: "ask for the version of IPVS: ENOENT",
  })),
  "ipvs-repaired": [{ kind: "ipvs-repaired", services: 1, example: "add the server 10.0.0.2:80", waitSeconds: 10 }],
  "ipvs-refused": [
    {
      kind: "ipvs-refused",
      service: MARK,
      order: "add the virtual service FWM 7 (scheduler rr)",
      errno: "ENOENT",
      remedy: "the kernel has no scheduler rr (modprobe ip_vs_rr)",
      retrySeconds: 2,
    },
  ],
  "ipvs-accepted": [{ kind: "ipvs-accepted", service: MARK }],
  "ipvs-table": (["flushed", "emptied"] as const).map((action) => ({ kind: "ipvs-table", action, services: 3 })),
  "ipvs-sync": (["started", "stopped", "failed"] as const).map((action) => ({
    kind: "ipvs-sync",
    role: "master",
    action,
    interface: "eth0",
    id: 5,
    detail: "ENODEV",
  })),
  checker: KINDS.flatMap((checker) => [
    { kind: "checker", ...NAMES, checker, up: true, finding: { kind: "ok" }, afterRetries: null, target: "T" } as const,
    ...FAILURES[checker].flatMap((finding) =>
      [null, 1, 3].map(
        (afterRetries) =>
          ({ kind: "checker", ...NAMES, checker, up: false, finding, afterRetries, target: "T" }) as const,
      ),
    ),
  ]),
  "page-passed": (["status", "digest", "regex"] as const).map((by) => ({
    kind: "page-passed",
    ...NAMES,
    by,
    path: "/",
  })),
  "checker-failing": KINDS.filter((checker) => checker !== "file").flatMap((checker) =>
    FAILURES[checker].flatMap((finding) =>
      [1, 2].map(
        (retry) => ({ kind: "checker-failing", ...NAMES, checker, finding, retry, retries: 3, target: "T" }) as const,
      ),
    ),
  ),
  "checker-activity": BOTH.flatMap((active) =>
    BOTH.map((starting) => ({ kind: "checker-activity", ...NAMES, active, starting }) as const),
  ),
  "real-server": BOTH.flatMap((up) =>
    BOTH.flatMap((inhibit) =>
      [null, { kind: "exit", status: 1 } as const].map(
        (cause) => ({ kind: "real-server", ...NAMES, up, inhibit, cause }) as const,
      ),
    ),
  ),
  "real-server-weight": BOTH.map((alive) => ({ kind: "real-server-weight", ...NAMES, from: 1, to: 5, alive })),
  "real-server-removed": BOTH.flatMap((stopping) =>
    BOTH.map((inhibited) => ({ kind: "real-server-removed", ...NAMES, stopping, inhibited }) as const),
  ),
  quorum: BOTH.flatMap((up) =>
    BOTH.map(
      (starting) =>
        ({ kind: "quorum", ...SERVICE, up, starting, quorum: 2, hysteresis: 1, threshold: 3, weight: 1 }) as const,
    ),
  ),
  pool: BOTH.map((adding) => ({ kind: "pool", ...SERVICE, adding })),
  "sorry-server": BOTH.flatMap((up) =>
    BOTH.map((inhibit) => ({ kind: "sorry-server", ...NAMES, up, inhibit }) as const),
  ),
  "server-script": [
    { kind: "exit", code: 0 } as const,
    { kind: "exit", code: 1 } as const,
    { kind: "timeout", afterMillis: 2_000 } as const,
  ].map((outcome) => ({
    kind: "server-script",
    ...NAMES,
    hook: "notify_up",
    command: "/etc/notify.sh",
    outcome,
    lastError: null,
    durationMillis: 5,
  })),
};
