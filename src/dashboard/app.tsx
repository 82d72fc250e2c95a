/** Where the page begins: reads what the browser keeps, follows the daemon, and draws whenever something changes. */
import { render } from "preact";
import { createLive } from "./live.ts";
import { keepSettings, keepToken, readSettings, readToken, type Settings } from "./settings.ts";
import { Page } from "./view/page.tsx";

const root = document.getElementById("app");
let settings = readSettings(navigator.languages);
let token = readToken();
let wanted = false;

const live = createLive(() => draw());

/** At most once a frame, however many events come. */
function draw(): void {
  if (wanted) return;
  wanted = true;
  const now = (): void => {
    wanted = false;
    show();
  };
  // A hidden page has no frames.
  if (document.hidden) setTimeout(now, 0);
  else requestAnimationFrame(now);
}

function show(): void {
  if (root === null) return;
  document.documentElement.lang = settings.language;
  document.documentElement.dataset.theme = settings.theme;
  const host = live.snapshot.session?.host;
  document.title = host === undefined ? "Holdfast" : `${host} · Holdfast`;
  render(
    <Page
      live={live}
      snapshot={live.snapshot}
      settings={settings}
      hasToken={token !== null}
      onSettings={change}
      onToken={signIn}
    />,
    root,
  );
}

function change(changes: Partial<Settings>): void {
  settings = { ...settings, ...changes };
  keepSettings(settings);
  draw();
}

function signIn(next: string | null): void {
  token = next;
  keepToken(next);
  live.begin(next);
}

root?.replaceChildren();
live.begin(token);
