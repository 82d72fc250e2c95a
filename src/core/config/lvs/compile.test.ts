import { expect, test } from "vitest";
import { seconds } from "../../lib/units.ts";
import { keyText, serviceKeys } from "../../lvs/service-keys.ts";
import { loadConfig } from "../load.ts";
import { memorySource } from "../memory-source.ts";

function load(text: string, files: Readonly<Record<string, string>> = {}) {
  const loaded = loadConfig(memorySource({ "/k.conf": text, ...files }), "/k.conf");
  const remedies = loaded.diagnostics.map(({ code, message, remedy }) => `${code}: ${message} = ${remedy}`);
  return { lvs: loaded.config.lvs, said: remedies.join("\n"), codes: loaded.diagnostics.map(({ code }) => code) };
}

const service = (lines: string, head = "192.0.2.1 80"): string => `virtual_server ${head} {\n${lines}\n}\n`;
const BASE = "lvs_sched rr\nlvs_method NAT\nprotocol TCP\n";
const SERVER = "real_server 192.0.2.10 80 {\nTCP_CHECK {\n}\n}\n";

test("defaults are keepalived's", () => {
  const { lvs, codes } = load(service(BASE + SERVER));
  const [server] = lvs.servers;
  expect(server).toMatchObject({
    name: "[192.0.2.1]:tcp:80",
    family: 4,
    protocol: "tcp",
    scheduler: "rr",
    flags: { onePacket: false, flag1: false, flag2: false, flag3: false },
    persistence: null,
    quorum: 1,
    hysteresis: 0,
    sorryServer: null,
    alpha: false,
    omega: false,
    haSuspend: false,
    onlyOnMaster: null,
    mail: false,
  });
  expect(server?.realServers[0]).toMatchObject({
    name: "[192.0.2.10]:tcp:80",
    port: 80,
    weight: 1,
    forwarding: { method: "nat", tunnel: null },
    upperThreshold: 0,
    lowerThreshold: 0,
    inhibitOnFailure: false,
    mail: true,
  });
  expect(server?.realServers[0]?.checkers[0]).toMatchObject({
    kind: "tcp",
    timing: {
      delayLoop: seconds(60),
      retry: 1,
      delayBeforeRetry: seconds(1),
      warmup: seconds(60),
      alpha: false,
      logAllFailures: false,
    },
    connection: { address: "192.0.2.10", port: 80, timeout: seconds(5), bindAddress: null, bindPort: 0, mark: 0 },
  });
  expect(codes.filter((code) => code !== "safety-not-done")).toEqual([]);
});

test("retry and its delay depend on the checker, unless the file says them", () => {
  const checkers = [
    "MISC_CHECK {\nmisc_path /bin/true\n}",
    "DNS_CHECK {\n}",
    "SSL_GET {\nurl {\npath /\n}\n}",
    "PING_CHECK {\n}",
  ];
  const timing = (extra: string) =>
    load(
      service(`${BASE}delay_loop 7\n${extra}real_server 192.0.2.10 80 {\n${checkers.join("\n")}\n}\n`),
    ).lvs.servers[0]?.realServers[0]?.checkers.map((one) =>
      one.kind === "file" ? [] : [one.timing.retry, one.timing.delayBeforeRetry / 1e6],
    );
  expect(timing("")).toEqual([
    [0, 1],
    [3, 7],
    [1, 3],
    [1, 1],
  ]);
  expect(timing("retry 4\ndelay_before_retry 2\n")).toEqual([
    [4, 2],
    [4, 2],
    [4, 2],
    [4, 2],
  ]);
});

