import { expect, it } from "vitest";
import type { StatusReply } from "../../control/contract/types.ts";
import { chosenHost, hostReports } from "./hosts.ts";

const status = { peers: [{ peer: "192.0.2.1:8112", host: "db1" }] } as unknown as StatusReply;
const session = { api: 1, host: "db2", who: null, role: "read" } as const;

it("names peers as they name themselves, and keeps those that do not report", () => {
  const theirs = { instances: [] } as unknown as StatusReply;
  const peers = [
    { peer: "192.0.2.1:8112", report: { status: theirs, events: [] }, problem: null },
    { peer: "192.0.2.3:8112", report: null, problem: "not connected" },
  ];
  const hosts = hostReports({ session, status, events: [], peers });
  expect(hosts.map(({ title }) => title)).toEqual(["db2", "db1", "192.0.2.3:8112"]);
  expect(chosenHost(hosts, "192.0.2.1:8112").status).toBe(theirs);
  expect(chosenHost(hosts, "192.0.2.3:8112").problem).toBe("not connected");
});

it("comes back to this host when the chosen one is gone", () => {
  expect(chosenHost(hostReports({ session, status, events: [], peers: [] }), "192.0.2.1:8112").title).toBe("db2");
});
