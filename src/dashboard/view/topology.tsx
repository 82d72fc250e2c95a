/** The hosts as boxes, who holds each address, and arrows for what replicates; the same in sentences for those who do not see it. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Box, pathBetween } from "../model/arrow-paths.ts";
import { shortened } from "../model/format.ts";
import { type Arrow, type Topology, type TopologyNode, topologyOf, type Vip } from "../model/topology.ts";
import type { Words } from "../words/words.ts";
import { Phase } from "./instances.tsx";
import { useShared } from "./shared.ts";

const LONGEST_POSITION = 42;

export function TopologyPart() {
  const { words, snapshot } = useShared();
  const { status, session, positions } = snapshot;
  if (status === null) return null;
  const topology = topologyOf({ status, session, positions });
  return (
    <section aria-labelledby="topology-title">
      <h2 id="topology-title">{words.topology.title}</h2>
      <ul class="vips">
        {topology.vips.map((vip) => (
          <VipLine key={`${vip.instance} ${vip.address}`} vip={vip} nodes={topology.nodes} />
        ))}
      </ul>
      <HostMap topology={topology} />
      {topology.arrows.length > 0 && <Arrows topology={topology} />}
    </section>
  );
}

const titleOf = (nodes: readonly TopologyNode[], key: string): string =>
  nodes.find((node) => node.key === key)?.title ?? key;

function VipLine({ vip, nodes }: { readonly vip: Vip; readonly nodes: readonly TopologyNode[] }) {
  const { vips } = useShared().words;
  const [holder, ...more] = vip.holders.map((key) => titleOf(nodes, key));
  const style = holder === undefined ? "bad" : more.length > 0 ? "bad" : "good";
  const text =
    holder === undefined
      ? vips.nobody(vip.address)
      : more.length > 0
        ? vips.twice(vip.address, [holder, ...more].join(", "))
        : vips.held(vip.address, holder);
  return (
    <li class={`vip ${style}`} data-vip={vip.address} data-holder={vip.holders.join(" ")}>
      {text} <small>{vip.instance}</small>
    </li>
  );
}

function HostMap({ topology }: { readonly topology: Topology }) {
  const area = useRef<HTMLDivElement>(null);
  const boxes = useBoxes(area, topology.nodes.map(({ key }) => key).join(" "));
  return (
    <div class="map" ref={area}>
      {topology.nodes.map((node) => (
        <NodeBox key={node.key} node={node} />
      ))}
      <Lines arrows={topology.arrows} boxes={boxes} />
    </div>
  );
}

function NodeBox({ node }: { readonly node: TopologyNode }) {
  const { words } = useShared();
  const { topology: said } = words;
  return (
    <article class={`node ${node.kind}${node.fresh ? "" : " unreached"}`} data-node={node.key} aria-label={node.title}>
      <h3>{node.title}</h3>
      <p class="dim">
        {said[node.kind]}
        {node.version !== null && ` · ${node.version}`}
      </p>
      {!node.fresh && <p class="bad">{said.notFresh}</p>}
      {node.detail !== null && (
        <p class="dim" lang="en">
          {node.detail}
        </p>
      )}
      {node.routers.map(({ instance, phase, priority, holding, addresses }) => (
        <p key={instance} data-router={instance}>
          {instance} <Phase phase={phase} /> <small>{said.priority(priority)}</small>
          {holding && addresses.map((address) => <span class="held">{address}</span>)}
        </p>
      ))}
      {node.servers.map((server) => (
        <p key={`${server.name} ${server.address}`}>
          {server.name} <small>{server.version ?? server.product}</small>{" "}
          {server.open !== null && (
            <span class={server.open ? "open" : "closed"}>{server.open ? said.open : said.closed}</span>
          )}
          {server.position !== null && (
            <code title={`${said.position} ${server.position}`}>{shortened(server.position, LONGEST_POSITION)}</code>
          )}
          {server.trouble !== null && (
            <span class="bad" lang="en">
              {server.trouble}
            </span>
          )}
        </p>
      ))}
    </article>
  );
}

const lagText = (words: Words, { lagSeconds }: Arrow): string =>
  lagSeconds === null ? words.topology.noLag : words.topology.lag(lagSeconds);

/** Only for the eye: `Arrows` says the same. */
function Lines({ arrows, boxes }: { readonly arrows: readonly Arrow[]; readonly boxes: ReadonlyMap<string, Box> }) {
  const { words } = useShared();
  return (
    <svg class="lines" aria-hidden="true">
      <defs>
        <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
          <path d="M0 0 8 4 0 8z" />
        </marker>
      </defs>
      {arrows.map((arrow, index) => {
        const [from, to] = [boxes.get(arrow.from), boxes.get(arrow.to)];
        if (from === undefined || to === undefined) return null;
        const {
          from: start,
          to: end,
          label: [x, y],
          anchor,
        } = pathBetween(from, to, index);
        const text = arrow.state === "running" ? lagText(words, arrow) : words.topology.states[arrow.state];
        return (
          <g key={`${arrow.from} ${arrow.to} ${arrow.group}`} class={`line ${arrow.state}`}>
            <line x1={start[0]} y1={start[1]} x2={end[0]} y2={end[1]} marker-end="url(#head)" />
            <text x={x} y={y} text-anchor={anchor}>
              {text}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

function Arrows({ topology: { arrows, nodes } }: { readonly topology: Topology }) {
  const { words } = useShared();
  const { topology: said } = words;
  return (
    <>
      <h3>{said.replication}</h3>
      <ul class="arrows">
        {arrows.map((arrow) => (
          <li key={`${arrow.from} ${arrow.to} ${arrow.group}`} class={arrow.state === "running" ? "" : "bad"}>
            {said.arrow(arrow.group, titleOf(nodes, arrow.from), titleOf(nodes, arrow.to))}
            {words.and}
            {said.states[arrow.state]}
            {words.and}
            {lagText(words, arrow)}
            {arrow.position !== null && (
              <>
                {words.and}
                {said.position} <code title={arrow.position}>{shortened(arrow.position, LONGEST_POSITION)}</code>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Where the boxes are, inside the map; measured anew whenever its size or its content changes. */
function useBoxes(area: { readonly current: HTMLDivElement | null }, content: string): ReadonlyMap<string, Box> {
  const [boxes, setBoxes] = useState<ReadonlyMap<string, Box>>(new Map());
  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    const measure = (): void => {
      const origin = element.getBoundingClientRect();
      const found = [...element.querySelectorAll<HTMLElement>("[data-node]")].map((box): [string, Box] => {
        const { left, top, right, bottom } = box.getBoundingClientRect();
        const moved = { left: left - origin.left, right: right - origin.left };
        return [box.dataset.node ?? "", { ...moved, top: top - origin.top, bottom: bottom - origin.top }];
      });
      setBoxes(new Map(found));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    for (const box of element.querySelectorAll("[data-node]")) observer.observe(box);
    measure();
    return () => observer.disconnect();
  }, [content]);
  return boxes;
}
