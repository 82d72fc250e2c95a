/**
 * The smallest MySQL client that serves the lab: one connection, text queries one after another, native password,
 * no TLS. Every step has a deadline, because a write that hangs must count as not acknowledged.
 * It is not for the daemon, and it keeps no pool.
 */
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface SqlAddress {
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
}

export type SqlRow = Readonly<Record<string, string | null>>;

export class SqlError extends Error {
  /** Server error number; 0 when the connection failed. */
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "SqlError";
    this.code = code;
  }
}

const CLIENT_PROTOCOL_41 = 0x0200;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x80000;
const CLIENT_LONG_PASSWORD = 0x1;
const UTF8MB4 = 45;
const COM_QUERY = 0x03;

export class SqlConnection {
  readonly #socket: Socket;
  #pending = Buffer.alloc(0);
  #waiting: { resolve: (packet: Buffer) => void; reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;
  #sequence = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data) => {
      this.#pending = Buffer.concat([this.#pending, data]);
      this.#deliver();
    });
    socket.on("error", (error) => this.#fail(new SqlError(0, error.message)));
    socket.on("close", () => this.#fail(new SqlError(0, "connection closed")));
  }

  static async open(address: SqlAddress, timeoutMs = 1_000): Promise<SqlConnection> {
    const socket =
      address.socketPath === undefined
        ? connect({ host: address.host ?? "127.0.0.1", port: address.port ?? 3306 })
        : connect({ path: address.socketPath });
    socket.setNoDelay(true);
    const connection = new SqlConnection(socket);
    await connection.#within(timeoutMs, () => connection.#handshake(address));
    return connection;
  }

  /** Rows of a result set; an empty list for statements without one. */
  query(sql: string, timeoutMs = 5_000): Promise<readonly SqlRow[]> {
    return this.#within(timeoutMs, async () => {
      this.#sequence = 0;
      this.#send(Buffer.concat([Buffer.from([COM_QUERY]), Buffer.from(sql)]));
      const first = await this.#receive();
      if (first[0] === 0x00) return [];
      const columns: string[] = [];
      for (let count = readLength(first, 0).value; count > 0; count--) columns.push(columnName(await this.#receive()));
      await this.#receive();
      const rows: SqlRow[] = [];
      for (;;) {
        const packet = await this.#receive();
        if (packet[0] === 0xfe && packet.length < 9) return rows;
        rows.push(readRow(packet, columns));
      }
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #handshake(address: SqlAddress): Promise<void> {
    const greeting = await this.#receive();
    const end = greeting.indexOf(0, 1);
    const seed = Buffer.concat([greeting.subarray(end + 5, end + 13), greeting.subarray(end + 32, end + 44)]);
    const flags = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH;
    const head = Buffer.alloc(32);
    head.writeUInt32LE(flags, 0);
    head.writeUInt32LE(0xffffff, 4);
    head[8] = UTF8MB4;
    const secret = scramble(address.password, seed);
    const parts = [head, Buffer.from(`${address.user}\0`), Buffer.from([secret.length]), secret];
    this.#send(Buffer.concat([...parts, Buffer.from("mysql_native_password\0")]));
    const reply = await this.#receive();
    if (reply[0] !== 0xfe) return;
    // AuthSwitchRequest: the server asks for another seed of the same method.
    const nameEnd = reply.indexOf(0, 1);
    this.#send(scramble(address.password, reply.subarray(nameEnd + 1, nameEnd + 21)));
    await this.#receive();
  }

  #send(payload: Buffer): void {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = this.#sequence++ & 0xff;
    this.#socket.write(Buffer.concat([header, payload]));
  }

  async #receive(): Promise<Buffer> {
    const packet = await new Promise<Buffer>((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      this.#waiting = { resolve, reject };
      this.#deliver();
    });
    if (packet[0] !== 0xff) return packet;
    const text = packet
      .subarray(3)
      .toString()
      .replace(/^#...../, "");
    throw new SqlError(packet.readUInt16LE(1), text);
  }

  #deliver(): void {
    if (this.#waiting === null || this.#pending.length < 4) return;
    const length = this.#pending.readUIntLE(0, 3);
    if (this.#pending.length < 4 + length) return;
    const packet = this.#pending.subarray(4, 4 + length);
    this.#sequence = (this.#pending[3] ?? 0) + 1;
    this.#pending = this.#pending.subarray(4 + length);
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(packet);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }

  async #within<T>(timeoutMs: number, body: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#fail(new SqlError(0, `no answer within ${timeoutMs} ms`));
      this.#socket.destroy();
    }, timeoutMs);
    try {
      return await body();
    } catch (error) {
      if (error instanceof SqlError && error.code === 0) this.#socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** One connection, one use. */
export async function withSql<T>(address: SqlAddress, body: (sql: SqlConnection) => Promise<T>): Promise<T> {
  const sql = await SqlConnection.open(address);
  try {
    return await body(sql);
  } finally {
    sql.close();
  }
}

function scramble(password: string, seed: Buffer): Buffer {
  if (password === "") return Buffer.alloc(0);
  const sha1 = (...data: readonly (string | Buffer)[]) => {
    const hash = createHash("sha1");
    for (const part of data) hash.update(part);
    return hash.digest();
  };
  const once = sha1(password);
  const mask = sha1(seed, sha1(once));
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

function readLength(
  packet: Buffer,
  at: number,
): { readonly value: number; readonly next: number; readonly missing: boolean } {
  const first = packet[at] ?? 0;
  if (first === 0xfb) return { value: 0, next: at + 1, missing: true };
  if (first === 0xfc) return { value: packet.readUInt16LE(at + 1), next: at + 3, missing: false };
  if (first === 0xfd) return { value: packet.readUIntLE(at + 1, 3), next: at + 4, missing: false };
  if (first === 0xfe) return { value: Number(packet.readBigUInt64LE(at + 1)), next: at + 9, missing: false };
  return { value: first, next: at + 1, missing: false };
}

function readText(packet: Buffer, at: number): { readonly text: string | null; readonly next: number } {
  const length = readLength(packet, at);
  if (length.missing) return { text: null, next: length.next };
  const next = length.next + length.value;
  return { text: packet.subarray(length.next, next).toString(), next };
}

/** Column definition: catalog, schema, table, original table, name. */
function columnName(packet: Buffer): string {
  let at = 0;
  for (let skipped = 0; skipped < 4; skipped++) at = readText(packet, at).next;
  return readText(packet, at).text ?? "";
}

function readRow(packet: Buffer, columns: readonly string[]): SqlRow {
  const row: Record<string, string | null> = {};
  let at = 0;
  for (const name of columns) {
    const field = readText(packet, at);
    row[name] = field.text;
    at = field.next;
  }
  return row;
}
