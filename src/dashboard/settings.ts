/** What this browser keeps: language and colours for good, the token for as long as the tab is open. Storage may be forbidden. */
export interface Settings {
  readonly language: "en" | "zh-CN";
  readonly theme: "auto" | "light" | "dark";
}

const SETTINGS = "holdfast.settings";
const TOKEN = "holdfast.token";

export function readSettings(languages: readonly string[]): Settings {
  const preferred = languages.find((one) => /^(en|zh)\b/i.test(one)) ?? "en";
  const defaults: Settings = { language: /^zh/i.test(preferred) ? "zh-CN" : "en", theme: "auto" };
  const kept = parse(attempt(() => localStorage.getItem(SETTINGS)));
  return {
    language: kept.language === "en" || kept.language === "zh-CN" ? kept.language : defaults.language,
    theme: kept.theme === "light" || kept.theme === "dark" ? kept.theme : defaults.theme,
  };
}

function parse(text: string | null): { readonly language?: unknown; readonly theme?: unknown } {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

export function keepSettings(settings: Settings): void {
  attempt(() => localStorage.setItem(SETTINGS, JSON.stringify(settings)));
}

export const readToken = (): string | null => attempt(() => sessionStorage.getItem(TOKEN));

export function keepToken(token: string | null): void {
  attempt(() => (token === null ? sessionStorage.removeItem(TOKEN) : sessionStorage.setItem(TOKEN, token)));
}

function attempt<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
