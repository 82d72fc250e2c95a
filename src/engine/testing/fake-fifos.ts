/** Pipes in memory: a test says how many lines they take and what has been read. */
import { err, ok } from "../../core/lib/result.ts";
import type { FifoPort } from "../../ports/fifo.ts";

export interface FakePipe {
  lines: string[];
  /** Lines it takes until somebody reads. */
  room: number;
  open: boolean;
}

export interface FakeFifos extends FifoPort {
  readonly pipes: Map<string, FakePipe>;
  /** Why nothing can be opened. */
  problem: string | null;
}

export function createFakeFifos(room = 1_000): FakeFifos {
  const pipes = new Map<string, FakePipe>();
  const fifos: FakeFifos = {
    pipes,
    problem: null,
    open({ path }) {
      if (fifos.problem !== null) return err(fifos.problem);
      const pipe: FakePipe = { lines: [], room, open: true };
      pipes.set(path, pipe);
      return ok({
        write(line) {
          if (pipe.room === 0) return "full";
          pipe.room -= 1;
          pipe.lines.push(line);
          return "written";
        },
        unread: () => pipe.lines.length,
        close() {
          pipe.open = false;
        },
      });
    },
  };
  return fifos;
}
