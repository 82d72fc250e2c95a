import { describe, expect, it } from "vitest";
import { en } from "./en.ts";
import { type Cause, causeText, eventText, type Fault } from "./words.ts";
import { zh } from "./zh.ts";

const faults: Fault[] = [
  { kind: "script", key: "chk" },
  { kind: "interface", interface: "eth0", problem: "down" },
];
const causes: Cause[] = [
  { code: "fault", faults },
  { code: "stalled", missedMicros: 2_500_000 },
  { code: "master-down", lastMaster: "192.0.2.1" as never },
  { code: "master-resigned", lastMaster: null },
];

describe("causes", () => {
  it.each([
    [
      en,
      [
        "script chk fails; interface eth0 is down",
        "the process itself stood still for 2.5 s",
        "192.0.2.1 fell silent for the whole Master_Down_Interval",
        "the master resigned (priority 0)",
      ],
    ],
    [
      zh,
      [
        "脚本 chk 失败；接口 eth0 已断开",
        "进程自身停顿了 2.5 s",
        "在整个 Master_Down_Interval 内 192.0.2.1 没有声音",
        "MASTER 已让位（优先级 0）",
      ],
    ],
  ])("are said in both languages", (words, texts) => {
    expect(causes.map((cause) => causeText(words, cause))).toEqual(texts);
  });

  it("of what has no words here the daemon's own are shown, and marked as English", () => {
    const entry = { sequence: 1, at: 1, time: 1, origin: "parent", words: "it was told to stop" } as const;
    expect(eventText(zh, { ...entry, body: { kind: "stopped" } })).toEqual({
      text: "it was told to stop",
      foreign: true,
    });
  });
});
