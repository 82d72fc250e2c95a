/** The dialog before anything is done: the plan as the daemon makes it, then a question. Escape leaves; focus stays inside. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Order, Plan } from "./orders.ts";
import { useShared } from "./shared.ts";

type Stage =
  | { readonly kind: "planning" }
  | { readonly kind: "planned"; readonly plan: Plan }
  | { readonly kind: "running"; readonly plan: Plan }
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "failed"; readonly text: string };

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function OrderDialog({ order, onClose }: { readonly order: Order; readonly onClose: () => void }) {
  const { words, live } = useShared();
  const dialog = useRef<HTMLDialogElement>(null);
  const [stage, setStage] = useState<Stage>({ kind: "planning" });
  useEffect(() => {
    dialog.current?.showModal();
    let gone = false;
    const tell = (next: Stage): void => {
      if (!gone) setStage(next);
    };
    order.plan(live.api).then(
      (plan) => tell({ kind: "planned", plan }),
      (error: unknown) => tell({ kind: "failed", text: reasonOf(error) }),
    );
    return () => {
      gone = true;
    };
  }, [order]);
  const carryOut = async (plan: Plan): Promise<void> => {
    setStage({ kind: "running", plan });
    try {
      setStage({ kind: "done", text: await order.carryOut(live.api) });
    } catch (error) {
      setStage({ kind: "failed", text: reasonOf(error) });
    }
    live.refresh();
  };
  const { actions } = words;
  const ready = stage.kind === "planned" && stage.plan.refused === null ? stage.plan : null;
  const over = stage.kind === "done" || stage.kind === "failed";
  return (
    <dialog ref={dialog} aria-labelledby="order-title" onClose={onClose}>
      <h2 id="order-title">{order.title}</h2>
      <div role="status">
        <StageText stage={stage} />
      </div>
      <div class="buttons">
        {ready !== null && (
          <button type="button" class="danger" data-confirm onClick={() => void carryOut(ready)}>
            {actions.confirm}
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          {over ? actions.close : actions.cancel}
        </button>
      </div>
    </dialog>
  );
}

function StageText({ stage }: { readonly stage: Stage }) {
  const { actions } = useShared().words;
  if (stage.kind === "planning") return <p>{actions.planning}</p>;
  if (stage.kind === "done") return <p class="good">{stage.text}</p>;
  if (stage.kind === "failed") return <p class="bad">{actions.failed(stage.text)}</p>;
  const { steps, refused } = stage.plan;
  return (
    <>
      {steps.length > 0 && (
        <>
          <h3>{actions.plan}</h3>
          <ol class="plan" lang="en">
            {steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </>
      )}
      {refused !== null && <p class="bad">{actions.refused(refused)}</p>}
      {stage.kind === "running" && <p>{actions.running}</p>}
    </>
  );
}
