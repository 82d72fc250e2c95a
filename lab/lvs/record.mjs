/*
 * Records what ipvsadm and keepalived say to a real kernel, and what it answers, as test data for the codec in src/core/lvs/ipvs:
 *   lab/ipvs-vm/run.sh --modules nlmon --rw src/core/lvs/ipvs -- node lab/lvs/record.mjs src/core/lvs/ipvs/recorded.suite.ts
 * A netlink monitor (nlmon) shows every message; the port of a message is the process id of who sent it.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const CAPTURE = "/run/ipvs.pcap";
const PID_BITS = 22;
const NETLINK_GENERIC = 16;
/** Of struct pcap, of one packet in it, of the cooked header that LINKTYPE_NETLINK puts before each packet. */
const [FILE_HEADER, PACKET_HEADER, COOKED_HEADER] = [24, 16, 16];

const COMMANDS = `
ipvsadm -A -t 10.9.0.1:80 -s wrr -p 120 -M 255.255.255.0
ipvsadm -a -t 10.9.0.1:80 -r 10.9.0.11:8080 -m -w 3 -x 100 -y 50
ipvsadm -a -t 10.9.0.1:80 -r 10.9.0.12:80 -g -w 1
ipvsadm -a -t 10.9.0.1:80 -r 10.9.0.13:80 -i -w 2 --tun-type gue --tun-port 6080 --tun-csum
ipvsadm -e -t 10.9.0.1:80 -r 10.9.0.12:80 -g -w 0
ipvsadm -A -u [2001:db8::1]:53 -s sh -b sh-port,sh-fallback -o
ipvsadm -a -u [2001:db8::1]:53 -r [2001:db8::11]:53 -i -w 1
ipvsadm -A --sctp-service 10.9.0.1:9899 -s lc
ipvsadm -A -u 10.9.0.1:5060 -s rr -p 60 --pe sip
ipvsadm -A -f 7 -s mh -b mh-port
ipvsadm -A -f 8 -6 -s fo
ipvsadm -a -f 7 -r 10.9.0.14 -g
ipvsadm -E -f 7 -s rr
ipvsadm -A -f 7 -s rr
ipvsadm -a -f 9 -r 10.9.0.14 -g
ipvsadm --set 900 120 300
ipvsadm --start-daemon master --mcast-interface lo --syncid 5 --sync-maxlen 1400 --mcast-group 224.0.0.82 --mcast-port 8849 --mcast-ttl 2
ipvsadm --start-daemon backup --mcast-interface lo --syncid 6
ipvsadm -L -n --daemon
ipvsadm -L -n --timeout
ipvsadm -S -n
ipvsadm --stop-daemon backup
ipvsadm --stop-daemon master
ipvsadm -d -t 10.9.0.1:80 -r 10.9.0.12:80
ipvsadm -D -f 7
ipvsadm -Z
ipvsadm -C
`;

const KEEPALIVED = `
global_defs {
  lvs_timeouts tcp 700 tcpfin 70 udp 77
  lvs_sync_daemon lo id 9 maxlen 1300 port 8850 ttl 3 group 224.0.0.83
  lvs_flush
}
virtual_server 10.9.0.1 80 {
  lvs_sched wrr
  lvs_method DR
  protocol TCP
  persistence_timeout 90
  persistence_granularity 255.255.0.0
  real_server 10.9.0.11 80 { weight 4
    uthreshold 40
    lthreshold 20
  }
  real_server 10.9.0.12 80 { weight 2
    lvs_method NAT
  }
}
virtual_server fwmark 12 {
  lvs_sched sh
  lvs_method TUN
  sh-port
  ops
  protocol UDP
  real_server 10.9.0.13 { weight 1 }
}
virtual_server 2001:db8::5 53 {
  lvs_sched mh
  lvs_method NAT
  protocol UDP
  mh-port
  real_server 2001:db8::11 5353 { weight 1 }
}
`;

/** By process id; tcpdump and this process are not among them. */
const names = new Map();

function run(command) {
  const [program, ...args] = command.split(" ");
  const { pid } = spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  names.set(pid, command);
}

