/** The head of the page: host, connection, who is signed in, language, colours. */
import type { Settings } from "../settings.ts";
import { useShared } from "./shared.ts";

interface HeadProps {
  readonly settings: Settings;
  readonly hasToken: boolean;
  readonly onSettings: (changes: Partial<Settings>) => void;
  readonly onToken: (token: string | null) => void;
}

export function Head({ settings, hasToken, onSettings, onToken }: HeadProps) {
  const { words, snapshot } = useShared();
  const { session, connection } = snapshot;
  const other = settings.language === "en" ? "zh-CN" : "en";
  return (
    <header>
      <h1>
        {words.title} {session !== null && <span>{session.host}</span>}
      </h1>
      <p role="status" class={`connection ${connection}`} data-connection={connection}>
        {words.connection[connection]}
      </p>
      {session !== null && (
        <p class="dim who">{words.signIn.as(session.who ?? words.signIn.anonymous, words.roles[session.role])}</p>
      )}
      <div class="settings">
        <button type="button" lang={other} onClick={() => onSettings({ language: other })} data-language={other}>
          {words.otherLanguage}
        </button>
        <label>
          <span class="hidden">{words.theme.label}</span>
          <select
            value={settings.theme}
            onChange={({ currentTarget }) => onSettings({ theme: currentTarget.value as Settings["theme"] })}
          >
            {(["auto", "light", "dark"] as const).map((theme) => (
              <option key={theme} value={theme}>
                {words.theme[theme]}
              </option>
            ))}
          </select>
        </label>
        {hasToken && (
          <button type="button" onClick={() => onToken(null)}>
            {words.signIn.leave}
          </button>
        )}
      </div>
    </header>
  );
}
