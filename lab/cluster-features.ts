/**
 * What a mixed cluster is tried with: one virtual router (or a group of them) per feature, all in one file, so that one run of three
 * daemons tries every feature at once. Owns the texts; who is started and stopped when is the test's.
 */

/** Hosts of the cluster; priorities so far apart that Skew_Time separates them also on a busy machine. */
export const CLUSTER = [
  { name: "db1", address: "192.168.11.81", address6: "fd00:11::81", priority: 250 },
  { name: "db2", address: "192.168.11.82", address6: "fd00:11::82", priority: 150 },
  { name: "db3", address: "192.168.11.83", address6: "fd00:11::83", priority: 50 },
] as const;

export type ClusterHost = (typeof CLUSTER)[number];

export interface Feature {
  readonly title: string;
  readonly virtualRouterIds: readonly number[];
  /** Addresses that move, seen from the kernel. */
  readonly vips: readonly string[];
  readonly preempts: boolean;
  /** The longest advert interval of its instances. */
  readonly intervalSeconds: number;
  /** Blocks of the configuration of one host. */
  text(host: ClusterHost): string;
}

interface Shape {
  readonly title: string;
  readonly id: number;
  readonly version: 2 | 3;
  readonly seconds: number;
  readonly nopreempt?: boolean;
  readonly vips?: readonly string[];
  /** Further lines of the instance. */
  lines?(host: ClusterHost): readonly string[];
}

const peersOf =
  (kind: "address" | "address6") =>
  (host: ClusterHost): readonly string[] => [
    `unicast_src_ip ${host[kind]}`,
    "unicast_peer {",
    ...CLUSTER.filter((other) => other !== host).map((other) => `    ${other[kind]}`),
    "}",
  ];

const authentication = (type: string): readonly string[] => [
  "authentication {",
  `    auth_type ${type}`,
  "    auth_pass s3cret",
  "}",
];

export function instanceText(shape: Shape, host: ClusterHost): string {
  const vips = shape.vips ?? [vipOf(shape.id)];
  return [
    `vrrp_instance VI_${shape.id} {`,
    "    state BACKUP",
    ...(shape.nopreempt === true ? ["    nopreempt"] : []),
    "    interface eth0",
    `    version ${shape.version}`,
    `    virtual_router_id ${shape.id}`,
    `    priority ${host.priority}`,
    `    advert_int ${shape.seconds}`,
    ...(shape.lines?.(host) ?? []).map((line) => `    ${line}`),
    "    virtual_ipaddress {",
    ...vips.map((vip) => `        ${vip}`),
    "    }",
    "}",
    "",
  ].join("\n");
}

const vipOf = (id: number): string => `192.168.11.${100 + id}`;

function feature(shape: Shape): Feature {
  return {
    title: shape.title,
    virtualRouterIds: [shape.id],
    vips: (shape.vips ?? [vipOf(shape.id)]).map((vip) => vip.split("/")[0] ?? vip),
    preempts: shape.nopreempt !== true,
    intervalSeconds: shape.seconds,
    text: (host) => instanceText(shape, host),
  };
}

/** Two instances that move together. */
function syncGroup(title: string, name: string, shapes: readonly Shape[]): Feature {
  const features = shapes.map(feature);
  return {
    title,
    virtualRouterIds: shapes.map(({ id }) => id),
    vips: features.flatMap(({ vips }) => vips),
    preempts: shapes.every(({ nopreempt }) => nopreempt !== true),
    intervalSeconds: Math.max(...shapes.map(({ seconds }) => seconds)),
    text: (host) => {
      const members = shapes.map(({ id }) => `        VI_${id}`);
      const group = [`vrrp_sync_group ${name} {`, "    group {", ...members, "    }", "}", ""].join("\n");
      return [group, ...features.map((it) => it.text(host))].join("\n");
    },
  };
}

export const FEATURES: readonly Feature[] = [
  feature({ title: "v2", id: 1, version: 2, seconds: 1 }),
  feature({ title: "v2, nopreempt", id: 2, version: 2, seconds: 1, nopreempt: true }),
  feature({ title: "v2 PASS", id: 3, version: 2, seconds: 1, lines: () => authentication("PASS") }),
  feature({ title: "v2 unicast", id: 4, version: 2, seconds: 1, lines: peersOf("address") }),
  feature({ title: "v3", id: 5, version: 3, seconds: 0.5 }),
  feature({ title: "v3, nopreempt", id: 6, version: 3, seconds: 0.5, nopreempt: true }),
  feature({
    title: "v3, three addresses and one excluded",
    id: 7,
    version: 3,
    seconds: 0.5,
    vips: ["192.168.11.107/24", "192.168.11.207", "10.7.7.7/32"],
    lines: () => ["virtual_ipaddress_excluded {", "    10.7.7.8/32", "}"],
  }),
  feature({ title: "v3 unicast", id: 8, version: 3, seconds: 0.5, lines: peersOf("address") }),
  feature({
    title: "IPv6, link-local first",
    id: 9,
    version: 3,
    seconds: 0.5,
    vips: ["fe80::11:9/64", "fd00:11::109/64"],
    lines: () => ["virtual_ipaddress_excluded {", "    192.168.11.209", "}"],
  }),
  feature({
    title: "IPv6 unicast",
    id: 10,
    version: 3,
    seconds: 0.5,
    vips: ["fe80::11:10/64"],
    lines: peersOf("address6"),
  }),
  feature({ title: "v2 AH", id: 15, version: 2, seconds: 1, lines: () => authentication("AH") }),
  feature({ title: "virtual MAC", id: 16, version: 3, seconds: 0.5, lines: () => ["use_vmac"] }),
  feature({
    title: "virtual MAC, adverts from the base interface",
    id: 17,
    version: 3,
    seconds: 0.5,
    lines: () => ["use_vmac vrrp.17", "vmac_xmit_base"],
  }),
  syncGroup("sync group", "VG_1", [
    { title: "first member", id: 11, version: 3, seconds: 0.5 },
    { title: "second member", id: 12, version: 3, seconds: 0.5 },
  ]),
  syncGroup("sync group of two families, nopreempt", "VG_2", [
    { title: "IPv4 member", id: 13, version: 3, seconds: 0.5, nopreempt: true },
    { title: "IPv6 member", id: 14, version: 3, seconds: 0.5, nopreempt: true, vips: ["fe80::11:14/64"] },
  ]),
];

export function clusterConfig(host: ClusterHost): string {
  return FEATURES.map((it) => it.text(host)).join("\n");
}
