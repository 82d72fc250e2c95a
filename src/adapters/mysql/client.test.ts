/** A server that lies, hangs or leaves: whatever it does ends one connection and is told as a value. */
import { createHash } from "node:crypto";
import dns from "node:dns";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { createSqlPort } from "./client.ts";

const servers: Server[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) server.close();
});

function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

const open = (
  port: number,
  onLost: (detail: string) => void = () => undefined,
  connectTimeoutMillis = 2_000,
  host = "127.0.0.1",
) =>
  createSqlPort().open(
    {
      address: { socket: null, host, port, reservedPort: null },
      credentials: null,
      user: "check",
      tls: { mode: "off", ca: null, cert: null, key: null },
      connectTimeoutMillis,
    },
    onLost,
  );

const packet = (sequence: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
};

/** Protocol 10, mysql_native_password, no TLS. */
const GREETING = packet(
  0,
  Buffer.concat([
    Buffer.from("\x0a10.11.18-MariaDB\0", "latin1"),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from("12345678\0"),
    Buffer.from([0xff, 0xf7, 45, 2, 0, 0x0f, 0x80, 21]),
    Buffer.alloc(10),
    Buffer.from("123456789012\0"),
    Buffer.from("mysql_native_password\0"),
  ]),
);
const OK_PACKET = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** Logs everybody in; then does as told with each statement. */
const obliging = (statement: (socket: Socket) => void) => (socket: Socket) => {
  let loggedIn = false;
  socket.write(GREETING);
  socket.on("data", () => {
    if (loggedIn) return statement(socket);
    loggedIn = true;
    socket.write(packet(2, OK_PACKET));
  });
};

const NONCE = Buffer.from("12345678123456789012");
const sha1 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** mysql_native_password's answer to the greeting above. */
function scrambled(password: string): Buffer {
  const once = sha1(Buffer.from(password));
  const mask = sha1(NONCE, sha1(once));
  return Buffer.from(once.map((byte, at) => byte ^ (mask[at] ?? 0)));
}

const DENIED_PACKET = packet(2, Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from("#28000Access denied")]));

