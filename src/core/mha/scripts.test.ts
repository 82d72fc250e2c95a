/** The arguments of administrators' scripts, compared with what MHA 0.58 hands to them for the same configuration. */
import { expect, test } from "vitest";
import { type MhaServer, parseMhaConfig } from "./config.ts";
import {
  ipFailoverStart,
  ipFailoverStop,
  onlineChange,
  reportWords,
  secondaryCheck,
  shownWords,
  shutdownStop,
} from "./scripts.ts";

function servers(...lines: readonly string[]): readonly [MhaServer, MhaServer] {
  const text = [
    "[server default]",
    "user=mha",
    "password=p'w",
    ...lines,
    "[server1]",
    "hostname=db1",
    "ip=10.0.0.1",
    "[server2]",
    "hostname=db2",
    "ip=10.0.0.2",
    "ssh_host=adm2",
    "ssh_ip=10.1.0.2",
  ];
  const read = parseMhaConfig({ path: "a.cnf", text: text.join("\n") }, null);
  if (!read.ok) throw new Error(read.error.join());
  return read.value.servers as unknown as readonly [MhaServer, MhaServer];
}

const SETTING = { sshUser: "root" };
const ORIG = ["--orig_master_host=db1", "--orig_master_ip=10.0.0.1", "--orig_master_port=3306"];
const NEXT = ["--new_master_host=db2", "--new_master_ip=10.0.0.2", "--new_master_port=3306"];

test("ssh_host, ssh_ip and ssh_port are told where they are not what a script assumes", () => {
  const [orig, next] = servers("ssh_port=2222", "ssh_user=dba");
  expect(ipFailoverStart({ orig, next }, false, SETTING)).toEqual([
    "--command=start",
    "--ssh_user=dba",
    ...ORIG,
    ...NEXT,
    "--new_master_user=mha",
    "--orig_master_ssh_port=2222",
    "--new_master_ssh_host=adm2",
    "--new_master_ssh_ip=10.1.0.2",
    "--new_master_ssh_port=2222",
    "--new_master_password=p'w",
  ]);
});

test("stopssh names the user, stop does not; ssh_options go with the first server only", () => {
  const [orig, next] = servers("ssh_options=-i /key", "ssh_connection_timeout=7", "master_pid_file=/run/mysqld.pid");
  expect(ipFailoverStop(orig, false, SETTING)).toEqual([
    ...ORIG,
    "--command=stop",
    "--ssh_options=-o StrictHostKeyChecking=no -o PasswordAuthentication=no -o BatchMode=yes -o ConnectTimeout=7 -i /key",
  ]);
  expect(shutdownStop(orig, true, SETTING)).toEqual([
    "--command=stopssh",
    "--ssh_user=root",
    "--host=db1",
    "--ip=10.0.0.1",
    "--port=3306",
    "--pid_file=/run/mysqld.pid",
    expect.stringMatching(/^--ssh_options=.*ServerAliveInterval=60.* -i \/key$/),
  ]);
  const online = onlineChange("stop", { orig, next }, { ...SETTING, staysAsReplica: false });
  expect(online.filter((word) => word.startsWith("--ssh_options="))).toHaveLength(1);
  expect(online).not.toContain("--orig_master_is_new_slave");
});

test("the secondary check gets account and ping type; the log does not get the password", () => {
  const [orig] = servers();
  const words = secondaryCheck(orig, "INSERT", SETTING);
  expect(words).toEqual([
    "--user=root",
    "--master_host=db1",
    "--master_ip=10.0.0.1",
    "--master_port=3306",
    "--master_user=mha",
    "--master_password=p'w",
    "--ping_type=INSERT",
  ]);
  expect(shownWords(words)).toContain("--master_password=xxx --ping_type=INSERT");
});

test("a report of a failover that opened nobody names no new master", () => {
  const [dead, next] = servers();
  const report = { dead, recovered: [], subject: "s", body: "b\nc" };
  expect(reportWords({ ...report, next: null }, "a.cnf")).toEqual([
    "--orig_master_host=db1",
    "--conf=a.cnf",
    "--subject=s",
    "--body=b\nc",
  ]);
  expect(reportWords({ ...report, next, recovered: [next] }, "a.cnf").slice(1, 3)).toEqual([
    "--new_master_host=db2",
    "--new_slave_hosts=db2",
  ]);
});
