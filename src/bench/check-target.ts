/**
 * What the checks of a benchmark ask, a program of its own because it runs in the contestant's network: counts connections, answers a GET with
 * 200. "count" on standard input prints how many there were; after "fail" the next GET gets 503, and its time (Unix, milliseconds) is printed;
 * "mend" ends that.
 */
import { createServer } from "node:net";
import { createInterface } from "node:readline";

let connections = 0;
let state: "well" | "failing" | "failed" = "well";

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const answer = (status: string): string => `HTTP/1.0 ${status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`;

const server = createServer((socket) => {
  connections++;
  socket.on("error", () => undefined);
  socket.once("data", () => {
    if (state === "failing") {
      state = "failed";
      say(`failed ${performance.timeOrigin + performance.now()}`);
    }
    socket.end(answer(state === "well" ? "200 OK" : "503 Unavailable"));
  });
  socket.once("end", () => socket.end());
});
server.listen({ port: Number(process.argv[2]), host: "0.0.0.0", backlog: 4_096 }, () => say("ready"));

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  if (line === "count") say(`count ${connections}`);
  else if (line === "fail") state = "failing";
  else if (line === "mend") state = "well";
});
input.on("close", () => process.exit(0));
