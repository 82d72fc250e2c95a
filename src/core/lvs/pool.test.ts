import fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../config/load.ts";
import { memorySource } from "../config/memory-source.ts";
import { describeLvs } from "../events/describe-lvs.ts";
import { after, instant, seconds } from "../lib/units.ts";
import { adoptPool } from "./adopt.ts";
import type { VirtualServerConfig } from "./config.ts";
import type { PoolEffect } from "./effects.ts";
import { type Finding, OK } from "./findings.ts";
import { beginPool, changeOffset, checkerResult, endPool, initialPool } from "./pool.ts";
import { fileChanged } from "./pool-files.ts";
import type { Pool, PoolRules, Step } from "./pool-state.ts";
import { wantedServices } from "./wanted.ts";

const RULES: PoolRules = { initNotifies: false, noCheckerMail: false };
const NOW = instant(1_000_000);
const REFUSED: Finding = { kind: "connect", problem: "refused", detail: "" };

function service(lines: string, servers: readonly string[], before = ""): VirtualServerConfig {
  const text = `${before}\nvirtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n${lines}\n${servers.join("\n")}\n}\n`;
  const [server] = loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config.lvs.servers;
  if (server === undefined) throw new Error("no virtual server");
  return server;
}

const real = (octet: number, lines = "", checkers = "TCP_CHECK {\n}"): string =>
  `real_server 192.0.2.${octet} 80 {\n${lines}\n${checkers}\n}`;

const begun = (config: VirtualServerConfig): Step => beginPool(initialPool(config, new Map()), RULES);

const result = (pool: Pool, server: number, up: boolean, checker = 0): Step =>
  checkerResult(pool, { server, checker, up, finding: up ? OK : REFUSED, now: NOW, why: "" }, RULES);

/** The effects as an operator sees them, in order. */
const told = (effects: readonly PoolEffect[]): readonly string[] =>
  effects.flatMap((effect) => {
    switch (effect.kind) {
      case "event":
        return describeLvs(effect.body).map(({ text }) => text);
      case "script":
        return [`${effect.hook} ${effect.command.text}`];
      case "line":
        return [`| ${effect.line.trimEnd()}`];
      case "mail":
        return [`mail: ${effect.alert.subject}: ${effect.alert.body}`];
      default:
        return [];
    }
  });

const weights = (pool: Pool, now = NOW): Readonly<Record<string, number>> =>
  Object.fromEntries(
    (wantedServices(pool, now)[0]?.destinations ?? []).map(({ address, port, weight }) => [
      `${address}:${port}`,
      weight,
    ]),
  );

test("at the start all servers without alpha come in at once, and the quorum is told", () => {
  const { pool, effects } = begun(service("", [real(10, "weight 3"), real(11)]));
  expect(weights(pool)).toEqual({ "192.0.2.10:80": 3, "192.0.2.11:80": 1 });
  expect(told(effects)).toEqual(["Gained quorum 1+0=1 <= 4 for VS [192.0.2.1]:tcp:80", "| VS [192.0.2.1]:tcp:80 UP"]);
});

test("alpha waits for the first success", () => {
  const start = begun(service("alpha", [real(10)]));
  expect(weights(start.pool)).toEqual({});
  expect(told(start.effects)).toEqual([]);
  const { pool, effects } = result(start.pool, 0, true);
  expect(weights(pool)).toEqual({ "192.0.2.10:80": 1 });
  expect(told(effects)).toEqual([
    "Adding service [192.0.2.10]:tcp:80 to VS [192.0.2.1]:tcp:80",
    "| RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 UP",
    "Gained quorum 1+0=1 <= 1 for VS [192.0.2.1]:tcp:80",
    "| VS [192.0.2.1]:tcp:80 UP",
    "mail: Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - UP: => TCP CHECK succeed on service <=",
  ]);
});

test("alpha that fails its first check runs notify_down once, as keepalived does", () => {
  const { pool } = begun(service("alpha", [real(10, 'notify_down "/bin/down a"')]));
  const first = result(pool, 0, false);
  expect(told(first.effects)).toEqual(["notify_down /bin/down a", "| RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 DOWN"]);
});

