// The real client against a small mail server on loopback.
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createMailer } from "./mail.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const ANSWERS: Readonly<Record<string, string>> = { DATA: "354 go", QUIT: "221 bye" };

/** What one line is answered with: `replies` go before the ordinary answer; null while a mail is taken. */
function conversation(replies: Readonly<Record<string, string>>): (line: string) => string | null {
  let inData = false;
  return (line) => {
    if (inData && line !== ".") return null;
    const verb = inData ? "." : (line.split(/[ :]/)[0]?.toUpperCase() ?? "");
    const told = replies[verb];
    inData = verb === "DATA" && told === undefined;
    return told ?? ANSWERS[verb] ?? "250 ok";
  };
}

async function mailServer(replies: Readonly<Record<string, string>> = {}) {
  const heard: string[] = [];
  const serve = (socket: Socket): void => {
    const answer = conversation(replies);
    socket.setEncoding("utf8");
    socket.write("220 test\r\n");
    socket.on("data", (text: string) => {
      for (const line of text.split("\r\n").slice(0, -1)) {
        heard.push(line);
        const reply = answer(line);
        if (reply !== null) socket.write(`${reply}\r\n`);
      }
    });
    socket.on("error", () => undefined);
  };
  const server = createServer(serve);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { heard, port: typeof address === "object" && address !== null ? address.port : 0 };
}

const order = (port: number) => ({
  host: "127.0.0.1",
  port,
  from: "ka@example.com",
  to: ["ops@example.com", "second@example.com"],
  helo: "db1.example.com",
  timeoutMillis: 2_000,
  subject: "[NODE] VRRP Instance VI_1 - Entering MASTER state",
  body: "=> VRRP Instance is now owning VRRP VIPs <=",
  time: Date.UTC(2026, 10, 25, 22, 40, 46),
});

test("envelope, headers and body are those of keepalived's mail", async () => {
  const { heard, port } = await mailServer();
  await createMailer().send(order(port));
  expect(heard.slice(0, 4)).toEqual([
    "EHLO db1.example.com",
    "MAIL FROM:<ka@example.com>",
    "RCPT TO:<ops@example.com>",
    "RCPT TO:<second@example.com>",
  ]);
  expect(heard).toContain("From: ka@example.com");
  expect(heard).toContain("To: ops@example.com, second@example.com");
  expect(heard).toContain("Subject: [NODE] VRRP Instance VI_1 - Entering MASTER state");
  expect(heard).toContain("Date: Wed, 25 Nov 2026 22:40:46 +0000");
  expect(heard).toContain("=> VRRP Instance is now owning VRRP VIPs <=");
});

test("a server that knows no EHLO is greeted with HELO", async () => {
  const { heard, port } = await mailServer({ EHLO: "500 what" });
  await createMailer().send(order(port));
  expect(heard.slice(0, 2)).toEqual(["EHLO db1.example.com", "HELO db1.example.com"]);
});

test("what the server refuses is in the error", async () => {
  const { port } = await mailServer({ MAIL: "550 no such sender" });
  await expect(createMailer().send(order(port))).rejects.toThrow("550 no such sender");
});

test("nobody there: an error, not a wait", async () => {
  const { port } = await mailServer();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  await expect(createMailer().send(order(port))).rejects.toThrow("ECONNREFUSED");
});