test("a password that is changed under the daemon does not shut it out, whichever end is changed first", async () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-login-"));
  const file = join(directory, "orders.cnf");
  const state = { password: "old", tries: 0 };
  const port = await listen((socket) => {
    socket.write(GREETING);
    socket.once("data", (data) => {
      state.tries += 1;
      socket.write(data.includes(scrambled(state.password)) ? packet(2, OK_PACKET) : DENIED_PACKET);
    });
  });
  const write = (lines: string): void => writeFileSync(file, `[client]\nuser=holdfast\n${lines}`, { mode: 0o600 });
  const newPort = () => createSqlPort();
  const ask = async (sql = newPort()) => {
    state.tries = 0;
    const opened = await sql.open(
      {
        address: { socket: null, host: "127.0.0.1", port, reservedPort: null },
        credentials: file,
        user: null,
        tls: { mode: "off", ca: null, cert: null, key: null },
        connectTimeoutMillis: 2_000,
      },
      () => undefined,
    );
    if (opened.ok) opened.value.close();
    return opened.ok ? { remark: opened.value.remark, tries: state.tries } : { ...opened.error, tries: state.tries };
  };
  try {
    const daemon = newPort();
    write("password=old");
    expect(await ask(daemon)).toEqual({ remark: null, tries: 1 });
    // The file first: what got in before still does, and says that a restart would end that.
    write("password=new");
    expect(await ask(daemon)).toMatchObject({ remark: expect.stringContaining("until the daemon restarts"), tries: 2 });
    expect(await ask()).toMatchObject({ kind: "server", number: 1045, tries: 1 });
    // Both in the file: also over a restart, and whichever of them the server has.
    write("password=new\n[holdfast-other]\npassword=old");
    expect(await ask()).toMatchObject({ remark: expect.stringContaining("[holdfast-other]"), tries: 2 });
    state.password = "new";
    expect(await ask()).toEqual({ remark: null, tries: 1 });
    expect(await ask(daemon)).toEqual({ remark: null, tries: 1 });
    // What no longer counts anywhere is told as the refusal of the file's own.
    state.password = "third";
    expect(await ask(daemon)).toMatchObject({ number: 1045, tries: 2 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("nobody listens", async () => {
  const port = await listen(() => undefined);
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  for (const host of ["127.0.0.1", "localhost"]) {
    const opened = await open(port, undefined, 2_000, host);
    expect(opened).toMatchObject({ ok: false, error: { kind: "network", code: "ECONNREFUSED" } });
    expect(JSON.stringify(opened)).toContain("connect ECONNREFUSED");
  }
});

test("a server that accepts and says nothing has no connection in time", async () => {
  const port = await listen(() => undefined);
  const failure = { kind: "timeout", phase: "connect", afterMillis: 80 };
  expect(await open(port, undefined, 80)).toEqual({ ok: false, error: failure });
});

test("a host that answers has all of connect_timeout for the rest; one that does not is given up sooner", async () => {
  const port = await listen(() => undefined);
  const target = {
    credentials: null,
    user: "check",
    tls: { mode: "off", ca: null, cert: null, key: null },
    connectTimeoutMillis: 200,
    reachTimeoutMillis: 40,
  } as const;
  const ask = (host: string) =>
    createSqlPort().open({ ...target, address: { socket: null, host, port, reservedPort: null } }, () => undefined);
  const busy = await ask("127.0.0.1");
  expect(busy).toEqual({ ok: false, error: { kind: "timeout", phase: "connect", afterMillis: 200 } });
  // As long as no packet comes back the socket is connecting: a name that is never looked up is as silent as a dead host.
  vi.spyOn(dns, "lookup").mockImplementation((() => undefined) as never);
  const silent = await ask("dead.example");
  expect(silent).toEqual({ ok: false, error: { kind: "timeout", phase: "connect", afterMillis: 40 } });
});

test("a server that hangs up before or during the login is lost", async () => {
  expect(await open(await listen((socket) => socket.end()))).toMatchObject({ ok: false, error: { kind: "lost" } });
  const port = await listen((socket) => {
    socket.write(GREETING);
    socket.on("data", () => socket.destroy());
  });
  expect(await open(port)).toMatchObject({ ok: false, error: { kind: "lost" } });
});

test("an error instead of a greeting keeps its number", async () => {
  const refusal = Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from("Too many connections")]);
  const port = await listen((socket) => socket.end(packet(0, refusal)));
  expect(await open(port)).toMatchObject({ ok: false, error: { kind: "server", number: 1040 } });
});

test("a login method that is not known is named with the remedy", async () => {
  const port = await listen((socket) => {
    socket.write(GREETING);
    socket.on("data", () => socket.write(packet(2, Buffer.from("\xfeparsec\0salt", "latin1"))));
  });
  const opened = await open(port);
  expect(opened).toMatchObject({
    ok: false,
    error: { kind: "setup", detail: expect.stringContaining("method parsec") },
  });
});

test("the end of an idle connection is heard without a question, once", async () => {
  const sockets: Socket[] = [];
  const port = await listen((socket) => {
    sockets.push(socket);
    obliging(() => undefined)(socket);
  });
  const lost: string[] = [];
  const heard = new Promise<void>((resolve) => {
    void open(port, (detail) => {
      lost.push(detail);
      resolve();
    }).then((opened) => {
      expect(opened.ok).toBe(true);
      for (const socket of sockets) socket.destroy();
    });
  });
  await heard;
  await new Promise(setImmediate);
  expect(lost).toHaveLength(1);
});

test("a server that says why it ends an idle connection is heard as well", async () => {
  const sockets: Socket[] = [];
  const port = await listen((socket) => {
    sockets.push(socket);
    obliging(() => undefined)(socket);
  });
  const reason = Buffer.concat([
    Buffer.from([0xff, 0xbf, 0x0f]),
    Buffer.from("#HY000disconnected because of inactivity"),
  ]);
  const heard = await new Promise<string>((resolve) => {
    void open(port, resolve).then(() => {
      for (const socket of sockets) socket.end(packet(0, reason));
    });
  });
  expect(heard).toContain("inactivity");
});

test("a statement without an answer ends at its deadline, and the connection with it", async () => {
  const opened = await open(await listen(obliging(() => undefined)));
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const failure = { kind: "timeout", phase: "query", afterMillis: 50 };
  expect(await opened.value.query("SELECT 1", 50)).toEqual({ ok: false, error: failure });
  expect(await opened.value.query("SELECT 1", 50)).toMatchObject({ ok: false, error: { kind: "lost" } });
});

test("our own end of a connection is not told as a loss", async () => {
  let lost = 0;
  const opened = await open(await listen(obliging(() => undefined)), () => lost++);
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  opened.value.close();
  await new Promise(setImmediate);
  expect(lost).toBe(0);
});

test("an answer that mysql2 cannot decode ends that connection only", async () => {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const names = ["def", "", "", "", "x", "x"].map(text);
  const column = Buffer.concat([...names, Buffer.from([0x0c, 0xff, 0x0f, 4, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0])]);
  const end = Buffer.from([0xfe, 0, 0, 2, 0]);
  const answer = [Buffer.from([1]), column, end, text("a"), end].map((payload, at) => packet(at + 1, payload));
  const opened = await open(await listen(obliging((socket) => socket.write(Buffer.concat(answer)))));
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const asked = await opened.value.query("SELECT 1", 1_000);
  expect(asked).toMatchObject({ ok: false, error: { kind: "lost" } });
});

test("nonsense instead of a greeting or an answer is a failure, never an exception", async () => {
  // mysql2 says on the console what it cannot read.
  vi.spyOn(console, "trace").mockReturnValue(undefined);
  const noise = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(noise, fc.boolean(), async (bytes, framed) => {
      const said = framed ? packet(0, Buffer.from(bytes)) : Buffer.from(bytes);
      const greeted = await open(await listen((socket) => socket.end(said)), undefined, 500);
      expect(greeted.ok).toBe(false);
      const answer = framed ? packet(1, Buffer.from(bytes)) : Buffer.from(bytes);
      const opened = await open(await listen(obliging((socket) => socket.end(answer))));
      if (!opened.ok) throw new Error(JSON.stringify(opened.error));
      await opened.value.query("SELECT 1", 500);
      opened.value.close();
    }),
    { numRuns: 60 },
  );
});
