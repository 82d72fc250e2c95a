import { afterEach, expect, it } from "vitest";
import type { PeerReportAnswer } from "./actions.ts";
import type { PeersReply } from "./contract/types.ts";
import { reportOf } from "./peer-reports.ts";
import { buildApi } from "./server.ts";
import { fakeClock, masterStatus, sampleModel } from "./testing/samples.ts";

type App = Awaited<ReturnType<typeof buildApi>>;
let app: App | null = null;
afterEach(() => app?.close());

const clock = fakeClock();
const source = {
  readModel: sampleModel(clock),
  actions: {
    status: async () => [masterStatus(clock)],
    reload: async () => ({ outcome: "applied", changes: [], diagnostics: [], detail: "" }) as const,
  },
};

async function peersOf(...answers: readonly PeerReportAnswer[]): Promise<PeersReply["peers"]> {
  app = await buildApi({ ...source, actions: { ...source.actions, peerReports: async () => answers } });
  return (await app.inject("/v1/peers")).json<PeersReply>().peers;
}

it("a report of one daemon is what another shows, with a sentence for each event", async () => {
  const json = await reportOf(source);
  const [peer] = await peersOf({ peer: "192.0.2.1:8112", json, problem: null });
  expect(peer?.report?.status.instances.map(({ name, state }) => [name, state])).toEqual([["VI_82", "MASTER"]]);
  expect(peer?.report?.events.length).toBeGreaterThan(0);
  expect(peer?.report?.events.every(({ words }) => (words ?? "") !== "")).toBe(true);
});

it("what a newer daemon adds is left out, what is no report is none, and who is silent says why", async () => {
  const newer = JSON.stringify({ ...JSON.parse(await reportOf(source)), further: { kind: "news" } });
  const peers = await peersOf(
    { peer: "a", json: newer, problem: null },
    { peer: "b", json: '{"status":{"api":2}}', problem: null },
    { peer: "c", json: "<html>", problem: null },
    { peer: "d", json: null, problem: "not connected" },
  );
  expect(Object.keys(peers[0]?.report ?? {})).toEqual(["status", "events"]);
  expect(peers.slice(1).map(({ report, problem }) => [report, problem])).toEqual([
    [null, expect.stringContaining("one version")],
    [null, expect.stringContaining("one version")],
    [null, "not connected"],
  ]);
});

it("without a peer link there are none", async () => {
  app = await buildApi(source);
  expect((await app.inject("/v1/peers")).json()).toEqual({ api: 1, peers: [] });
});
