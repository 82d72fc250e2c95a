import { expect, test } from "vitest";
import { toRunOptions } from "../cli/run-options.ts";
import type { PlaceConfig } from "../core/config/model.ts";
import { moveIn } from "./place.ts";

const NOWHERE: PlaceConfig = { netNamespace: null, instance: null, usePidDir: false, umask: null };

function live(place: Partial<PlaceConfig>, ...raw: readonly (readonly [string, string])[]) {
  const suffixes: string[] = [];
  const options = moveIn(
    toRunOptions(Object.fromEntries(raw), {}),
    { ...NOWHERE, ...place },
    { rename: (text) => void suffixes.push(text) },
  );
  const { pidFile, vrrpPidFile, checkersPidFile, socketPath, stateDir } = options;
  return { pidFile, vrrpPidFile, checkersPidFile, socketPath, stateDir, suffix: suffixes[0] };
}

test("pid files have keepalived's names, and every instance its own socket and state", () => {
  expect(live({ instance: "INST" })).toEqual({
    pidFile: "/run/keepalived/keepalived_INST.pid",
    vrrpPidFile: "/run/keepalived/vrrp_INST.pid",
    checkersPidFile: "/run/keepalived/checkers_INST.pid",
    socketPath: "/run/keepalived/holdfast_INST.sock",
    stateDir: "/var/lib/holdfast/INST",
    suffix: "_INST",
  });
  expect(live({ netNamespace: "red", instance: "a" })).toMatchObject({
    pidFile: "/run/keepalived/keepalived_a.pid",
    stateDir: "/var/lib/holdfast/red/a",
    suffix: "_red_a",
  });
  expect(live({ usePidDir: true }).pidFile).toBe("/run/keepalived/keepalived.pid");
  expect(live({}).pidFile).toBe("/run/keepalived.pid");
});

test("what the command line names stays where it is", () => {
  expect(live({ instance: "INST" }, ["pid", "/x/p.pid"])).toMatchObject({
    pidFile: "/x/p.pid",
    socketPath: "/x/holdfast.sock",
    stateDir: "/x",
  });
});
