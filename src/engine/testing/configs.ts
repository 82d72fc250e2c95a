/** Configurations for tests of the control process, by the language itself. */
import { loadConfig } from "../../core/config/load.ts";
import { memorySource } from "../../core/config/memory-source.ts";
import type { HoldfastConfig } from "../../core/config/model.ts";

export function configOf(text: string): HoldfastConfig {
  return loadConfig(memorySource({ "/k.conf": text }), "/k.conf").config;
}
