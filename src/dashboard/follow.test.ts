import fc from "fast-check";
import { expect, it } from "vitest";
import { createRecordReader } from "./follow.ts";

const STREAM =
  ': holdfast\n\nid: 1\nevent: check\ndata: {"a":1}\n\n:\n\nid: 2\r\ndata: {"b":\r\ndata: 2}\r\n\r\ndata:x\n\n';
const RECORDS = ['{"a":1}', '{"b":\n2}', "x"];

it("gives back the data of each record, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
      const take = createRecordReader();
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      const found = places.slice(1).flatMap((end, index) => take(STREAM.slice(places[index], end)));
      expect(found).toEqual(RECORDS);
    }),
  );
});

it("keeps what is not complete", () => {
  const take = createRecordReader();
  expect(take("data: half")).toEqual([]);
  expect(take(" and half\n\n")).toEqual(["half and half"]);
});
