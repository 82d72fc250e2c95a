/**
 * The form of a rule's example: one text of which lines marked `-` stand in the faulty file only, lines marked `+` in the corrected one
 * only, and all others in both. The pages of docs/rules are made from it, and a test loads both files.
 */
import { err } from "../../lib/result.ts";
import { memorySource } from "../memory-source.ts";
import type { ConfigSource } from "../source.ts";

export const EXAMPLE_FILE = "/etc/keepalived/keepalived.conf";

/** What the host has and has not, where it matters. */
export interface ExampleHost {
  /** Interfaces, users and processors that are missing; all others are there. */
  readonly missing?: readonly string[];
  /** Permission bits by path; 0o600 unless given. */
  readonly modes?: Readonly<Record<string, number>>;
  /** Paths that somebody but root may change. */
  readonly writable?: readonly string[];
  /** Paths that are there and cannot be read. */
  readonly unreadable?: readonly string[];
  /** Other files of the host, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Example {
  /** Why it matters, in a sentence or two. */
  readonly why: string;
  readonly text: string;
  /** The other host's file, for what only two files show. */
  readonly peer?: string;
  /** The host of the faulty file, and that of the corrected one when the remedy is there. */
  readonly host?: ExampleHost;
  readonly correctedHost?: ExampleHost;
  /** What differs on the host, in words; for the page. */
  readonly onHost?: string;
}

/** A rule that no configuration shows by itself. */
export interface WithoutExample {
  readonly why: string;
  readonly comesAbout: string;
}

export type RuleExample = Example | WithoutExample;

export const isExample = (one: RuleExample): one is Example => "text" in one;

export type Side = "faulty" | "corrected";

const OTHER: Readonly<Record<Side, string>> = { faulty: "+", corrected: "-" };

/** The file of one side. */
export function sideOf(text: string, side: Side): string {
  return text
    .split("\n")
    .filter((line) => !line.startsWith(OTHER[side]))
    .map((line) => line.replace(/^[-+ ]/, ""))
    .join("\n");
}

/** Lines of an instance, between its head and its address. */
export const inInstance = (lines: string): string => ` vrrp_instance VI_1 {
   interface eth0
   virtual_router_id 51
${lines.replace(/^\n/, "")}
   virtual_ipaddress {
     192.0.2.10/24
   }
 }
`;

export const example = (why: string, text: string, rest: Omit<Example, "why" | "text"> = {}): Example => ({
  why,
  text: `${text.replace(/^\n/, "").replace(/\n*$/, "")}\n`,
  ...rest,
});

export const without = (why: string, comesAbout: string): WithoutExample => ({ why, comesAbout });

/** The real world of an example, as far as the loader looks at it. */
export function exampleSource(files: Readonly<Record<string, string>>, host: ExampleHost = {}): ConfigSource {
  const missing = new Set(host.missing);
  const all = { ...files, ...host.files };
  const plain = memorySource(all);
  return {
    ...plain,
    readFile: (path) => (host.unreadable?.includes(path) === true ? err("EACCES") : plain.readFile(path)),
    script: (path) => ({
      path,
      file: missing.has(path)
        ? null
        : { kind: "file", mode: host.modes?.[path] ?? (Object.hasOwn(all, path) ? 0o600 : 0o755), uid: 0, gid: 0 },
      writableByOthers: host.writable?.includes(path) === true ? path : null,
    }),
    hasInterface: (name) => !missing.has(name),
    hasUser: (name) => !missing.has(name),
    hasGroup: (name) => !missing.has(name),
    hasProcessor: (number) => !missing.has(String(number)),
  };
}