async function runKeepalived() {
  writeFileSync("/run/keepalived.conf", KEEPALIVED);
  const daemon = spawn(
    "keepalived",
    ["-n", "-l", "-C", "-f", "/run/keepalived.conf", "-p", "/run/k.pid", "-c", "/run/kc.pid"],
    {
      stdio: "ignore",
    },
  );
  await sleep(4_000);
  names.set(daemon.pid, "keepalived");
  names.set(Number(readFileSync("/run/kc.pid", "utf8")), "keepalived");
  daemon.kill("SIGTERM");
  await new Promise((resolve) => daemon.on("exit", resolve));
}

/** The datagrams of generic netlink in the capture. */
function* datagrams(bytes) {
  for (let at = FILE_HEADER; at + PACKET_HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8);
    const packet = bytes.subarray(at + PACKET_HEADER, at + PACKET_HEADER + length);
    if (packet.readUInt16BE(14) === NETLINK_GENERIC) yield packet.subarray(COOKED_HEADER);
    at += PACKET_HEADER + length;
  }
}

function* messages(bytes) {
  for (const datagram of datagrams(bytes)) {
    for (let at = 0; at + 16 <= datagram.length; at += (datagram.readUInt32LE(at) + 3) & ~3) {
      yield datagram.subarray(at, at + datagram.readUInt32LE(at));
    }
  }
}

mkdirSync("/run/keepalived", { recursive: true });
spawnSync("ip", ["link", "add", "nlmon0", "type", "nlmon"]);
spawnSync("ip", ["link", "set", "nlmon0", "up"]);
spawnSync("ip", ["addr", "add", "10.9.0.1/24", "dev", "lo"]);
const capture = spawn("tcpdump", ["-i", "nlmon0", "-Z", "root", "-s", "65535", "-U", "-w", CAPTURE], {
  stdio: "ignore",
});
await sleep(1_500);
for (const command of COMMANDS.trim().split("\n")) run(command);
await runKeepalived();
await sleep(500);
capture.kill("SIGTERM");
await new Promise((resolve) => capture.on("exit", resolve));

const REQUEST = 1;
/** libipvs looks the family up again before each request: one of those is enough. */
const GENL_ID_CTRL = 16;
const GET_INFO = 15;
const seen = new Set();
const again = (message) => {
  const kind = message.readUInt16LE(4) === GENL_ID_CTRL ? "lookup" : message[16] === GET_INFO ? "info" : null;
  if (kind === null) return false;
  const repeated = seen.has(kind);
  seen.add(kind);
  return repeated;
};
const exchanges = [];
const open = new Map();
for (const message of messages(readFileSync(CAPTURE))) {
  const command = names.get(message.readUInt32LE(12) & ((1 << PID_BITS) - 1));
  if (command === undefined) continue;
  const key = `${message.readUInt32LE(12)} ${message.readUInt32LE(8)}`;
  const isRequest = message.readUInt16LE(4) >= 16 && (message.readUInt16LE(6) & REQUEST) === REQUEST;
  if (isRequest) {
    if (again(message)) continue;
    const exchange = { command, request: message.toString("hex"), answers: [] };
    open.set(key, exchange);
    exchanges.push(exchange);
  } else open.get(key)?.answers.push(message.toString("hex"));
}
const kernel = spawnSync("uname", ["-r"]).stdout.toString().trim();
const lines = exchanges.map(
  ({ command, request, answers }) =>
    `  { command: ${JSON.stringify(command)}, request: "${request}", answers: ${JSON.stringify(answers)} },`,
);
writeFileSync(
  process.argv[2],
  `/** What ipvsadm 1.31 and keepalived 2.2.7 said to Linux ${kernel}, and its answers: written by lab/lvs/record.mjs. */
export interface Exchange {
  readonly command: string;
  /** One netlink message, in hexadecimal digits. */
  readonly request: string;
  readonly answers: readonly string[];
}

export const RECORDED: readonly Exchange[] = [
${lines.join("\n")}
];
`,
);
process.stdout.write(`${exchanges.length} exchanges\n`);
