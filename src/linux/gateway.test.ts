import { expect, test } from "vitest";
import { defaultGateway } from "./gateway.ts";

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const route = (to: string, gateway: string, metric: number, mask: string): string =>
  `eth0\t${to}\t${gateway}\t${gateway === "00000000" ? "0001" : "0003"}\t0\t0\t${metric}\t${mask}\t0\t0\t0\n`;

test("the gateway is that of the default route with the lowest metric", () => {
  const table =
    HEAD +
    route("000BA8C0", "00000000", 0, "00FFFFFF") +
    route("00000000", "FE0BA8C0", 200, "00000000") +
    route("00000000", "010BA8C0", 100, "00000000");
  expect(defaultGateway(table)).toBe("192.168.11.1");
});

test("without a gateway there is nobody to ask", () => {
  expect(defaultGateway("")).toBeNull();
  expect(defaultGateway(HEAD + route("00000000", "00000000", 0, "00000000"))).toBeNull();
});
