import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { firstFinding, freePort, type Opened, tcpServer, udpServer } from "./testing/checker-rig.suite.ts";

const opened: Opened[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function serving(serve: Parameters<typeof tcpServer>[0]): Promise<number> {
  const server = await tcpServer(serve);
  opened.push(server);
  return server.port;
}

async function answering(answer: Parameters<typeof udpServer>[0]): Promise<number> {
  const server = await udpServer(answer);
  opened.push(server);
  return server.port;
}

const OK = '{"kind":"ok"}';

test("TCP_CHECK: a listener, nobody, and a bindto that the host has not", async () => {
  const port = await serving(() => undefined);
  expect(await firstFinding("TCP_CHECK {\n}", port)).toBe(OK);
  expect(await firstFinding("TCP_CHECK {\nbindto 127.0.0.9\n}", port)).toBe(OK);
  expect(await firstFinding("TCP_CHECK {\n}", await freePort())).toContain('"problem":"refused"');
  expect(await firstFinding("TCP_CHECK {\nbindto 192.0.2.77\n}", port)).toContain("EADDRNOTAVAIL");
});

test("TCP_CHECK: a listener whose queue is full answers too late", async () => {
  // A packet to TEST-NET-1 goes nowhere, or is refused by a router that says so.
  const finding = await firstFinding("TCP_CHECK {\nconnect_ip 192.0.2.200\nconnect_timeout 0.2\n}", 80);
  expect(finding).toMatch(/"problem":"(timeout|unreachable)"/);
});

const BODY = "hello world\n";
const page = (status: string, headers = ""): string => `HTTP/1.0 ${status}\r\n${headers}\r\n${BODY}`;
const http = (lines: string, more = ""): string => `HTTP_GET {\n${more}\nurl {\npath /x\n${lines}\n}\n}`;

test("HTTP_GET: status, digest, regular expression", async () => {
  const asked: string[] = [];
  const port = await serving((socket) => {
    socket.once("data", (bytes) => {
      asked.push(bytes.toString());
      socket.end(page(bytes.toString().includes("/x") ? "200 OK" : "404 Not Found"));
    });
  });
  const digest = createHash("md5").update(BODY).digest("hex");
  expect(await firstFinding(http(""), port)).toBe(OK);
  expect(await firstFinding(http("status_code 201 300-399"), port)).toContain('"status":200');
  expect(await firstFinding(http(`digest ${digest}`), port)).toBe(OK);
  expect(await firstFinding(http(`digest ${"0".repeat(32)}`), port)).toContain(`"got":"${digest}"`);
  expect(await firstFinding(http('regex "^hel+o"'), port)).toBe(OK);
  expect(await firstFinding(http('regex "^hel+o"\nregex_no_match'), port)).toContain('"matched":true');
  expect(await firstFinding(http('regex "world"\nregex_max_offset 3'), port)).toContain('"matched":false');
  expect(await firstFinding(http('regex "HELLO"\nregex_options caseless'), port)).toBe(OK);
  await firstFinding(http("virtualhost www.example", "http_protocol 1.1"), port);
  expect(asked[0]).toBe(`GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  expect(asked.at(-1)).toBe(
    "GET /x HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: www.example\r\n\r\n",
  );
});

test("HTTP_GET: the digest ends with Content-Length", async () => {
  const port = await serving((socket) => socket.end(page("200 OK", "Content-Length: 5\r\n")));
  const digest = createHash("md5").update("hello").digest("hex");
  expect(await firstFinding(http(`digest ${digest}`), port)).toBe(OK);
});

test("HTTP_GET: garbage, silence, a connection that is cut or hangs", async () => {
  const garbage = await serving((socket) => socket.end("\x00\x01 no http\r\n\r\n"));
  expect(await firstFinding(http(""), garbage)).toContain('"status":0');
  const cut = await serving((socket) => socket.once("data", () => socket.destroy()));
  expect(await firstFinding(http(""), cut)).toContain('"kind":"no-answer"');
  const hanging = await serving((socket) => void socket.write("HTTP/1.0 200 OK\r\n\r\nhalf"));
  expect(await firstFinding(http(""), hanging)).toContain('"how":"timeout"');
  const mute = await serving(() => undefined);
  expect(await firstFinding(http(""), mute)).toContain('"how":"timeout"');
  expect(await firstFinding(http(""), await freePort())).toContain('"problem":"refused"');
});

test("HTTP_GET: a slow answer is right as long as each piece comes in time", async () => {
  const port = await serving((socket) => {
    const pieces = ["HTTP/1.0 200 OK\r\n", "\r\n", "a", "b", "c"];
    const next = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) socket.end();
      else socket.write(piece, () => setTimeout(next, 150));
    };
    socket.once("data", next);
  });
  expect(await firstFinding(http(""), port)).toBe(OK);
});

test("SSL_GET: a server without TLS", async () => {
  const port = await serving((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n"));
  expect(await firstFinding(http("").replace("HTTP_GET", "SSL_GET"), port)).toContain('"kind":"tls"');
});

test("SMTP_CHECK: the dialogue, another greeting, silence", async () => {
  const said: string[] = [];
  const smtp = (greeting: string, helo: string) => (socket: import("node:net").Socket) => {
    socket.write(greeting);
    socket.on("data", (bytes) => {
      said.push(bytes.toString());
      socket.write(bytes.toString().startsWith("HELO") ? helo : "221 bye\r\n");
    });
  };
  const good = await serving(smtp("220 mail.example\r\n", "250 hello\r\n"));
  expect(await firstFinding("SMTP_CHECK {\nhelo_name me.example\n}", good)).toBe(OK);
  expect(said).toEqual(["HELO me.example\r\n", "QUIT\r\n"]);
  const busy = await serving(smtp("554 go away\r\n", ""));
  expect(await firstFinding("SMTP_CHECK {\n}", busy)).toContain('"what":"banner","got":"554 go away"');
  const rude = await serving(smtp("220 x\r\n", "501 no\r\n"));
  expect(await firstFinding("SMTP_CHECK {\n}", rude)).toContain('"what":"HELO"');
  const mute = await serving(() => undefined);
  expect(await firstFinding("SMTP_CHECK {\n}", mute)).toContain('"how":"timeout"');
  const cut = await serving((socket) => socket.destroy());
  expect(await firstFinding("SMTP_CHECK {\n}", cut)).toContain('"how":"closed"');
});

test("UDP_CHECK: silence is success, a refusal is not; a wanted answer is compared", async () => {
  const echo = await answering((bytes) => bytes);
  const mute = await answering(() => null);
  expect(await firstFinding("UDP_CHECK {\n}", mute)).toBe(OK);
  expect(await firstFinding("UDP_CHECK {\n}", await freePort())).toContain('"problem":"refused"');
  expect(await firstFinding("UDP_CHECK {\nrequire_reply\n}", mute)).toContain('"how":"timeout"');
  expect(await firstFinding("UDP_CHECK {\npayload 01 02 03\nrequire_reply 01 xx 03\n}", echo)).toBe(OK);
  expect(await firstFinding("UDP_CHECK {\npayload 01 02 03\nrequire_reply 01 02 04\n}", echo)).toContain("byte 3");
  expect(await firstFinding("UDP_CHECK {\npayload 01 02 03\nrequire_reply 01\nmax_reply_length 2\n}", echo)).toContain(
    "3 bytes",
  );
});

test("DNS_CHECK: the answer to its own question, its code, somebody else's answer", async () => {
  const dns =
    (code: number, shift = 0) =>
    (question: Buffer) => {
      const answer = Buffer.from(question);
      answer.writeUInt16BE((question.readUInt16BE(0) + shift) & 0xffff, 0);
      answer.writeUInt16BE(0x8180 | code, 2);
      return answer;
    };
  const asked: Buffer[] = [];
  const good = await answering((question) => {
    asked.push(question);
    return dns(0)(question);
  });
  expect(await firstFinding("DNS_CHECK {\ntype A\nname www.example.\n}", good)).toBe(OK);
  expect(asked[0]?.subarray(2).toString("hex")).toBe("0100000100000000000003777777076578616d706c650000010001");
  expect(await firstFinding("DNS_CHECK {\n}", good)).toBe(OK);
  expect(asked[1]?.subarray(12).toString("hex")).toBe("0000060001");
  expect(await firstFinding("DNS_CHECK {\n}", await answering(dns(2)))).toBe('{"kind":"rcode","code":2}');
  expect(await firstFinding("DNS_CHECK {\n}", await answering(dns(0, 1)))).toContain('"how":"timeout"');
  expect(await firstFinding("DNS_CHECK {\n}", await answering(() => Buffer.from("x")))).toContain('"how":"timeout"');
  expect(await firstFinding("DNS_CHECK {\n}", await freePort())).toContain('"problem":"refused"');
});

test("MISC_CHECK: exit codes, a signal, a program that hangs, one that is not there", async () => {
  const misc = (command: string, more = ""): string => `MISC_CHECK {\nmisc_path "${command}"\n${more}\n}`;
  expect(await firstFinding(misc("/bin/true"), 1)).toBe(OK);
  expect(await firstFinding(misc("/bin/false"), 1)).toBe('{"kind":"exit","status":1}');
  expect(await firstFinding(misc("/bin/sh -c 'exit 7'", "misc_dynamic"), 1)).toBe(OK);
  expect(await firstFinding(misc("/bin/sh -c 'exit 7'"), 1)).toBe('{"kind":"exit","status":7}');
  expect(await firstFinding(misc("/bin/sh -c 'kill -9 $$'"), 1)).toBe(
    '{"kind":"signal","signal":"SIGKILL","number":9}',
  );
  expect(await firstFinding(misc("/bin/sleep 60", "misc_timeout 1"), 1)).toBe('{"kind":"script-timeout"}');
  expect(await firstFinding(misc("/nonexistent/check"), 1)).toContain('"kind":"script-unusable"');
});

test("REDIS_CHECK: role, link, loading, errors", async () => {
  const redis = (info: string) =>
    serving((socket) => {
      socket.on("data", () => void socket.write(`$${info.length}\r\n${info}\r\n`));
    });
  const replica = "redis_version:7.0.15\r\nrun_id:a\r\nrole:slave\r\nloading:0\r\nmaster_link_status:up\r\n";
  expect(await firstFinding("REDIS_CHECK {\n}", await redis(replica))).toBe(OK);
  expect(await firstFinding("REDIS_CHECK {\n}", await redis(replica.replace("up", "down")))).toContain("is down");
  expect(await firstFinding("REDIS_CHECK {\n}", await redis(replica.replace("loading:0", "loading:1")))).toContain(
    "loads",
  );
  expect(await firstFinding("REDIS_CHECK {\nrole master\n}", await redis(replica))).toContain("it is a replica");
  expect(
    await firstFinding(
      "REDIS_CHECK {\nrole master\n}",
      await redis("redis_version:7.0.15\r\nrun_id:a\r\nrole:master\r\n"),
    ),
  ).toBe(OK);
  const locked = await serving((socket) => {
    socket.on("data", () => void socket.write("-NOAUTH Authentication required.\r\n"));
  });
  expect(await firstFinding("REDIS_CHECK {\n}", locked)).toContain("NOAUTH");
});

test.skipIf(process.getuid?.() !== 0)(
  "needs root: PING_CHECK of a host that answers, and of one that does not",
  async () => {
    expect(await firstFinding("PING_CHECK {\n}", 1)).toBe(OK);
    expect(await firstFinding("PING_CHECK {\nconnect_ip ::1\n}", 1)).toBe(OK);
    expect(await firstFinding("PING_CHECK {\nconnect_ip 192.0.2.200\n}", 1)).toMatch(/timeout|unreachable/);
  },
);

test.skipIf(process.getuid?.() !== 0)("needs root: bind_if and fwmark are set on the socket", async () => {
  const port = await serving(() => undefined);
  expect(await firstFinding("TCP_CHECK {\nbind_if lo\nfwmark 7\n}", port)).toBe(OK);
  expect(await firstFinding("TCP_CHECK {\nbind_if nosuchif0\n}", port)).toContain('"problem":"unreachable"');
});
