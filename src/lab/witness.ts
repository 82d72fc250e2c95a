/** `holdfast witness` for the lab, on its host's own address. Its records stay until they are taken away. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { HOLDFAST_PROGRAM } from "./paths.ts";
import { type RunningProgram, until } from "./processes.ts";

/** `holdfast witness` and `quorum_store witness` have it as it stands, hex: and 32 bytes. */
export const WITNESS_KEY = `hex:${"5a".repeat(32)}`;

export class WitnessServer {
  readonly host: LabHost;
  readonly directory: string;
  program: RunningProgram | null = null;

  constructor(host: LabHost) {
    this.host = host;
    this.directory = join(host.directory, "witness");
  }

  /** No records. */
  prepare(): void {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  async start(...clients: readonly string[]): Promise<void> {
    const file = join(this.directory, "witness.conf");
    const lines = [`listen ${this.host.address}`, `key 1 ${WITNESS_KEY}`, `client ${clients.join(" ")}`];
    writeFileSync(file, `witness {\n${lines.map((line) => `    ${line}\n`).join("")}}\n`, { mode: 0o600 });
    const words = ["witness", "-f", file, "--state-dir", this.directory];
    const program = this.host.spawn([process.execPath, HOLDFAST_PROGRAM, ...words]);
    this.program = program;
    const listens = () => program.lines.some(({ text }) => text.includes("listening at")) || undefined;
    await until(listens, `the witness listens at ${this.host.address}`, 15_000).catch((error) => {
      throw new Error(`${String(error)}\n${program.lines.map(({ text }) => text).join("\n")}`);
    });
  }

  async kill(): Promise<void> {
    await this.program?.signal("SIGKILL");
    await this.program?.exited;
    this.program = null;
  }
}
