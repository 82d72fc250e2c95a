/** Which host's daemon the parts below tell of. Only where there is more than one. */
import type { HostReport } from "../model/hosts.ts";
import { useShared } from "./shared.ts";

interface HostChoiceProps {
  readonly hosts: readonly HostReport[];
  readonly onChoose: (key: string) => void;
}

export function HostChoice({ hosts, onChoose }: HostChoiceProps) {
  const { words, host } = useShared();
  if (hosts.length < 2) return null;
  return (
    <nav aria-label={words.hosts.title} class="hosts">
      <span class="dim">{words.hosts.title}</span>
      {hosts.map(({ key, title }) => (
        <button key={key} type="button" aria-pressed={key === host.key} onClick={() => onChoose(key)} data-host={title}>
          {title}
        </button>
      ))}
      {host.problem !== null && (
        <span class="bad">
          {words.hosts.noReport} <span lang="en">{host.problem}</span>
        </span>
      )}
    </nav>
  );
}
