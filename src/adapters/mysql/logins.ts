/**
 * Which names and passwords are tried, one after the other, so that a password can be changed under a daemon that runs: the file's, the file's
 * other one, and the one that last got in there. Only a refused login goes on to the next. What got in is kept in memory alone.
 */
import type { ClientOptions } from "../../core/mysql/option-file.ts";
import type { Login } from "../credentials.ts";

/** ER_ACCESS_DENIED_ERROR, and the same without a password. */
export const REFUSED: ReadonlySet<number> = new Set([1045, 1698]);

export interface Candidate extends Pick<Login, "user" | "password"> {
  /** What is told when it is not the first that gets in; null of the first. */
  readonly remark: string | null;
}

export class LoginMemory {
  readonly #worked = new Map<string, Pick<Login, "user" | "password">>();

  /** `place` names server and file. */
  candidates(place: string, { user, password, options }: Login, file: string): readonly Candidate[] {
    const list: Candidate[] = [{ user, password, remark: null }];
    const add = (login: Pick<Login, "user" | "password">, remark: string): void => {
      const known = list.some((one) => one.user === login.user && one.password === login.password);
      if (!known) list.push({ ...login, remark });
    };
    const other = otherOf(options, user);
    if (other !== null) add(other, `the login of [holdfast-other] in ${file} is in use: the first one is refused`);
    const before = this.#worked.get(place);
    if (before !== undefined) {
      add(
        before,
        `the login in ${file} is refused; one that it held before is still in use, until the daemon restarts`,
      );
    }
    return list;
  }

  remember(place: string, { user, password }: Pick<Login, "user" | "password">): void {
    this.#worked.set(place, { user, password });
  }
}

function otherOf(options: ClientOptions, user: string): Pick<Login, "user" | "password"> | null {
  if (options.otherUser === undefined && options.otherPassword === undefined) return null;
  return { user: options.otherUser ?? user, password: options.otherPassword ?? options.password ?? "" };
}
