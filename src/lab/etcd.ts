/** One etcd member for the lab, on its host's own address. Foreground servers die with this process. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./lab.ts";
import { type RunningProgram, until } from "./processes.ts";

export interface EtcdOptions {
  readonly port?: number;
  /** Files of a certificate that clients are shown; without them it speaks HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
}

export class EtcdServer {
  readonly host: LabHost;
  readonly url: string;
  readonly directory: string;
  readonly #options: EtcdOptions;
  readonly #port: number;
  program: RunningProgram | null = null;

  constructor(host: LabHost, options: EtcdOptions = {}) {
    this.host = host;
    this.#options = options;
    this.#port = options.port ?? 2379;
    this.url = `${options.tls === undefined ? "http" : "https"}://${host.address}:${this.#port}`;
    this.directory = join(host.directory, `etcd-${this.#port}`);
  }

  /** An empty store. */
  prepare(): void {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  async start(): Promise<void> {
    const { tls } = this.#options;
    const peers = `http://127.0.0.1:${this.#port + 1}`;
    this.program = this.host.spawn([
      "etcd",
      ...["--name", `m${this.#port}`, "--data-dir", this.directory],
      ...["--listen-client-urls", this.url, "--advertise-client-urls", this.url],
      ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
      ...["--initial-cluster", `m${this.#port}=${peers}`, "--initial-cluster-token", `t${this.#port}`],
      ...(tls === undefined ? [] : ["--cert-file", tls.cert, "--key-file", tls.key]),
    ]);
    const answers = async () => ((await this.ctl("get", "/").catch(() => null)) === null ? undefined : true);
    await until(answers, `etcd answers at ${this.url}`, 15_000);
  }

  /** `etcdctl WORDS...` on its host. */
  async ctl(...words: readonly string[]): Promise<string> {
    const { tls } = this.#options;
    const ca = tls === undefined ? [] : ["--cacert", tls.ca];
    const ended = await this.host.exec(["env", "ETCDCTL_API=3", "etcdctl", "--endpoints", this.url, ...ca, ...words]);
    if (ended.code !== 0) throw new Error(`etcdctl ${words.join(" ")}: ${ended.stderr}`);
    return ended.stdout;
  }

  async kill(): Promise<void> {
    await this.program?.signal("SIGKILL");
    await this.program?.exited;
    this.program = null;
  }
}
