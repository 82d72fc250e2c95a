/** Virtual servers of the kernel: their real servers with weights and connections, and the draining of one. */
import type { LvsServerView, LvsServiceView } from "../../control/contract/types.ts";
import { OrderButton } from "./actions.tsx";
import { drain } from "./orders.ts";
import { useShared } from "./shared.ts";

export function Pool() {
  const { words, snapshot } = useShared();
  const services = snapshot.lvs?.services ?? [];
  if (services.length === 0) return null;
  return (
    <section aria-labelledby="pool-title">
      <h2 id="pool-title">{words.pool.title}</h2>
      {services.map((service) => (
        <Service key={service.service} service={service} />
      ))}
    </section>
  );
}

function Service({ service }: { readonly service: LvsServiceView }) {
  const { pool } = useShared().words;
  return (
    <>
      <h3>
        {service.service} <small>{service.scheduler}</small>
        {!service.present && <span class="bad"> {pool.absent}</span>}
      </h3>
      <table class="cards">
        <thead>
          <tr>
            {[pool.server, pool.state, pool.weight, pool.load, pool.cause].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {service.servers.map((server) => (
            <Server key={server.server} service={service} server={server} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Server({ service, server }: { readonly service: LvsServiceView; readonly server: LvsServerView }) {
  const { words } = useShared();
  const { pool } = words;
  const drained = server.state === "drained";
  const most = Math.max(1, ...service.servers.map(({ weight }) => weight));
  return (
    <tr data-server={server.server}>
      <th scope="row">{server.server}</th>
      <td data-title={pool.state} class={server.state === "up" ? "good" : "bad"}>
        {pool.states[server.state]}
      </td>
      <td data-title={pool.weight}>
        <meter min={0} max={most} value={server.weight} aria-label={pool.weight} /> {server.weight}
      </td>
      <td data-title={pool.load}>{pool.connections(server.active, server.inactive)}</td>
      <td data-title={pool.cause}>
        <span lang="en">{server.cause}</span>{" "}
        <OrderButton
          label={drained ? pool.undrain : pool.drain}
          make={drain(words, server.server, service.service, !drained)}
        />
      </td>
    </tr>
  );
}