test("the order of one server's fall: log, script, pipe, quorum, its script and pipe, mail", () => {
  const config = service('smtp_alert\nquorum_down "/bin/q down"', [real(10, 'notify_down "/bin/rs down"')]);
  const { effects } = result(begun(config).pool, 0, false);
  expect(told(effects)).toEqual([
    "Removing service [192.0.2.10]:tcp:80 from VS [192.0.2.1]:tcp:80",
    "notify_down /bin/rs down",
    "| RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 DOWN",
    "Lost quorum 1-0=1 > 0 for VS [192.0.2.1]:tcp:80",
    "quorum_down /bin/q down",
    "| VS [192.0.2.1]:tcp:80 DOWN",
    "mail: Virtualserver [192.0.2.1]:tcp:80 - DOWN: => Lost quorum 1+0=1 <= 0 <=",
    "mail: Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - DOWN: => TCP CHECK failed on service <=",
  ]);
});

test("a server is up only while all its checkers are", () => {
  let { pool } = begun(service("", [real(10, "", "TCP_CHECK {\n}\nPING_CHECK {\n}")]));
  pool = result(pool, 0, false, 0).pool;
  const second = result(pool, 0, false, 1);
  expect(told(second.effects).filter((text) => !text.startsWith("mail"))).toEqual([]);
  const one = result(second.pool, 0, true, 0);
  expect(weights(one.pool)).toEqual({});
  expect(weights(result(one.pool, 0, true, 1).pool)).toEqual({ "192.0.2.10:80": 1 });
});

test("no_checker_emails leaves out the mail of a checker that changes nothing", () => {
  const { pool } = begun(service("", [real(10, "", "TCP_CHECK {\n}\nPING_CHECK {\n}")]));
  const down = result(pool, 0, false).pool;
  const order = { server: 0, checker: 1, up: false, finding: REFUSED, now: NOW, why: "" };
  expect(checkerResult(down, order, { ...RULES, noCheckerMail: true }).effects).toEqual([]);
  expect(checkerResult(down, order, RULES).effects.map(({ kind }) => kind)).toEqual(["mail"]);
});

test("inhibit_on_failure keeps the server with weight 0, also before its first success", () => {
  const down = result(begun(service("inhibit_on_failure", [real(10), real(11)])).pool, 0, false);
  expect(weights(down.pool)).toEqual({ "192.0.2.10:80": 0, "192.0.2.11:80": 1 });
  expect(told(down.effects)[0]).toBe("Disabling service [192.0.2.10]:tcp:80 of VS [192.0.2.1]:tcp:80");
  expect(told(result(down.pool, 0, true).effects)[0]).toBe(
    "Enabling service [192.0.2.10]:tcp:80 of VS [192.0.2.1]:tcp:80",
  );
  expect(weights(begun(service("alpha\ninhibit_on_failure", [real(10)])).pool)).toEqual({ "192.0.2.10:80": 0 });
});

test("the quorum with hysteresis: lost below quorum - hysteresis, gained at quorum + hysteresis", () => {
  let { pool } = begun(
    service(
      "quorum 3\nhysteresis 1",
      [10, 11, 12, 13].map((octet) => real(octet)),
    ),
  );
  const down = (server: number): readonly string[] => {
    const step = result(pool, server, false);
    pool = step.pool;
    return told(step.effects).filter((text) => text.includes("quorum"));
  };
  expect(down(0)).toEqual([]);
  expect(down(1)).toEqual([]);
  expect(down(2)).toEqual(["Lost quorum 3-1=2 > 1 for VS [192.0.2.1]:tcp:80"]);
  const up = (server: number): readonly string[] => {
    const step = result(pool, server, true);
    pool = step.pool;
    return told(step.effects).filter((text) => text.includes("quorum"));
  };
  expect(up(0)).toEqual([]);
  expect(up(1)).toEqual([]);
  expect(up(2)).toEqual(["Gained quorum 3+1=4 <= 4 for VS [192.0.2.1]:tcp:80"]);
});

