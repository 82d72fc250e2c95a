/** The administrator's scripts in a failover, and the report that is collected for the last of them. */
import { hostname } from "node:os";
import { hostInfo, type MhaServer } from "../core/mha/config.ts";
import {
  ipFailoverStart,
  ipFailoverStop,
  reportSubject,
  reportWords,
  shownWords,
  shutdownStop,
} from "../core/mha/scripts.ts";
import { MhaError } from "./environment.ts";
import type { FailoverContext } from "./failover-context.ts";
import { endInWords, runScript } from "./programs.ts";
import { userName } from "./ssh.ts";

/** With this exit code a script asks to go on in spite of it. */
const GO_ON = 10;

export class FailoverScripts {
  readonly #context: FailoverContext;
  readonly #dead: MhaServer;
  readonly #setting = { sshUser: userName() };
  readonly #body: string[] = [];
  readonly #recovered = new Set<MhaServer>();
  #subject: string;
  #opened: MhaServer | null = null;
  readonly #answers: Promise<boolean>;
  #asked = false;
  /** Whether the dead master's host answers by ssh; a shutdown script may change that. True until it is known. */
  ssh = true;

  constructor(context: FailoverContext, dead: MhaServer, ssh: Promise<boolean>) {
    this.#context = context;
    this.#dead = dead;
    this.#answers = ssh;
    this.#subject = reportSubject(context.files.application, dead);
  }

  begin(): void {
    const { options, log } = this.#context;
    this.tell(`Master ${hostInfo(this.#dead)} is down!`);
    this.tell("");
    this.tell(`Check MHA Manager logs at ${hostname()}${log.file === null ? "" : `:${log.file}`} for details.`);
    this.tell("");
    this.tell(
      options.interactive ? "Started manual(interactive) failover." : "Started automated(non-interactive) failover.",
    );
  }

  /** One line more of the report. */
  tell(line: string): void {
    this.#body.push(line);
  }

  opened(server: MhaServer): void {
    this.#opened = server;
    this.#subject += ` to ${hostInfo(server)}`;
  }

  recovered(server: MhaServer): void {
    this.#recovered.add(server);
  }

  succeeded(): void {
    this.#subject += " succeeded";
  }

  /** Asked since the first failure: a host that is gone takes as long as ssh_connection_timeout says. */
  async hostAnswers(): Promise<boolean> {
    if (this.#asked) return this.ssh;
    this.#asked = true;
    this.ssh = await this.#answers;
    this.#context.log.warning(this.ssh ? "SSH is reachable." : "SSH is NOT reachable.");
    return this.ssh;
  }

  async shutDown(): Promise<void> {
    const { log, config } = this.#context;
    const { ipFailover, shutdown } = config.application.scripts;
    if (ipFailover !== null || shutdown !== null) await this.hostAnswers();
    if (ipFailover === null)
      log.warning("master_ip_failover_script is not set. The dead master's address is not taken away.");
    else {
      const words = [...ipFailover, ...ipFailoverStop(this.#dead, this.ssh, this.#setting)];
      const code = await this.#run("Executing master IP deactivation script:", words);
      if (code === 0) this.tell(`Invalidated master IP address on ${hostInfo(this.#dead)}`);
      else this.#goOnOr(code, "Failed to deactivate master IP");
    }
    if (shutdown === null) log.warning("shutdown_script is not set. The dead master is not powered off.");
    else await this.#powerOff(shutdown);
  }

  async #powerOff(shutdown: readonly string[]): Promise<void> {
    const words = [...shutdown, ...shutdownStop(this.#dead, this.ssh, this.#setting)];
    const code = await this.#run("Executing SHUTDOWN script:", words);
    if (code !== 0 && code !== GO_ON) throw new MhaError(`Failed to execute shutdown_script with return code ${code}`);
    this.ssh = code === GO_ON;
    this.tell(
      this.ssh
        ? `SSH reachable on ${this.#dead.hostname}. Shutting down mysqld done.`
        : `Power off ${this.#dead.hostname}.`,
    );
  }

  async activate(next: MhaServer): Promise<void> {
    const { log, config } = this.#context;
    const { ipFailover } = config.application.scripts;
    if (ipFailover === null) {
      log.warning("master_ip_failover_script is not set. The new master gets no address.");
      return;
    }
    const words = ipFailoverStart({ orig: this.#dead, next }, this.ssh, this.#setting);
    const code = await this.#run("Executing master IP activate script:", [...ipFailover, ...words]);
    if (code === 0) this.tell(`${hostInfo(next)}: OK: Activated master IP address.`);
    else this.#goOnOr(code, `Failed to activate master IP address for ${hostInfo(next)}`);
  }

  async #run(title: string, argv: readonly string[]): Promise<number> {
    const { log } = this.#context;
    log.info(title);
    log.info(`  ${shownWords(argv)}`);
    const result = await runScript(argv, log);
    log.info(`  return code ${endInWords(result)}`);
    return result.code ?? 1;
  }

  #goOnOr(code: number, message: string): void {
    const text = `${message} with return code ${code}`;
    this.tell(text);
    if (code !== GO_ON) throw new MhaError(text);
    this.#context.log.warning(`${text}. Proceeding.`);
  }

  async send(): Promise<void> {
    const { log, config, options } = this.#context;
    if (this.#body.length === 0) return;
    const body = `${this.#body.join("\n")}\n`;
    log.lines(["----- Failover Report -----", "", this.#subject, "", ...this.#body]);
    const { report } = config.application.scripts;
    if (report === null) return;
    const recovered = config.servers.filter((server) => this.#recovered.has(server));
    const words = reportWords(
      { dead: this.#dead, next: this.#opened, recovered, subject: this.#subject, body },
      options.conf,
    );
    log.info("Sending mail..");
    const result = await runScript([...report, ...words], log, { timeoutMillis: 60_000 });
    if (result.code !== 0) log.error(`Failed to send mail with return code ${endInWords(result)}`);
  }
}
