/**
 * Tree to HoldfastConfig. Owns the order of definition (a check must stand above the instance that tracks it) and what
 * must be unique across blocks. It never fails: what cannot be used is left out and reported.
 */

import type { BlockKeeper } from "./block-keeper.ts";
import { compileApi } from "./compile-api.ts";
import { compileGlobals } from "./compile-globals.ts";
import { compileGroups } from "./compile-group.ts";
import { compileHost, routingNames } from "./compile-host.ts";
import { compileInstance } from "./compile-instance.ts";
import { compileMysql } from "./compile-mysql.ts";
import { compilePeerLink } from "./compile-peer-link.ts";
import { readPlace, reportAbsentProcessors } from "./compile-process.ts";
import { compileQuorum } from "./compile-quorum.ts";
import { compileRedis } from "./compile-redis.ts";
import { compileScript } from "./compile-script.ts";
import { compileTrackFile, compileTrackProcess } from "./compile-trackers.ts";
import { reportIpsets } from "./compile-virtual.ts";
import { compileWitness } from "./compile-witness.ts";
import type { DiagnosticSink } from "./diagnostics.ts";
import { compileLvs } from "./lvs/compile.ts";
import type {
  HoldfastConfig,
  InstanceConfig,
  MysqlBlockConfig,
  RedisBlockConfig,
  SourceSpan,
  TrackFileConfig,
  TrackProcessConfig,
  VrrpScriptConfig,
} from "./model.ts";
import { createRulePriorities } from "./rule-line.ts";
import { readSettings } from "./settings.ts";
import type { ConfigSource } from "./source.ts";
import type { Node } from "./tree.ts";

export interface CompileTools {
  readonly source: ConfigSource;
  readonly diagnostics: DiagnosticSink;
  readonly keeper: BlockKeeper;
}

export function compile(tree: readonly Node[], { source, diagnostics, keeper }: CompileTools): HoldfastConfig {
  const root = readSettings(tree, "root", diagnostics);
  // keepalived reads global_defs wherever it stands before it builds instances.
  const { global, defaults, globals } = compileGlobals(root.nodes("global_defs"), diagnostics);
  const tools = { names: routingNames(globals, source), priorities: createRulePriorities() };
  const host = compileHost(tree, { globals, tools, diagnostics });
  const scripts: VrrpScriptConfig[] = [];
  const files: TrackFileConfig[] = [];
  const processes: TrackProcessConfig[] = [];
  const mysql: MysqlBlockConfig[] = [];
  const redis: RedisBlockConfig[] = [];
  const quorum = compileQuorum(tree, { source, diagnostics });
  const trackable = { scripts, files, processes, mysql, redis, quorum, diagnostics };
  const taken = new Set<string>();
  reportAbsentProcessors(globals, source, diagnostics);
  reportIpsets(root.node("namespace_with_ipsets"), diagnostics);
  const instances: Instances = { list: [], byName: new Map(), byRouter: new Map() };
  const checks = { ...trackable, source };
  const inheriting = { ...checks, defaults, tools, taken };
  for (const node of tree) {
    if (node.block === null) continue;
    // A file may say `__proto__ {`.
    const check = Object.hasOwn(CHECKS, node.keyword) ? CHECKS[node.keyword] : undefined;
    if (check !== undefined) check(node, checks);
    else if (node.keyword === "vrrp_instance") addInstance(compileInstance(node, inheriting), instances, diagnostics);
  }
  // Last of all: a group may name instances that are defined further down.
  const { groups, members } = compileGroups(root.nodes("vrrp_sync_group"), instances.list, {
    ...trackable,
    mailDefault: defaults.notices.mail,
  });
  const place = { ...global.place, ...readPlace(root, diagnostics) };
  const childWaitTime = root.duration("child_wait_time");
  return {
    global: { ...global, place, childWaitTime },
    defaults,
    scripts,
    files,
    processes,
    mysql,
    redis,
    peerLink: compilePeerLink(root.nodes("peer_link"), { source, diagnostics }),
    quorum: quorum === "unusable" ? null : quorum,
    witness: compileWitness(root.nodes("witness"), { source, diagnostics }),
    instances: members,
    groups,
    lvs: compileLvs({ tree, root, globals, files, source, diagnostics, keeper }),
    host,
    api: compileApi(root.node("api"), source, diagnostics),
  };
}

interface Checks {
  readonly scripts: VrrpScriptConfig[];
  readonly files: TrackFileConfig[];
  readonly processes: TrackProcessConfig[];
  readonly mysql: MysqlBlockConfig[];
  readonly redis: RedisBlockConfig[];
  readonly source: ConfigSource;
  readonly diagnostics: DiagnosticSink;
}

type AddCheck = (node: Node, to: Checks) => void;

const addTrackFile: AddCheck = (node, { files, diagnostics }) =>
  addNamed(node, compileTrackFile(node, diagnostics), files, diagnostics);

const CHECKS: Readonly<Partial<Record<string, AddCheck>>> = {
  vrrp_script: (node, { scripts, diagnostics }) =>
    addNamed(node, compileScript(node, diagnostics), scripts, diagnostics),
  track_file: addTrackFile,
  vrrp_track_file: addTrackFile,
  vrrp_track_process: (node, { processes, diagnostics }) =>
    addNamed(node, compileTrackProcess(node, diagnostics), processes, diagnostics),
  mysql: (node, { mysql, source, diagnostics }) =>
    addNamed(node, compileMysql(node, source, diagnostics), mysql, diagnostics),
  redis: (node, { redis, source, diagnostics }) =>
    addNamed(node, compileRedis(node, source, diagnostics), redis, diagnostics),
};

/** Checks, files, processes and servers: the first of a name counts. */
function addNamed<T extends { readonly name: string; readonly span: SourceSpan }>(
  node: Node,
  made: T | null,
  list: T[],
  diagnostics: DiagnosticSink,
): void {
  if (made === null) return;
  const earlier = list.find((one) => one.name === made.name);
  if (earlier === undefined) {
    list.push(made);
    return;
  }
  diagnostics.report(
    "duplicate-name",
    node.span,
    `${node.keyword} ${made.name} is already defined in line ${earlier.span.line}; this one is left out`,
    "rename one of the two",
  );
}

/** Kept by name and by virtual router, because there may be thousands. */
interface Instances {
  readonly list: InstanceConfig[];
  readonly byName: Map<string, InstanceConfig>;
  readonly byRouter: Map<string, InstanceConfig>;
}

function addInstance(instance: InstanceConfig | null, instances: Instances, diagnostics: DiagnosticSink): void {
  if (instance === null) return;
  const { name, virtualRouterId, family, interface: device } = instance.vrrp;
  // IPv4 and IPv6 routers are separate, whatever their numbers (RFC 9568 section 1.2).
  const router = `${virtualRouterId} ${device} ${family}`;
  const sameName = instances.byName.get(name);
  const sameRouter = instances.byRouter.get(router);
  if (sameName !== undefined) {
    diagnostics.report(
      "duplicate-name",
      instance.span,
      `vrrp_instance ${name} is already defined in line ${sameName.span.line}; this one is left out`,
      "rename one of the two",
    );
  } else if (sameRouter !== undefined) {
    diagnostics.report(
      "duplicate-vrid",
      instance.span,
      `${name} uses virtual_router_id ${virtualRouterId} of IPv${family} on ${device}, as ${sameRouter.vrrp.name} does; it is left out`,
      "give each instance on an interface its own virtual_router_id",
    );
  } else {
    instances.list.push(instance);
    instances.byName.set(name, instance);
    instances.byRouter.set(router, instance);
  }
}