test("the sorry server stands in for all while the quorum is lost", () => {
  const config = service("quorum 2\nsorry_server 192.0.2.99 80", [real(10), real(11)]);
  const lost = result(begun(config).pool, 0, false);
  expect(weights(lost.pool)).toEqual({ "192.0.2.99:80": 1 });
  expect(told(lost.effects).filter((text) => !text.startsWith("|") && !text.startsWith("mail"))).toEqual([
    "Removing service [192.0.2.10]:tcp:80 from VS [192.0.2.1]:tcp:80",
    "Lost quorum 2-0=2 > 1 for VS [192.0.2.1]:tcp:80",
    "Adding sorry server [192.0.2.99]:tcp:80 to VS [192.0.2.1]:tcp:80",
    "Removing alive servers from the pool for VS [192.0.2.1]:tcp:80",
  ]);
  const gained = result(lost.pool, 0, true);
  expect(weights(gained.pool)).toEqual({ "192.0.2.10:80": 1, "192.0.2.11:80": 1 });
  expect(told(gained.effects)).toContain("Removing sorry server [192.0.2.99]:tcp:80 from VS [192.0.2.1]:tcp:80");
});

test("a sorry server with inhibit stays with weight 0, and one that is a real server too is there once", () => {
  const inhibited = begun(service("sorry_server 192.0.2.99 80\nsorry_server_inhibit", [real(10)]));
  expect(weights(inhibited.pool)).toEqual({ "192.0.2.10:80": 1, "192.0.2.99:80": 0 });
  const twin = service("inhibit_on_failure\nsorry_server 192.0.2.10 80\nsorry_server_inhibit", [real(10), real(11)]);
  let { pool } = begun(twin);
  expect(weights(pool)).toEqual({ "192.0.2.10:80": 1, "192.0.2.11:80": 1 });
  for (const server of [0, 1]) pool = result(pool, server, false).pool;
  expect(weights(pool)).toEqual({ "192.0.2.10:80": 1, "192.0.2.11:80": 0 });
});

test("with alpha and a sorry server the start says that the quorum is down", () => {
  const { pool, effects } = begun(service("alpha\nsorry_server 192.0.2.99 80", [real(10)]));
  expect(weights(pool)).toEqual({ "192.0.2.99:80": 1 });
  expect(told(effects)[0]).toBe("Starting with quorum down 1-0=1 > 0 for VS [192.0.2.1]:tcp:80");
});

test("a weight that changes is told, and may cost the quorum", () => {
  const { pool } = begun(service("quorum 5", [real(10, "weight 5")]));
  const { pool: lighter, effects } = changeOffset(pool, { server: 0, checker: 0, offset: -3 });
  expect(weights(lighter)).toEqual({ "192.0.2.10:80": 2 });
  expect(told(effects).slice(0, 2)).toEqual([
    "Changing weight from 5 to 2 for active service [192.0.2.10]:tcp:80 of VS [192.0.2.1]:tcp:80",
    "Lost quorum 5-0=5 > 2 for VS [192.0.2.1]:tcp:80",
  ]);
});

test("FILE_CHECK adds the file's number times its weight; weight 0 makes it a switch", () => {
  const file = "track_file f {\nfile /run/f\n}\n";
  const scaled = service("", [real(10, "weight 10", "FILE_CHECK {\ntrack_file f\nweight 2\n}")], file);
  const begunScaled = beginPool(initialPool(scaled, new Map([["f", 3]])), RULES).pool;
  expect(weights(begunScaled)).toEqual({ "192.0.2.10:80": 16 });
  const changed = fileChanged(begunScaled, { name: "f", value: -4, now: NOW }, RULES);
  expect(weights(changed.pool)).toEqual({ "192.0.2.10:80": 2 });
  const switched = service("", [real(10, "", "FILE_CHECK {\ntrack_file f\nweight 0\n}")], file);
  const on = beginPool(initialPool(switched, new Map([["f", 0]])), RULES).pool;
  expect(weights(on)).toEqual({ "192.0.2.10:80": 1 });
  const off = fileChanged(on, { name: "f", value: 1, now: NOW }, RULES).pool;
  expect(weights(off)).toEqual({});
  expect(weights(fileChanged(off, { name: "f", value: 0, now: NOW }, RULES).pool)).toEqual({ "192.0.2.10:80": 1 });
});

test("slow_start lets the weight climb from 1 after a fall, not at the start", () => {
  const start = begun(service("slow_start 10", [real(10, "weight 100")])).pool;
  expect(weights(start)).toEqual({ "192.0.2.10:80": 100 });
  const back = result(result(start, 0, false).pool, 0, true).pool;
  const at = (passed: number) => weights(back, after(NOW, seconds(passed)))["192.0.2.10:80"];
  expect([0, 1, 5, 9.99, 10, 60].map(at)).toEqual([1, 10, 50, 99, 100, 100]);
});

