/**
 * The names that iproute2 gives to routing tables, protocols, scopes, DS fields, realms and interface groups (rt_tables and its
 * siblings, ip-route(8)): built-in ones, then the files of the distribution, then those of the administrator. Files are read
 * when a name is first asked for; one that is missing is no error.
 */
import type { ConfigSource } from "./source.ts";

export type NameTable = "tables" | "protos" | "scopes" | "dsfield" | "realms" | "group";

export interface RoutingNames {
  /** The number of a name, or a number written as such; null when there is no such name, or it exceeds the table's range. */
  number(table: NameTable, text: string): number | null;
}

export interface NameDirectories {
  /** iproute_usr_dir; null means iproute2's own places. */
  readonly usr: string | null;
  /** iproute_etc_dir. */
  readonly etc: string | null;
}

const USR_DIRECTORIES = ["/usr/lib/iproute2", "/usr/share/iproute2"];
const ETC_DIRECTORY = "/etc/iproute2";

const LARGEST: Readonly<Record<NameTable, number>> = {
  tables: 0xffff_ffff,
  protos: 255,
  scopes: 255,
  dsfield: 255,
  realms: 0xffff,
  group: 0x7fff_ffff,
};

const FILES: Readonly<Record<NameTable, string>> = {
  tables: "rt_tables",
  protos: "rt_protos",
  scopes: "rt_scopes",
  dsfield: "rt_dsfield",
  realms: "rt_realms",
  group: "group",
};

/** linux/rtnetlink.h; what iproute2 knows without files. */
const BUILT_IN: Readonly<Record<NameTable, Readonly<Record<string, number>>>> = {
  tables: { default: 253, main: 254, local: 255 },
  protos: {
    none: 0,
    redirect: 1,
    kernel: 2,
    boot: 3,
    static: 4,
    gated: 8,
    ra: 9,
    mrt: 10,
    zebra: 11,
    bird: 12,
    dnrouted: 13,
    xorp: 14,
    ntk: 15,
    dhcp: 16,
    keepalived: 18,
    babel: 42,
    bgp: 186,
    isis: 187,
    ospf: 188,
    rip: 189,
    eigrp: 192,
  },
  scopes: { global: 0, site: 200, link: 253, host: 254, nowhere: 255 },
  dsfield: {},
  realms: { cosmos: 0 },
  group: { default: 0 },
};

export function createRoutingNames(source: ConfigSource, directories: NameDirectories): RoutingNames {
  const loaded = new Map<NameTable, ReadonlyMap<string, number>>();
  const namesOf = (table: NameTable): ReadonlyMap<string, number> => {
    let names = loaded.get(table);
    if (names === undefined) {
      names = readNames(source, directories, table);
      loaded.set(table, names);
    }
    return names;
  };
  return {
    number(table, text) {
      const value = plainNumber(text) ?? namesOf(table).get(text) ?? null;
      return value !== null && value <= LARGEST[table] ? value : null;
    },
  };
}

/** Decimal, or hexadecimal after 0x. */
export function plainNumber(text: string): number | null {
  return /^(?:\d{1,10}|0[xX][0-9a-fA-F]{1,8})$/.test(text) ? Number(text) : null;
}

function readNames(source: ConfigSource, directories: NameDirectories, table: NameTable): ReadonlyMap<string, number> {
  const names = new Map(Object.entries(BUILT_IN[table]));
  const usr = directories.usr === null ? USR_DIRECTORIES : [directories.usr];
  for (const directory of [...usr, directories.etc ?? ETC_DIRECTORY]) {
    const file = `${directory}/${FILES[table]}`;
    for (const path of [file, ...source.glob(`${file}.d/*.conf`, "/")]) {
      const text = source.readFile(path);
      if (text.ok) addNames(names, text.value);
    }
  }
  return names;
}

/** Lines are `NUMBER NAME`; `#` begins a comment. */
function addNames(names: Map<string, number>, text: string): void {
  for (const line of text.split("\n")) {
    const [number = "", name] = line.trim().split(/[\s]+/);
    const value = plainNumber(number);
    if (value !== null && name !== undefined && !name.startsWith("#")) names.set(name, value);
  }
}
