/** What may be ordered from here, as far as the role goes. What is not allowed is shown and says which role it takes. */

import { type Order, rejoin, reload, switchover } from "./orders.ts";
import { useShared } from "./shared.ts";

const ROLES = ["read", "operate", "admin"] as const;

export function Actions() {
  const { words, snapshot } = useShared();
  const { status, positions } = snapshot;
  if (status === null) return null;
  const { actions } = words;
  const managed = status.mysql.filter(({ name }) => positions.has(name));
  return (
    <section aria-labelledby="actions-title">
      <h2 id="actions-title">{actions.title}</h2>
      <p class="dim">{actions.explain}</p>
      <div class="buttons">
        {[...managed, ...status.redis].map(({ name }) => (
          <OrderButton key={name} label={`${actions.switchover} ${name}`} make={switchover(words, name)} />
        ))}
        {managed.map(({ name }) => (
          <OrderButton key={name} label={`${actions.rejoin} ${name}`} make={rejoin(words, name)} />
        ))}
        <OrderButton label={actions.reload} make={reload(words)} />
      </div>
    </section>
  );
}

/** Not taken away but switched off: who lacks the role learns what to ask for. */
export function OrderButton({ label, make }: { readonly label: string; readonly make: Order }) {
  const { words, snapshot, order } = useShared();
  const role = snapshot.session?.role ?? "read";
  const allowed = ROLES.indexOf(role) >= ROLES.indexOf(make.role);
  const why = allowed ? undefined : words.actions.needs(make.role);
  return (
    <span>
      <button
        type="button"
        aria-disabled={!allowed}
        disabled={snapshot.connection !== "live"}
        onClick={() => allowed && order(make)}
        data-order={make.title}
        {...(why === undefined ? {} : { title: why })}
      >
        {label}
      </button>
      {why !== undefined && <small> {why}</small>}
    </span>
  );
}
