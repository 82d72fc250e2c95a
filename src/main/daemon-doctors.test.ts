import { expect, test } from "vitest";
import { CliError, EXIT } from "../cli/exit-codes.ts";
import { askDoctors } from "./daemon-doctors.ts";

const config = { groups: new Set(["orders"]), director: true };
const finding = {
  id: "read-only",
  severity: "warning",
  server: "192.0.2.2:3306",
  what: "w",
  why: "y",
  fix: "f",
} as const;

function daemon(answers: Readonly<Record<string, readonly object[]>>) {
  const asked: string[] = [];
  const get = async <T>(path: string): Promise<T> => {
    asked.push(path);
    const findings = answers[path];
    if (findings === undefined) throw new CliError("the daemon does not answer", EXIT.failed);
    return { api: 1, name: "", servers: [], findings } as T;
  };
  return { asked, get };
}

test("managed groups and the director are asked, and what they find is told", async () => {
  const { asked, get } = daemon({ "/v1/mysql/doctor?name=orders": [finding], "/v1/lvs/doctor": [] });
  expect(await askDoctors(config, { get })).toEqual({ findings: [finding], unseen: [] });
  expect(asked).toEqual(["/v1/mysql/doctor?name=orders", "/v1/lvs/doctor"]);
});

test("who cannot be asked is said", async () => {
  const { get } = daemon({ "/v1/lvs/doctor": [] });
  expect(await askDoctors(config, { get })).toEqual({
    findings: [],
    unseen: [{ what: "servers of orders", why: "the daemon does not answer", fix: "holdfast doctor orders" }],
  });
});

test("a file without either asks nobody", async () => {
  const { asked, get } = daemon({});
  const plain = { groups: new Set<string>(), director: false };
  expect([await askDoctors(plain, { get }), asked]).toEqual([{ findings: [], unseen: [] }, []]);
});
