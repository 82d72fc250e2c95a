/**
 * Server-sent events read with fetch: the browser's EventSource can send no header, and a token does not belong into an address. Owns
 * the format (HTML standard, 9.2.6) as far as the daemon uses it: comments, data over several lines, LF and CRLF.
 */
import type { EventEntry } from "../control/contract/types.ts";

/** Takes text as it comes and gives back the data of the records that are complete. */
export function createRecordReader(): (text: string) => string[] {
  let rest = "";
  return (text) => {
    rest += text;
    // A CR at the end may be the first half of CRLF.
    const whole = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
    const records = whole.replace(/\r\n?/g, "\n").split("\n\n");
    const last = records.pop() ?? "";
    rest = last + rest.slice(whole.length);
    return records.map(dataOf).filter((data) => data !== "");
  };
}

function dataOf(record: string): string {
  const lines = record.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
}

/** Calls back for each event until the stream ends; a broken stream is an error. */
export async function readEvents(
  stream: ReadableStream<Uint8Array>,
  onEvent: (entry: EventEntry) => void,
): Promise<void> {
  const take = createRecordReader();
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const data of take(decoder.decode(value, { stream: true }))) onEvent(JSON.parse(data) as EventEntry);
  }
}