test("a real server overrides its virtual server, and a checker its real server", () => {
  const { lvs } = load(
    service(
      `${BASE}delay_loop 10\nconnect_timeout 3\nalpha\ninhibit_on_failure\nweight 5\nreal_server 192.0.2.10 80 {\nalpha no\ninhibit_on_failure no\nweight 9\ndelay_loop 4\nTCP_CHECK {\ndelay_loop 2\nalpha yes\n}\nPING_CHECK {\n}\n}\n${SERVER.replace(".10", ".11")}`,
    ),
  );
  const [first, second] = lvs.servers[0]?.realServers ?? [];
  expect(first).toMatchObject({ alpha: false, inhibitOnFailure: false, weight: 9 });
  expect(second).toMatchObject({ alpha: true, inhibitOnFailure: true, weight: 5 });
  expect(first?.checkers).toMatchObject([
    { timing: { delayLoop: seconds(2), alpha: true }, connection: { timeout: seconds(3) } },
    { timing: { delayLoop: seconds(4), alpha: false } },
  ]);
});

test("a scheduler that is misspelt is answered with what was meant", () => {
  const { said } = load(service(BASE.replace("rr", "rrr") + SERVER));
  expect(said).toContain("`rrr` is no value for `lvs_sched` = did you mean `rr`?");
});

test("a misspelt method, protocol or group is answered with what was meant", () => {
  const { said } = load(
    `virtual_server_group web {\n192.0.2.5 80\n}\n${service(BASE.replace("NAT", "NTA").replace("TCP", "TPC") + SERVER)}${service(BASE + SERVER, "group wbe")}`,
  );
  expect(said).toContain("did you mean `NAT`?");
  expect(said).toContain("did you mean `TCP`?");
  expect(said).toContain("did you mean `web`?");
});

test("a group stands for one service of each address and mark", () => {
  const { lvs } = load(
    `virtual_server_group web {\n192.0.2.5 80\n192.0.2.8-10 80\n192.0.2.16/31 81\nfwmark 7\n}\n${service(BASE + SERVER, "group web")}${service(BASE.replace("TCP", "UDP") + SERVER, "group web")}`,
  );
  const [tcp, udp] = lvs.servers;
  expect([tcp?.name, udp?.name]).toEqual(["[web]:0", undefined]);
  expect(tcp === undefined ? [] : serviceKeys(tcp).map(keyText)).toEqual([
    "tcp [192.0.2.5]:80",
    "tcp [192.0.2.8]:80",
    "tcp [192.0.2.9]:80",
    "tcp [192.0.2.10]:80",
    "tcp [192.0.2.16]:81",
    "tcp [192.0.2.17]:81",
    "fwmark 7 IPv4",
  ]);
});

test("a group may serve several protocols, and its virtual servers are counted", () => {
  const { lvs } = load(
    `virtual_server_group web {\n192.0.2.5 80\n}\n${service(BASE + SERVER, "group web")}${service(BASE.replace("TCP", "UDP") + SERVER, "group web")}`,
  );
  expect(lvs.servers.map(({ name }) => name)).toEqual(["[web]:0", "[web]:1"]);
});

test("with DR and TUN the port is that of the service", () => {
  const dr = load(service(`${BASE.replace("NAT", "DR")}real_server 192.0.2.10 8080 {\n}\n`));
  expect(dr.lvs.servers[0]?.realServers[0]?.port).toBe(80);
  expect(dr.said).toContain("with DR it is that of the service");
  const marked = load(service("lvs_sched rr\nlvs_method TUN\nreal_server 192.0.2.10 80 {\n}\n", "fwmark 3"));
  expect(marked.lvs.servers[0]?.realServers[0]?.port).toBe(0);
});

test("the quorum is never above what the servers weigh", () => {
  const { lvs } = load(service(`${BASE}quorum 10\nhysteresis 5\n${SERVER}${SERVER.replace(".10", ".11")}`));
  expect(lvs.servers[0]).toMatchObject({ quorum: 2, hysteresis: 1 });
});

test("scheduler flags become the kernel's flags", () => {
  const flags = (lines: string) => load(service(BASE.replace("rr", "sh") + lines + SERVER)).lvs.servers[0]?.flags;
  expect(flags("sh-port\n")).toMatchObject({ flag1: false, flag2: true });
  expect(flags("sh-fallback\n")).toMatchObject({ flag1: true, flag2: false });
  expect(flags("mh-port\n")).toMatchObject({ flag1: false, flag2: false });
});