test("a stop is told for each server; scripts and pipes hear of it with omega only", () => {
  const lines = 'quorum_down "/bin/q"';
  const server = real(10, 'notify_down "/bin/rs"');
  expect(told(endPool(begun(service(lines, [server])).pool, true).effects)).toEqual([
    "Shutting down service [192.0.2.10]:tcp:80 from VS [192.0.2.1]:tcp:80",
  ]);
  expect(told(endPool(begun(service(`omega\n${lines}`, [server])).pool, true).effects)).toEqual([
    "Shutting down service [192.0.2.10]:tcp:80 from VS [192.0.2.1]:tcp:80",
    "notify_down /bin/rs",
    "| RS [192.0.2.10]:tcp:80 [192.0.2.1]:tcp:80 DOWN",
    "mail: Realserver [192.0.2.10]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - DOWN: => Shutting down <=",
    "quorum_down /bin/q",
    "| VS [192.0.2.1]:tcp:80 DOWN",
  ]);
});

test("a reload keeps what stays: a server that is down stays down, one that is gone is told, a new one comes in", () => {
  const old = result(begun(service("", [real(10), real(11)])).pool, 0, false).pool;
  const config = service("weight 4", [real(10), real(12)]);
  const { pool, effects } = adoptPool(old, { config, files: new Map(), rules: RULES, now: NOW });
  expect(weights(pool)).toEqual({ "192.0.2.12:80": 4 });
  expect(told(effects)[0]).toBe("Removing service [192.0.2.11]:tcp:80 from VS [192.0.2.1]:tcp:80");
  expect(weights(result(pool, 0, true).pool)).toEqual({ "192.0.2.10:80": 4, "192.0.2.12:80": 4 });
});

test("a reload with another checker on a server that is up does not take it out, even with alpha", () => {
  const old = begun(service("", [real(10)])).pool;
  const config = service("alpha", [real(10, "", "TCP_CHECK {\nconnect_port 81\n}")]);
  const { pool, effects } = adoptPool(old, { config, files: new Map(), rules: RULES, now: NOW });
  expect(weights(pool)).toEqual({ "192.0.2.10:80": 1 });
  expect(told(effects)).toEqual([]);
});

test("a reload that says the same leaves a pool alone, whatever its checks have found", () => {
  const lines = [
    "",
    "alpha",
    "quorum 2\nhysteresis 1",
    "sorry_server 192.0.2.99 80",
    "alpha\nquorum 3\nsorry_server 192.0.2.99 80",
  ];
  const configs = lines.map((line) => service(line, [real(10), real(11, "inhibit_on_failure"), real(12, "weight 2")]));
  const results = fc.array(fc.record({ server: fc.nat({ max: 2 }), up: fc.boolean() }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...configs), results, (config, found) => {
      const pool = found.reduce((now, { server, up }) => result(now, server, up).pool, begun(config).pool);
      const again = adoptPool(pool, { config: structuredClone(config), files: new Map(), rules: RULES, now: NOW });
      expect(told(again.effects)).toEqual([]);
      expect(weights(again.pool)).toEqual(weights(pool));
      expect([again.pool.quorumUp, again.pool.sorryAlive]).toEqual([pool.quorumUp, pool.sorryAlive]);
      expect(again.pool.servers.map(({ alive }) => alive)).toEqual(pool.servers.map(({ alive }) => alive));
    }),
  );
});

test("a group's services have each server with their own port", () => {
  const text =
    "virtual_server_group web {\n192.0.2.1 80\n192.0.2.2 81\n}\nvirtual_server group web {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\nreal_server 192.0.2.10 {\n}\nreal_server 192.0.2.11 8080 {\n}\n}\n";
  const [config] = loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config.lvs.servers;
  if (config === undefined) throw new Error("no virtual server");
  const table = wantedServices(begun(config).pool, NOW);
  expect(table.map(({ destinations }) => destinations.map(({ port }) => port))).toEqual([
    [80, 8080],
    [81, 8080],
  ]);
});
