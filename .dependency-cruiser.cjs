/*
 * Rules for `npm run layers`, one set per row of tools/layers.cjs. Tests may import what they need, so every rule
 * about layers leaves files named *.test.ts and *.suite.ts out.
 */
const { LAYERS, ENTRY_POINTS } = require("./tools/layers.cjs");

const TESTS = "\\.(test|suite)\\.ts$";
const MODULES = "(^|/)node_modules/";
const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const within = (folder) => `^src/${quoted(folder)}/`;

function layerRules(layer) {
  const from = { path: within(layer.name), pathNot: TESTS };
  const allowed = [layer.name, ...layer.from].map(within);
  const rules = [
    {
      name: `${layer.name}-imports-other-layer`,
      comment: `${layer.name} may import ${[layer.name, ...layer.from].join(", ")}. Pass the rest in from main.`,
      severity: "error",
      from,
      to: { path: "^(src|tools|lab|fixtures)/", pathNot: allowed },
    },
    {
      name: `${layer.name}-imports-package`,
      comment: `${layer.name} may import these npm packages: ${layer.packages.join(", ") || "none"}.`,
      severity: "error",
      from,
      to: { path: MODULES, pathNot: packagePaths(layer) },
    },
  ];
  if (!layer.builtins) {
    rules.push({
      name: `${layer.name}-imports-builtin`,
      comment: `${layer.name} knows no node:* module; it must run in virtual time.`,
      severity: "error",
      from,
      to: { dependencyTypes: ["core"] },
    });
  }
  return rules;
}

function packagePaths(layer) {
  const names = layer.packages.map((entry) => entry.split(" in ")[0]);
  return names.map((name) => `${MODULES}(@types/)?${quoted(name)}/`);
}

/** "koffi in src/linux/libc.ts": the package is one file's own. */
function soleUserRules() {
  const entries = LAYERS.flatMap((layer) => layer.packages).filter((entry) => entry.includes(" in "));
  return entries.map((entry) => {
    const [name, file] = entry.split(" in ");
    return {
      name: `${name}-outside-its-file`,
      comment: `Only ${file} imports ${name}.`,
      severity: "error",
      from: { path: "^src/", pathNot: `^${quoted(file)}$` },
      to: { path: `${MODULES}${quoted(name)}/` },
    };
  });
}

module.exports = {
  forbidden: [
    ...LAYERS.flatMap(layerRules),
    ...soleUserRules(),
    {
      name: "unknown-layer",
      comment: "A folder of src that tools/layers.cjs does not know has no rules. Add a row.",
      severity: "error",
      from: { path: "^src/", pathNot: LAYERS.map((layer) => within(layer.name)) },
      to: {},
    },
    {
      name: "imports-main",
      comment: "main composes; nothing imports it.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/main/", TESTS] },
      to: { path: "^src/main/" },
    },
    {
      name: "cycle",
      comment: "Two files that need each other are one file, or need a third.",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "orphan",
      comment: "Nothing imports this file and it imports nothing: delete it or use it.",
      severity: "error",
      from: { orphan: true, path: "^src/", pathNot: [...ENTRY_POINTS, TESTS] },
      to: {},
    },
    {
      name: "unresolvable",
      comment: "This import leads nowhere.",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
    {
      name: "imports-test",
      comment: "Code never imports a test.",
      severity: "error",
      from: { path: "^src/", pathNot: TESTS },
      to: { path: "\\.test\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: MODULES },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
    combinedDependencies: false,
  },
};
