// The built daemon in a network namespace of the test's own, driven by a shell script; what it did is read from its traces.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const HOLDFAST = fileURLToPath(new URL("../../dist/bundle/holdfast.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "holdfast-control-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const heard = join(folder, "heard");
const bad = join(folder, "bad");
const hook = file("hook.sh", `#!/bin/sh\necho "$*" >> ${heard}\n`);
const check = file("check.sh", `#!/bin/sh\n[ ! -e ${bad} ] || { echo "no libmysqlclient.so.21" >&2; exit 1; }\n`);
const config = file(
  "k.conf",
  `vrrp_script chk {
  script "${check}"
  interval 1
}
vrrp_instance redis1 {
  interface eth0
  virtual_router_id 51
  priority 90
  track_script { chk }
  virtual_ipaddress { 192.0.2.50 }
  notify "${hook}"
  notify_fault "${hook} fault"
  notify_stop "${hook} stop"
}
`,
);

const NETWORK = `
ip link add eth0 type veth peer name eth1
ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip link set eth1 up; ip link set lo up
holds() { ip -4 addr show eth0 | grep -q 192.0.2.50/; }
await() { n=0; until "$@"; do n=$((n+1)); [ $n -lt 200 ] || { echo "never: $*"; exit 1; }; sleep 0.1; done; }
free() { ! holds; }
hears() { grep -q "$1" ${heard}; }
`;
const PREPARE = `${NETWORK}
node ${HOLDFAST} run -n -f ${config} -p ${folder}/pid 2>${folder}/log & DAEMON=$!
await holds
keeper() { grep -o '"kind":"keeper-started","pid":[0-9]*' ${folder}/journal.jsonl | tail -1 | grep -o '[0-9]*$'; }
`;

function inNamespace(script: string): string {
  rmSync(heard, { force: true });
  rmSync(bad, { force: true });
  rmSync(join(folder, "journal.jsonl"), { force: true });
  const path = file(
    "run.sh",
    `${PREPARE}${script}\nkill -TERM $DAEMON; wait $DAEMON; echo "exit $?"; holds || echo free\n`,
  );
  return inUnshare(path);
}

function inUnshare(path: string): string {
  return execFileSync("unshare", ["-Urmn", "sh", path], { encoding: "utf8", timeout: 120_000 });
}

const journal = (): string => readFileSync(join(folder, "journal.jsonl"), "utf8");

test("fault-to-master: notify hears each state once, in order, with INSTANCE redis1 FAULT 90 among them", () => {
  const output = inNamespace(`touch ${bad}; await free; await hears FAULT; rm ${bad}; await holds; sleep 0.5`);
  expect(output).toBe("exit 0\nfree\n");
  expect(readFileSync(heard, "utf8").trim().split("\n")).toEqual([
    "INSTANCE redis1 BACKUP 90",
    "INSTANCE redis1 MASTER 90",
    "fault",
    "INSTANCE redis1 FAULT 90",
    "INSTANCE redis1 BACKUP 90",
    "INSTANCE redis1 MASTER 90",
    "stop",
    "INSTANCE redis1 STOP 90",
  ]);
  expect(journal()).toContain("no libmysqlclient.so.21");
});

test("a killed keeper is spoken for and replaced", () => {
  expect(inNamespace("kill -9 $(keeper); await free; await holds")).toBe("exit 0\nfree\n");
  expect(journal()).toContain('"guard-released","instances":["redis1"],"addresses":["192.0.2.50"]');
});

test("a control process killed while notify_claim runs takes it along: its later commands are never run", () => {
  const [begun, opened] = [join(folder, "claim-begun"), join(folder, "claim-opened")];
  const claim = file("claim.sh", `#!/bin/sh\ntouch ${begun}\nsleep 2\ntouch ${opened}\n`);
  const gated = file(
    "gated.conf",
    readFileSync(config, "utf8").replace("priority 90", `priority 90\n notify_claim ${claim}`),
  );
  const path = file(
    "orphan.sh",
    `${NETWORK}node ${HOLDFAST} run -n -f ${gated} -p ${folder}/gated.pid 2>${folder}/log & DAEMON=$!
begun() { [ -e ${begun} ]; }
await begun; kill -9 $DAEMON; sleep 4; [ -e ${opened} ] && echo opened; holds || echo free\n`,
  );
  expect(inUnshare(path)).toBe("free\n");
});

test("TERM ends the daemon although something keeps Node's loop alive", () => {
  const leak = "--import 'data:text/javascript,setInterval(() => {}, 1e6)'";
  const path = file(
    "leak.sh",
    `${NETWORK}node ${leak} ${HOLDFAST} run -n -f ${config} -p ${folder}/leak.pid 2>${folder}/log & DAEMON=$!
await holds; kill -TERM $DAEMON
n=0; while kill -0 $DAEMON 2>/dev/null; do n=$((n+1)); [ $n -lt 200 ] || { echo "never ends"; kill -9 $DAEMON; }; sleep 0.1; done
wait $DAEMON; echo "exit $?"; holds || echo free\n`,
  );
  expect(inUnshare(path)).toBe("exit 0\nfree\n");
});

test("a frozen keeper is killed before anybody speaks for it", () => {
  expect(inNamespace("kill -STOP $(keeper); await free; await holds")).toBe("exit 0\nfree\n");
  const text = journal();
  expect(text.indexOf("keeper-frozen")).toBeGreaterThan(0);
  expect(text.indexOf("guard-released")).toBeGreaterThan(text.indexOf("keeper-frozen"));
});

test("a file with an error is started and says that a reload will refuse it; a reload is announced before what it finds", () => {
  const [despite, log] = [join(folder, "despite.conf"), join(folder, "despite.log")];
  const good = readFileSync(config, "utf8");
  file("despite.conf", good.replace("priority 90", "priority 90\n no_such_word"));
  file("mended.conf", good.replace("priority 90", "priority 91"));
  const path = file(
    "despite.sh",
    `${NETWORK}node ${HOLDFAST} run -n -f ${despite} -p ${folder}/despite.pid 2>${log} & DAEMON=$!
says() { grep -q "$1" ${log}; }
await holds; kill -HUP $DAEMON; await says "Reload refused"
cp ${folder}/mended.conf ${despite}; kill -HUP $DAEMON; await says "Reload complete"
kill -TERM $DAEMON; wait $DAEMON; echo "exit $?"\n`,
  );
  expect(inUnshare(path)).toBe("exit 0\n");
  const told = readFileSync(log, "utf8").match(/Started without|unknown keyword `no_such_word`.*\]|Reload\w* \S+/g);
  const error = "unknown keyword `no_such_word` in vrrp_instance [unknown-keyword]";
  expect(told).toEqual([
    error,
    "Started without",
    "Reloading ...",
    error,
    "Reload refused,",
    "Reloading ...",
    "Reload complete",
  ]);
});
