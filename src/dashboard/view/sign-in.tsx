/** Asks for the token. It goes to sessionStorage at most: it is gone with the tab, and never part of an address. */
import { useRef } from "preact/hooks";
import type { Snapshot } from "../live.ts";
import type { Words } from "../words/words.ts";

interface SignInProps {
  readonly words: Words;
  readonly problem: Snapshot["problem"];
  /** A token was given already, and refused. */
  readonly refused: boolean;
  readonly onToken: (token: string) => void;
}

export function SignIn({ words, problem, refused, onToken }: SignInProps) {
  const field = useRef<HTMLInputElement>(null);
  const { signIn } = words;
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token !== "") onToken(token);
  };
  return (
    <main id="main" tabIndex={-1} class="sign-in">
      <h2>{signIn.title}</h2>
      <p>{signIn.explain}</p>
      {refused && problem !== null && (
        <p class="bad" role="alert" lang="en">
          {problem.message}
        </p>
      )}
      <form onSubmit={submit}>
        <label for="token">{signIn.token}</label>
        <input id="token" ref={field} type="password" autocomplete="off" spellcheck={false} maxLength={512} required />
        <button type="submit">{signIn.submit}</button>
      </form>
      <p class="dim">{signIn.kept}</p>
    </main>
  );
}
