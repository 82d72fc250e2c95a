// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test writes its variables this way
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs, SEARCH_TIMEOUT } from "../../../tools/test-runs.ts";
import { type LoadedConfig, loadConfig } from "./load.ts";
import { memorySource } from "./memory-source.ts";

const FOLDERS = ["../../../conformance/fuzz/configs", "../../../conformance/config-test/cases"];
const corpus = FOLDERS.flatMap((folder) => {
  const path = fileURLToPath(new URL(folder, import.meta.url));
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".conf") && file !== "explosion.conf")
    .map((file) => readFileSync(join(path, file), "utf8"));
});

const service = (number: number, lines = ""): string => `virtual_server 10.0.0.${number} 80 {
  delay_loop 6
  lvs_sched wlc   # as ever
  lvs_method NAT
  protocol TCP
${lines}  real_server 10.0.1.${number} 80 {
    weight 1
    TCP_CHECK {
      connect_timeout 3
    }
  }
  real_server 10.0.2.${number} 80 {
    weight 2
    notify_up "/bin/up ${number}"
    HTTP_GET {
      url {
        path /
        status_code 200
      }
    }
  }
}
`;
const SERVICES = `global_defs {
  smtp_alert_checker on
}
track_file load {
  file /tmp/load
}
virtual_server_group G {
  10.0.9.1 80
}
${[1, 2, 3].map((number) => service(number)).join("")}virtual_server group G 80 {
  lvs_sched rr
  protocol TCP
  real_server 10.0.3.1 80 {
    FILE_CHECK {
      track_file load
    }
  }
}
${service(4)}include more.conf
`;
const MORE = `${service(5)}$W=2\n${service(6, "  quorum $W\n")}`;

const read = (text: string, before?: LoadedConfig, more = MORE): LoadedConfig => {
  const source = memorySource({ "/k.conf": text, "/more.conf": more });
  return loadConfig(source, "/k.conf", before === undefined ? {} : { kept: before.kept });
};

const told = ({ config, diagnostics, readable, files, kept }: LoadedConfig): string =>
  JSON.stringify([config, diagnostics, readable, [...files], kept.surroundings, keptPlaces({ kept })]);

const keptPlaces = ({ kept }: Pick<LoadedConfig, "kept">) =>
  [...kept.files].map(([file, { blocks }]) => [file, [...blocks.values()].sort((one, two) => one.from - two.from)]);

/** Objects that the second reading has from the first. */
const shared = (before: LoadedConfig, now: LoadedConfig): number =>
  now.config.lvs.servers.filter((server) => before.config.lvs.servers.includes(server)).length;

function sameAsInFull(before: LoadedConfig, text: string, more?: string): LoadedConfig {
  const now = read(text, before, more);
  if (told(now) !== told(read(text, undefined, more))) expect(told(now)).toBe(told(read(text, undefined, more)));
  return now;
}

test("blocks whose lines stand where they stood are not read again, and everything is as if they were", () => {
  const before = read(SERVICES);
  expect(before.config.lvs.servers).toHaveLength(7);
  // All but the group's and the one with a definition.
  expect(shared(before, sameAsInFull(before, SERVICES))).toBe(5);
  expect(shared(before, sameAsInFull(before, SERVICES.replace("weight 2", "weight 9")))).toBe(4);
  const longer = SERVICES.replace("weight 2", "weight 2\n    inhibit_on_failure");
  // Those below have moved, the included file has not.
  expect(shared(before, sameAsInFull(before, longer))).toBe(1);
  const again = sameAsInFull(before, longer);
  expect(shared(again, sameAsInFull(again, longer))).toBe(5);
});

const change = (from: string | RegExp, to: string): string => {
  const changed = SERVICES.replace(from, to);
  if (changed === SERVICES) throw new Error(`${from} is not in the file`);
  return changed;
};

test.each([
  ["a default that the blocks inherit", change("smtp_alert_checker on", "smtp_alert_checker off")],
  ["a tracked file", change("track_file load {", "track_file other {")],
  ["a block above that is not closed", change("  smtp_alert_checker on\n}", "  smtp_alert_checker on\n")],
  ["a closing brace too many", change("  smtp_alert_checker on\n}", "  } smtp_alert_checker on\n}")],
  ["a definition that goes on into the head", change("file /tmp/load\n}", "file /tmp/load }\n$X= \\")],
  ["a quotation mark left open", change("file /tmp/load\n", 'file "/tmp/load\n')],
  ["the same service twice", `${SERVICES}${service(1)}`],
  ["an error in front of it all", `x`.concat(SERVICES)],
])("%s", (_what, text) => {
  const before = read(SERVICES);
  sameAsInFull(before, text);
  // And back.
  sameAsInFull(read(text), SERVICES);
});

test("an included file that changes is read again", () => {
  const before = read(SERVICES);
  const now = sameAsInFull(before, SERVICES, MORE.replace("weight 1", "weight 3"));
  expect(shared(before, now)).toBe(4);
  sameAsInFull(before, SERVICES, MORE.replace("$W=2", "$W=3"));
  sameAsInFull(before, SERVICES, "");
});

test("credentials of a database checker are the host's: its block is read each time", () => {
  const block = service(1).replace("TCP_CHECK {", "REDIS_CHECK {");
  const before = read(block);
  expect(before.config.lvs.servers).toHaveLength(1);
  expect(shared(before, sameAsInFull(before, block))).toBe(0);
});

test("a block that something is said of is read each time", () => {
  const block = service(1).replace("lvs_sched wlc", "lvs_schet wlc");
  const before = read(block);
  expect(before.config.lvs.servers).toHaveLength(1);
  expect(shared(before, sameAsInFull(before, block))).toBe(0);
});

const WORDS = [
  "{",
  "}",
  '"',
  "\\",
  "#",
  "$W",
  "$W=",
  "@x",
  "@^x",
  "~LST(A,1)",
  "include more.conf",
  "weight 3",
  "\n",
  "}\n}",
  "lvs_sched rr",
];
const edit = fc.record({ at: fc.nat(), cut: fc.nat({ max: 60 }), put: fc.constantFrom("", ...WORDS) });

const edited = (text: string, edits: readonly { at: number; cut: number; put: string }[]): string =>
  edits.reduce((now, { at, cut, put }) => {
    const from = at % (now.length + 1);
    return now.slice(0, from) + put + now.slice(from + cut);
  }, text);

test(
  "whatever is edited, a reload reads what a start reads",
  () => {
    const text = fc.oneof({ weight: 3, arbitrary: fc.constant(SERVICES) }, fc.constantFrom(...corpus));
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(text, edits, edits, (first, some, more) => {
        const once = edited(first, some);
        const before = sameAsInFull(read(first), once);
        sameAsInFull(before, edited(once, more));
      }),
      { numRuns: runs(150, 20_000) },
    );
  },
  SEARCH_TIMEOUT,
);

test("a reload of every file of the corpus reads what the start read", () => {
  expect(corpus.length).toBeGreaterThan(100);
  for (const text of corpus) sameAsInFull(read(text), text);
});
