/** The page as a whole: its head, the parts in their order, what is told to a screen reader, and the dialogs. */
import { useEffect, useState } from "preact/hooks";
import type { Live, Snapshot } from "../live.ts";
import { lengthText, timeText } from "../model/format.ts";
import { chosenHost, type HostReport, hostReports } from "../model/hosts.ts";
import { OWN } from "../model/topology.ts";
import type { Settings } from "../settings.ts";
import { en } from "../words/en.ts";
import type { Words } from "../words/words.ts";
import { zh } from "../words/zh.ts";
import { Actions } from "./actions.tsx";
import { Checks } from "./checks.tsx";
import { Head } from "./head.tsx";
import { HostChoice } from "./host-choice.tsx";
import { Instances } from "./instances.tsx";
import { OrderDialog } from "./order-dialog.tsx";
import type { Order } from "./orders.ts";
import { Pool } from "./pool.tsx";
import { SharedContext, useShared } from "./shared.ts";
import { SignIn } from "./sign-in.tsx";
import { Timeline } from "./timeline.tsx";
import { TopologyPart } from "./topology.tsx";

const TICK_MILLIS = 1_000;

interface PageProps {
  readonly live: Live;
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  /** A token is kept for this tab. */
  readonly hasToken: boolean;
  readonly onSettings: (changes: Partial<Settings>) => void;
  readonly onToken: (token: string | null) => void;
}

export function Page({ live, snapshot, settings, hasToken, onSettings, onToken }: PageProps) {
  const [order, setOrder] = useState<Order | null>(null);
  const [chosen, setChosen] = useState<string>(OWN);
  const now = useTime() + snapshot.clockAhead;
  const words = settings.language === "zh-CN" ? zh : en;
  const hosts = hostReports(snapshot);
  const shared = { words, live, snapshot, now, host: chosenHost(hosts, chosen), order: setOrder };
  return (
    <SharedContext.Provider value={shared}>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <Head settings={settings} hasToken={hasToken} onSettings={onSettings} onToken={onToken} />
      {snapshot.connection === "token-wanted" ? (
        <SignIn words={words} problem={snapshot.problem} refused={hasToken} onToken={onToken} />
      ) : (
        <Body hosts={hosts} onChoose={setChosen} />
      )}
      {order !== null && <OrderDialog order={order} onClose={() => setOrder(null)} />}
      <Announcer words={words} snapshot={snapshot} />
    </SharedContext.Provider>
  );
}

function useTime(): number {
  const [time, setTime] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setTime(Date.now()), TICK_MILLIS);
    return () => clearInterval(timer);
  }, []);
  return time;
}

function Body({
  hosts,
  onChoose,
}: {
  readonly hosts: readonly HostReport[];
  readonly onChoose: (key: string) => void;
}) {
  const { words, snapshot } = useShared();
  const { status, connection, problem } = snapshot;
  if (status === null) {
    return (
      <main id="main" tabIndex={-1}>
        <p role="status">{words.loading}</p>
        {problem !== null && <p class="bad">{problem.message}</p>}
      </main>
    );
  }
  return (
    <main id="main" tabIndex={-1} class={connection === "live" ? "" : "old"}>
      <Warnings />
      <TopologyPart />
      <Pool />
      <HostChoice hosts={hosts} onChoose={onChoose} />
      <Instances />
      <Checks />
      <Timeline />
      <Actions />
      <footer class="dim">{words.footer(status.daemon.version, status.daemon.configFile)}</footer>
    </main>
  );
}

function Warnings() {
  const { words, snapshot, now } = useShared();
  const { status, connection, problem, answeredAt, clockAhead } = snapshot;
  const { warnings } = words;
  const texts: string[] = [];
  if (connection === "lost" && answeredAt !== null) {
    const age = lengthText(now - clockAhead - answeredAt);
    texts.push(words.connection.lostSince(age));
    if (problem?.remedy != null) texts.push(words.connection.remedy(problem.remedy));
  }
  if (status?.daemon.stopping === true) texts.push(warnings.stopping);
  if (status?.stale === true) texts.push(warnings.stale);
  if (status?.journal.writable === false) texts.push(warnings.journal(status.journal.detail ?? words.unknown));
  if (status?.lastReload?.outcome === "refused")
    texts.push(warnings.reload(timeText(status.lastReload.at, now), status.lastReload.detail));
  const findings = status?.diagnostics.filter(({ severity }) => severity !== "info").length ?? 0;
  if (findings > 0) texts.push(warnings.diagnostics(findings));
  return (
    <ul class="warnings" aria-live="polite">
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

/** Changes of state as a screen reader hears them; the first sight of the page is read from the page itself. */
function Announcer({ words, snapshot }: { readonly words: Words; readonly snapshot: Snapshot }) {
  const last = snapshot.events.findLast(({ body }) => body.kind === "vrrp" && body.report.kind === "state");
  const [seen, setSeen] = useState<number | null>(null);
  const live = snapshot.connection === "live";
  useEffect(() => {
    if (live && seen === null) setSeen(last?.sequence ?? 0);
  }, [live]);
  const isNew = seen !== null && last !== undefined && last.sequence > seen;
  const body = isNew ? last.body : null;
  const text =
    body?.kind === "vrrp" && body.report.kind === "state" ? words.vips.changed(body.instance, body.report.to) : "";
  return (
    <div class="hidden" role="status" aria-live="assertive">
      {text}
    </div>
  );
}
