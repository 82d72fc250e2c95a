/** The instances of this host as a table, each with why it is so. */
import { useState } from "preact/hooks";
import type { InstanceView } from "../../control/contract/types.ts";
import { lengthText, timeText } from "../model/format.ts";
import { OWN } from "../model/topology.ts";
import { causeText, faultsText } from "../words/words.ts";
import { useShared } from "./shared.ts";
import { WhyDialog } from "./why-dialog.tsx";

export function Instances() {
  const { words, host } = useShared();
  const [asked, setAsked] = useState<string | null>(null);
  const instances = host.status?.instances ?? [];
  const { instances: said } = words;
  return (
    <section aria-labelledby="instances-title">
      <h2 id="instances-title">{said.title}</h2>
      {instances.length === 0 ? (
        <p>{said.noneDefined}</p>
      ) : (
        <table class="cards">
          <thead>
            <tr>
              {[said.name, said.state, said.since, said.priority, said.address, said.master, said.cause].map(
                (title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {instances.map((view) => (
              <Row key={view.name} view={view} onWhy={() => setAsked(view.name)} />
            ))}
          </tbody>
        </table>
      )}
      {asked !== null && <WhyDialog instance={asked} onClose={() => setAsked(null)} />}
    </section>
  );
}

function Row({ view, onWhy }: { readonly view: InstanceView; readonly onWhy: () => void }) {
  const { words, now, host } = useShared();
  const { instances: said } = words;
  const master = view.state === "MASTER" ? host.title : (view.master?.source ?? "-");
  const priority = view.priority === view.basePriority ? view.priority : `${view.priority}/${view.basePriority}`;
  const cause = view.faults.length > 0 ? faultsText(words, view.faults) : causeText(words, view.cause);
  return (
    <tr data-instance={view.name} data-state={view.phase}>
      <th scope="row" data-title={said.name}>
        {view.name}
        {view.syncGroup !== null && <small>{said.group(view.syncGroup)}</small>}
      </th>
      <td data-title={said.state}>
        <Phase phase={view.phase} />
      </td>
      <td data-title={said.since}>
        {timeText(view.since, now)} <small>{lengthText(now - view.since)}</small>
      </td>
      <td data-title={said.priority}>{priority}</td>
      <td data-title={said.address}>
        {view.addresses.join(", ") || "-"}
        {view.holding && <small>{words.topology.holds}</small>}
      </td>
      <td data-title={said.master}>{master}</td>
      <td data-title={said.cause}>
        <span>{cause}</span>{" "}
        {host.key === OWN && (
          <button type="button" class="link" onClick={onWhy} aria-label={said.whyOf(view.name)}>
            {said.why}
          </button>
        )}
      </td>
    </tr>
  );
}

export const Phase = ({ phase }: { readonly phase: string }) => (
  <span class={`phase ${phase.toLowerCase()}`}>{phase}</span>
);
