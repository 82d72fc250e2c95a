/** Where the pages of the rules are: beside the programs in a checkout or an npm package, in the documentation of a .deb or .rpm. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PLACES = [new URL("../../docs/rules/", import.meta.url), new URL("file:///usr/share/doc/holdfast/rules/")];

/** The folder of pages as a file: address, null when they are not installed. */
export function rulePages(): URL | null {
  return PLACES.find((place) => existsSync(place)) ?? null;
}

export function rulePage(pages: URL | null, code: string): string | null {
  return pages === null ? null : new URL(`${encodeURIComponent(code)}.md`, pages).href;
}

/** As a path that a person can open. */
export function rulePath(pages: URL | null, code: string): string | null {
  const page = rulePage(pages, code);
  return page === null ? null : fileURLToPath(page);
}
