/**
 * Runs on the client host: sends a UDP datagram to the virtual address every millisecond and prints one line whenever
 * another host begins to answer, or the same one again after a gap: `WALLCLOCK_MS NAME GAP_MS`.
 * Usage: probe-client ADDRESS PORT
 */
import { createSocket } from "node:dgram";

/** Silence that counts as a gap; the client's own scheduling makes shorter ones. */
const GAP_MILLIS = 20;

const [address = "", port = "0"] = process.argv.slice(2);
const socket = createSocket("udp4");
let answering = "";
let answeredAt = 0;

const now = (): number => performance.timeOrigin + performance.now();

socket.on("message", (message) => {
  const at = now();
  const name = message.toString();
  if (name !== answering || at - answeredAt > GAP_MILLIS) {
    const gap = answeredAt === 0 ? 0 : at - answeredAt;
    process.stdout.write(`${at.toFixed(3)} ${name} ${gap.toFixed(3)}\n`);
  }
  answering = name;
  answeredAt = at;
});
// Nobody may hold the address for a while: unreachable is an expected answer.
socket.on("error", () => undefined);
socket.bind(0, () => {
  process.stdout.write("ready\n");
  setInterval(() => socket.send("?", Number(port), address, () => undefined), 1);
});
