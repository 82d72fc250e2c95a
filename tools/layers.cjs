/*
 * Who may import whom: the one table. .dependency-cruiser.cjs makes its rules from it, docs/architecture.md shows it,
 * and a test compares the two. CommonJS, because dependency-cruiser reads it as it stands.
 *
 * A layer may always import itself. `from` lists other layers (or one folder of a layer, as "control/contract");
 * `builtins` says whether node:* is allowed; `packages` lists npm packages, "koffi in FILE" for one file only.
 */

/** @typedef {{ name: string, owns: string, from: string[], builtins: boolean, packages: string[] }} Layer */

const CONTRACT = "control/contract";

/** @type {Layer[]} */
const LAYERS = [
  {
    name: "core",
    owns: "decisions: VRRP, configuration language, wire formats, words; pure functions",
    from: [],
    builtins: false,
    packages: [],
  },
  { name: "ports", owns: "interfaces to the outside", from: ["core"], builtins: false, packages: [] },
  {
    name: "linux",
    owns: "ports on the real kernel",
    from: ["core", "ports"],
    builtins: true,
    packages: ["koffi in src/linux/libc.ts"],
  },
  {
    name: "adapters",
    owns: "MySQL, Redis, etcd, mail: one client library each",
    from: ["core", "ports"],
    builtins: true,
    packages: ["mysql2", "nodemailer", "redis"],
  },
  {
    name: "engine",
    owns: "loops that feed the core and carry out its effects",
    from: ["core", "ports"],
    builtins: true,
    packages: [],
  },
  {
    name: "control",
    owns: "the control process: API and its contract, journal, hooks, checks",
    from: ["core", "ports", "engine"],
    builtins: true,
    packages: ["fastify", "pino", "zod"],
  },
  {
    name: "cli",
    owns: "commands; they talk to the API contract only",
    from: ["core", CONTRACT],
    builtins: true,
    packages: ["commander", "vscode-languageserver", "vscode-languageserver-textdocument", "zod"],
  },
  {
    name: "mha",
    owns: "MHA's configuration and commands",
    from: ["core", "ports", CONTRACT],
    builtins: true,
    packages: ["commander"],
  },
  { name: "sim", owns: "ports in virtual time", from: ["core", "ports", "engine"], builtins: true, packages: [] },
  {
    name: "lab",
    owns: "hosts in network namespaces, and the demo on them",
    from: ["core", "ports"],
    builtins: true,
    packages: [],
  },
  {
    name: "bench",
    owns: "measurements against keepalived in the same run",
    from: ["core", "ports", "lab"],
    builtins: true,
    packages: [],
  },
  {
    name: "dashboard",
    owns: "the page for browsers; it talks to the API contract only",
    from: [CONTRACT],
    builtins: false,
    packages: ["preact"],
  },
  {
    name: "main",
    owns: "composition roots, one per process",
    from: ["core", "ports", "linux", "adapters", "engine", "control", "cli", "mha", "sim", "lab", "bench"],
    builtins: true,
    packages: ["commander", "pino"],
  },
];

/** Files that nothing in src imports because a script or a parent process starts them by path. */
const ENTRY_POINTS = [
  "^src/main/",
  "^src/dashboard/app\\.tsx$",
  "^src/bench/",
  "^src/lab/(demo|workload)[^/]*\\.ts$",
  "^src/lab/nemesis/main\\.ts$",
];

/** Fewer modules than this means that the tool saw nothing and its "no violations" is worth nothing. */
const MINIMUM_MODULES = 20;

module.exports = { LAYERS, ENTRY_POINTS, MINIMUM_MODULES };
