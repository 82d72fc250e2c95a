/**
 * The tokens in force: the file as it is now, read anew when it changes. A file that is missing, readable by others or faulty lets
 * nobody in, and says why. Tokens are compared by their SHA-256 in constant time; none is kept.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { parseTokenFile, type TokenEntry, tokenFileProblem } from "../../core/api/tokens.ts";
import { err, ok, type Result } from "../../core/lib/result.ts";

/** Larger files are no token files. */
const MOST_BYTES = 1_048_576;

export class TokenStore {
  readonly #path: string;
  #mark = "";
  #entries: Result<readonly TokenEntry[], string> = err("not read yet");

  constructor(path: string) {
    this.#path = path;
  }

  /** The entry that the token belongs to; null for none. The error is about the file. */
  find(token: string): Result<TokenEntry | null, string> {
    const entries = this.#read();
    if (!entries.ok) return entries;
    const digest = createHash("sha256").update(token).digest();
    let found: TokenEntry | null = null;
    // Every entry is compared: the time tells nothing about which one was near.
    for (const entry of entries.value) {
      if (timingSafeEqual(digest, Buffer.from(entry.sha256, "hex"))) found = entry;
    }
    return ok(found);
  }

  #read(): Result<readonly TokenEntry[], string> {
    try {
      const status = statSync(this.#path);
      const { mtimeMs, size, ino, mode, uid } = status;
      const mark = [mtimeMs, size, ino, mode, uid].join(" ");
      if (mark === this.#mark) return this.#entries;
      this.#entries = this.#load(status);
      this.#mark = mark;
    } catch (error) {
      this.#mark = "";
      this.#entries = err(`${this.#path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
    }
    return this.#entries;
  }

  #load({ mode, size, uid }: Stats): Result<readonly TokenEntry[], string> {
    const problem = tokenFileProblem(this.#path, mode, { ownedByOther: uid !== 0 && uid !== process.geteuid?.() });
    if (problem !== null) return err(problem);
    if (size > MOST_BYTES) return err(`${this.#path} is larger than ${MOST_BYTES} bytes`);
    const parsed = parseTokenFile(readFileSync(this.#path, "utf8"));
    return parsed.ok ? parsed : err(`${this.#path}: ${parsed.error}`);
  }
}
