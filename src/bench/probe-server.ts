/**
 * Runs on a host under test: answers each UDP datagram with the host's name. Bound to the wildcard address, so it
 * answers for the virtual address exactly while the host carries it.
 * Usage: probe-server NAME PORT
 */
import { createSocket } from "node:dgram";

const [name = "?", port = "0"] = process.argv.slice(2);
const socket = createSocket("udp4");
const answer = Buffer.from(name);
socket.on("message", (_message, sender) => socket.send(answer, sender.port, sender.address));
socket.bind(Number(port), "0.0.0.0", () => process.stdout.write("ready\n"));
