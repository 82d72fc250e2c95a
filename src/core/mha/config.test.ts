import { expect, test } from "vitest";
import { duplicate, parseMhaConfig, words } from "./config.ts";
import { withBlock, withoutBlock } from "./ini.ts";
import { PARAMETERS } from "./parameters.ts";

const APP = `
# the application
[server default]
user=mha
password='p w'  
ping_interval=1
ssh_user = dba ; a comment
[server10]
hostname=db10
[server2]
hostname=db2
candidate_master=1
port=3307
[binlog1]
hostname=logs
`;

const parse = (text: string, global: string | null = null, loaded: string | null = null) =>
  parseMhaConfig({ path: "app1.cnf", text }, global === null ? null : { path: "global.cnf", text: global }, loaded);

test("a server's own value wins over the application's, that one over the global one, and what the script prints over both", () => {
  const read = parse(
    APP,
    "[server default]\nuser=root\nremote_workdir=/var/mha\nping_interval=9\n",
    "password=secret\n",
  );
  if (!read.ok) throw new Error(read.error.join());
  const { application, servers, binlogServers } = read.value;
  expect(application).toMatchObject({ pingInterval: 1, pingType: "SELECT", workdir: "/var/tmp" });
  expect(servers.map(({ id, port }) => [id, port])).toEqual([
    ["server2", 3307],
    ["server10", 3306],
  ]);
  expect(servers[0]).toMatchObject({ user: "mha", password: "secret", candidate: true, remoteWorkdir: "/var/mha" });
  expect(servers[0]?.ssh).toMatchObject({ user: "dba", host: "db2", port: 22 });
  expect(servers[1]?.candidate).toBe(false);
  expect(binlogServers.map(({ hostname }) => hostname)).toEqual(["logs"]);
});

test("what is a server's own does not come from the defaults", () => {
  const read = parse("[server default]\ncandidate_master=1\nno_master=1\nhostname=x\n[server1]\nhostname=a\n");
  if (!read.ok) throw new Error(read.error.join());
  expect(read.value.servers[0]).toMatchObject({ hostname: "a", candidate: false, noMaster: false });
});

test("everything that is wrong is reported at once, with file and line", () => {
  const read = parse(
    "[server default]\nping_type=GUESS\nping_interval=0\nfoo=1\n[sever1]\nhostname=a\n[server2]\nport=3306\n",
  );
  expect(read.ok ? [] : read.error).toEqual([
    "app1.cnf:2: ping_type is SELECT, CONNECT or INSERT",
    "app1.cnf:3: ping_interval must be positive integer",
    "app1.cnf:4: Parameter name foo is invalid",
    expect.stringContaining("app1.cnf:7: Server server2 does not have hostname"),
    expect.stringContaining('app1.cnf:5: Block name "sever1" is invalid'),
  ]);
});

test("a script is words, not a line for a shell", () => {
  expect(words(`check -s db1 -o "a b" 'c"d' e\\ f`)).toEqual(["check", "-s", "db1", "-o", "a b", 'c"d', "e f"]);
  const read = parse("[server default]\nreport_script=mail | tee\n[server1]\nhostname=a\n");
  expect(read.ok ? "" : read.error[0]).toContain("without a shell");
});

test("one server twice is found by address and port", () => {
  const read = parse(
    "[server1]\nhostname=a\nip=10.0.0.1\n[server2]\nhostname=b\nip=10.0.0.1\n[server3]\nhostname=c\nip=10.0.0.1\nport=3307\n",
  );
  if (!read.ok) throw new Error(read.error.join());
  expect(duplicate(read.value.servers)).toContain(
    "Server server1(hostname a) and server2(hostname b) have duplicate ip:port(10.0.0.1:3306)",
  );
});

test("every parameter of MHA 0.58 is known", () => {
  const names =
    "hostname ip port ssh_host ssh_ip ssh_port ssh_connection_timeout ssh_options node_label candidate_master no_master ignore_fail skip_init_ssh_check skip_reset_slave user password repl_user repl_password disable_log_bin master_pid_file handle_raw_binlog ssh_user remote_workdir master_binlog_dir log_level manager_workdir manager_log check_repl_delay check_repl_filter latest_priority multi_tier_slave ping_interval ping_type secondary_check_script master_ip_failover_script master_ip_online_change_script shutdown_script report_script init_conf_load_script client_bindir client_libdir use_gtid_auto_pos";
  expect(PARAMETERS.map(({ name }) => name).sort()).toEqual(names.split(" ").sort());
});

test("a block is added and removed without touching the rest", () => {
  const text = "# top\n[server1]\nhostname=a\n\n# about two\n[server2]\nhostname=b\n";
  expect(withBlock(text, "server3", [["hostname", "c"]])).toBe(`${text}\n[server3]\nhostname=c\n`);
  expect(withoutBlock(text, "server1")).toBe("# top\n# about two\n[server2]\nhostname=b\n");
  expect(withoutBlock(text, "server9")).toBeNull();
});
