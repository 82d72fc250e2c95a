/** Programs that end when the test says so; remembers what was started and which signals were sent. */
import { err, ok, type Result } from "../../core/lib/result.ts";
import type { Program, ProgramEnd, ProgramOutput, Spawner, Unusable } from "../../ports/spawner.ts";

export interface FakeProgram {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly signals: string[];
  running: boolean;
  end(end: ProgramEnd | number, output?: Partial<ProgramOutput>): void;
}

export interface FakeSpawner extends Spawner {
  readonly started: FakeProgram[];
  readonly running: () => readonly FakeProgram[];
  /** Set to make every command unusable. */
  unusable: Unusable | null;
  /** Programs end by themselves at SIGTERM. */
  obedient: boolean;
}

export function createFakeSpawner(): FakeSpawner {
  const started: FakeProgram[] = [];
  const spawner: FakeSpawner = {
    started,
    running: () => started.filter((program) => program.running),
    unusable: null,
    obedient: true,
    async examine(command): Promise<Result<Program, Unusable>> {
      if (spawner.unusable !== null) return err(spawner.unusable);
      const [file = "", ...args] = command.argv;
      return ok({ file, args, identity: null });
    },
    start(program, env, onEnd) {
      const fake: FakeProgram = {
        argv: [program.file, ...program.args],
        env,
        signals: [],
        running: true,
        end(end, output = {}) {
          if (!fake.running) return;
          fake.running = false;
          onEnd(typeof end === "number" ? { kind: "exit", code: end } : end, { stdout: "", stderr: "", ...output });
        },
      };
      started.push(fake);
      return {
        pid: started.length,
        signalGroup(signal) {
          fake.signals.push(signal);
          if (signal === "SIGKILL" || spawner.obedient) fake.end({ kind: "signal", signal });
        },
      };
    },
  };
  return spawner;
}
