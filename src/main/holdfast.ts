#!/usr/bin/env node
/**
 * The first statements of every `holdfast` command, before anything else is loaded: SIGUSR1 means keepalived's data dump,
 * and Node's debugger, which listens to the same signal, is never open. bin/holdfast keeps it shut before this runs.
 */
import { closeDebugger } from "./debugger.ts";

closeDebugger();
await import("./command-line.ts");
