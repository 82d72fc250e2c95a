/** The chain of causes of one instance, in the daemon's own words. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ExplainReply, Explanation } from "../../control/contract/types.ts";
import { useShared } from "./shared.ts";

export function WhyDialog({ instance, onClose }: { readonly instance: string; readonly onClose: () => void }) {
  const { words, live } = useShared();
  const dialog = useRef<HTMLDialogElement>(null);
  const [explanation, setExplanation] = useState<Explanation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    live.api.get<ExplainReply>(`/v1/explain?instance=${encodeURIComponent(instance)}`).then(
      ({ explanations }) => setExplanation(explanations[0] ?? null),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  }, [instance]);
  return (
    <dialog ref={dialog} aria-labelledby="why-title" onClose={onClose}>
      <h2 id="why-title">{words.instances.whyOf(instance)}</h2>
      {problem !== null && <p class="bad">{problem}</p>}
      {explanation === null ? <p role="status">{words.loading}</p> : <Chain explanation={explanation} />}
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          {words.actions.close}
        </button>
      </div>
    </dialog>
  );
}

function Chain({ explanation }: { readonly explanation: Explanation }) {
  const { words } = useShared();
  return (
    <div lang="en">
      <p class="strong">{explanation.headline}</p>
      <ul class="chain">
        {explanation.because.map(({ depth, text }) => (
          <li key={text} class={`depth-${Math.min(depth, 4)}`}>
            {text}
          </li>
        ))}
      </ul>
      <Sentences title={words.instances.next} texts={explanation.outlook} />
      <Sentences title={words.instances.notes} texts={explanation.notes} />
    </div>
  );
}

function Sentences({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
}
