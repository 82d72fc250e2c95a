/**
 * The dumps that signals ask for, next to the real keepalived's: each configuration runs in both, in a network of its own, and the
 * files must have the same names, modes and lines. What may differ is listed in DIFFERENT, with the reason.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOLDFAST_LAUNCHER } from "../src/lab/paths.ts";
import { execute } from "../src/lab/processes.ts";
import { DUMP_CONFIGS as CONFIGS } from "./dump-configs.ts";
import { describeLab } from "./support.ts";

const SCRIPT = `
kind=$1 file=$2 out=$3 program=$4 six=$5
mount -t tmpfs none /run
export TMPDIR=$out
ip link add eth0 address 02:00:00:00:00:01 type veth peer name eth1 address 02:00:00:00:00:02
echo 5 > /run/number; chmod 700 /run
[ "$six" = IPv6 ] || for name in lo eth0 eth1; do echo 1 > /proc/sys/net/ipv6/conf/$name/disable_ipv6; done
ip link set lo up
ip addr add 10.9.0.1/24 dev eth0; ip addr add 10.8.0.1/24 dev eth1
ip link set eth0 up; ip link set eth1 up
await() { n=0; until eval "$1"; do n=$((n+1)); [ $n -lt 600 ] || { echo "never: $1"; exit 1; }; sleep 0.1; done; }
# Until duplicate address detection is over there is no address to send from.
await '! ip -6 addr | grep -q tentative'
if [ "$kind" = keepalived ]; then
  keepalived -n -l -D -P -f "$file" -p /run/pid -r /run/pid2 >"$out.log" 2>&1 & DAEMON=$!
else
  "$program" -n -l -D -P -f "$file" -p /run/pid >"$out.log" 2>&1 & DAEMON=$!
fi
await 'ip -4 addr | grep -q "10\\.[89]\\.0\\.100"'
sleep 0.3
kill -USR1 $(cat /run/pid); await '[ -s $out/keepalived.data ]'
kill -USR2 $(cat /run/pid); await '[ -s $out/keepalived.stats ]'
kill -36 $(cat /run/pid); await '[ -s $out/keepalived.json ]'
cp $out/keepalived.stats $out/before.stats
kill -63 $(cat /run/pid); sleep 0.5
rm $out/keepalived.stats
kill -USR2 $(cat /run/pid); await '[ -s $out/keepalived.stats ]'
kill $DAEMON; wait $DAEMON
`;

const folder = mkdtempSync(join(tmpdir(), "holdfast-dumps-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Kind = "holdfast" | "keepalived";

function place(index: number, kind: Kind): string {
  return join(folder, `${index}-${kind}`);
}

async function run(index: number, kind: Kind, title: string, config: string): Promise<void> {
  const out = place(index, kind);
  mkdirSync(out);
  writeFileSync(`${out}.conf`, config);
  const inside = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const argv = [...inside, "sh", "-c", SCRIPT, "sh", kind, `${out}.conf`, out, HOLDFAST_LAUNCHER, title];
  const result = await execute(argv, { timeoutMs: 120_000 });
  const log = existsSync(`${out}.log`) ? readFileSync(`${out}.log`, "utf8") : "";
  expect(`${result.stdout}${result.stderr}`, log).toBe("");
}

/** Lines that may be there on one side only or differ, each with its reason. */
const DIFFERENT: readonly RegExp[] = [
  // Ours always tests; keepalived only with reload_check_config.
  /test config before reload/i,
  // Built with nftables' library, which we do not use.
  /^ libnftnl version/,
  // keepalived makes its files with a mask of its own; ours are made with their modes.
  /^ umask = /,
  // keepalived remembers what it read of the host; ours asks the kernel each time it announces.
  /^ {3}(Not )?IPv6 forwarding\. Last checked/,
];

/** Labels that must be there with values that are not compared, each with its reason. */
const OTHER_VALUES: readonly RegExp[] = [
  // The keeper keeps what the kernel had before, and puts it back; it tells nobody.
  /^( {3}Original (?:arp_ignore|arp_filter|promote_secondaries)) \d+$/,
  /^( {3}rp_filter) \d+$/,
  // Our own default is 10 s: an election that takes 10 ms of processor time is no reason to be killed.
  /^( VRRP realtime limit =) \d+$/,
];

/** Moments, descriptors and the password are no one's to compare. */
function comparable(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !DIFFERENT.some((pattern) => pattern.test(line)))
    .map((line) => OTHER_VALUES.reduce((text, pattern) => text.replace(pattern, "$1 SOME"), line))
    .map((line) =>
      line
        .replace(/\d+\.\d{6} \(.*\)$/, "MOMENT")
        .replace(/fd_in -?\d+,? fd_out (= )?-?\d+/, "FDS")
        .replace(/^ {3}State = (idle|running)$/, "   State = OF A RUN")
        .replace(/Password = .*/, "Password = HIDDEN"),
    );
}

const dump = (index: number, kind: Kind, name: string): string => readFileSync(join(place(index, kind), name), "utf8");

/** Pairs that run together: all of them at once are much for a host of two processors. */
const AT_ONCE = 3;

describeLab("dumps beside keepalived's", () => {
  beforeAll(async () => {
    const configs = [...Object.entries(CONFIGS).entries()];
    while (configs.length > 0) {
      const runs = configs
        .splice(0, AT_ONCE)
        .flatMap(([index, [title, config]]) =>
          (["keepalived", "holdfast"] as const).map((kind) => run(index, kind, title, config)),
        );
      await Promise.all(runs);
    }
  }, 180_000);

  for (const [index, title] of Object.keys(CONFIGS).entries()) {
    describe(title, () => {
      test("the same files with the same modes", () => {
        const files = (kind: Kind) =>
          readdirSync(place(index, kind)).map((name) => [name, statSync(join(place(index, kind), name)).mode & 0o777]);
        expect(files("holdfast")).toEqual(files("keepalived"));
      });

      test("keepalived_parent.data and keepalived.data line by line", () => {
        for (const name of ["keepalived_parent.data", "keepalived.data"]) {
          expect(comparable(dump(index, "holdfast", name))).toEqual(comparable(dump(index, "keepalived", name)));
        }
      });

      test("keepalived.stats has the same lines, and 63 begins them anew", () => {
        const lines = (kind: Kind, name: string) => dump(index, kind, name).replace(/Sent: \d+/g, "Sent: N");
        expect(lines("holdfast", "before.stats")).toBe(lines("keepalived", "before.stats"));
        expect(lines("holdfast", "keepalived.stats")).toBe(lines("keepalived", "keepalived.stats"));
        expect(dump(index, "holdfast", "before.stats")).toContain("Became master: 1");
        expect(dump(index, "holdfast", "keepalived.stats")).not.toContain("Became master: 1");
      });

      test("keepalived.json has the same keys in the same order, and the same values", () => {
        const read = (kind: Kind): { data: Record<string, unknown>; stats: Record<string, unknown> }[] =>
          JSON.parse(dump(index, kind, "keepalived.json"));
        const [ours, theirs] = [read("holdfast"), read("keepalived")];
        expect(ours.map(({ data }) => Object.keys(data))).toEqual(theirs.map(({ data }) => Object.keys(data)));
        const stable = (entries: ReturnType<typeof read>) =>
          entries.map(({ data, stats }) => ({
            data: { ...data, last_transition: typeof data.last_transition, auth_data: typeof data.auth_data },
            stats: { ...stats, advert_sent: typeof stats.advert_sent },
          }));
        expect(stable(ours)).toEqual(stable(theirs));
      });
    });
  }
});