test("persistence: bare, by granularity, and because there is no port", () => {
  const persistence = (lines: string, head?: string) =>
    load(service(BASE + lines + SERVER, head)).lvs.servers[0]?.persistence;
  expect(persistence("persistence_timeout\n")).toEqual({ timeout: 360, granularity: 0xffff_ffff, engine: null });
  expect(persistence("persistence_granularity 255.255.255.0\n")).toEqual({
    timeout: 360,
    granularity: 0xffff_ff00,
    engine: null,
  });
  expect(persistence("", "192.0.2.1")).toMatchObject({ timeout: 360 });
});

test("a tunnel of another family takes part, another server does not", () => {
  const { lvs, codes } = load(
    service(
      `${BASE}real_server 2001:db8::10 80 {\nlvs_method TUN type gue port 6080 csum\n}\nreal_server 2001:db8::11 80 {\n}\n${SERVER}`,
    ),
  );
  expect(lvs.servers[0]?.realServers.map(({ address }) => address)).toEqual(["2001:db8::10", "192.0.2.10"]);
  expect(lvs.servers[0]?.realServers[0]?.forwarding).toEqual({
    method: "tun",
    tunnel: { type: "gue", port: 6080, checksum: "full" },
  });
  expect(codes).toContain("server-family");
});

test("mail goes out for real servers unless the file says otherwise, and for virtual ones if it does", () => {
  const mail = (globals: string) => {
    const [server] = load(`global_defs {\n${globals}\n}\n${service(BASE + SERVER)}`).lvs.servers;
    return [server?.mail, server?.realServers[0]?.mail];
  };
  expect(mail("")).toEqual([false, true]);
  expect(mail("smtp_alert on")).toEqual([true, true]);
  expect(mail("smtp_alert on\nsmtp_alert_checker off")).toEqual([false, false]);
});

test("lvs_sync_daemon in both of its forms, and lvs_timeouts", () => {
  const options = (line: string) => load(`global_defs {\n${line}\n}\n`).lvs.options;
  expect(
    options("lvs_sync_daemon eth1 inst VI_1 id 3 maxlen 1000 port 8849 ttl 2 group 224.0.0.82").syncDaemon,
  ).toMatchObject({
    interface: "eth1",
    instance: "VI_1",
    id: 3,
    maxLength: 1000,
    port: 8849,
    ttl: 2,
    group: "224.0.0.82",
  });
  expect(options("lvs_sync_daemon eth1 VI_2 9").syncDaemon).toMatchObject({ instance: "VI_2", id: 9 });
  expect(options("lvs_timeouts tcp 900 udp 0").timeouts).toEqual({ tcp: 900, tcpFin: null, udp: null });
});

test("MYSQL_CHECK says what a replica must be", () => {
  const { lvs, said } = load(
    service(
      `${BASE}real_server 192.0.2.10 3306 {\nMYSQL_CHECK {\ncredentials /c.cnf\nmax_lag 9\nheartbeat_table percona.heartbeat\nlag_weight\n}\n}\n`,
    ),
    { "/c.cnf": "[client]\nuser=check\npassword=x\n" },
  );
  expect(lvs.servers[0]?.realServers[0]?.checkers[0]).toMatchObject({
    kind: "mysql",
    role: "replica",
    maxLag: 9,
    rejoinLag: 3,
    heartbeatTable: "percona.heartbeat",
    lagWeight: true,
    credentials: "/c.cnf",
  });
  expect(said).toContain("0755");
});

test("UDP_CHECK reads bytes as keepalived's manual shows them", () => {
  const { lvs } = load(
    service(`${BASE}real_server 192.0.2.10 80 {\nUDP_CHECK {\npayload Ab12f 3 456\nrequire_reply 0A xB\n}\n}\n`),
  );
  expect(lvs.servers[0]?.realServers[0]?.checkers[0]).toMatchObject({
    payload: [0xab, 0x12, 0x0f, 0x03, 0x45, 0x06],
    reply: { bytes: [0x0a, 0x0b], ignore: [0, 0xf0], minLength: 0, maxLength: 255 },
  });
});
