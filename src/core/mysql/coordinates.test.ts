import { expect, test } from "vitest";
import { coordinates, reaches } from "./coordinates.ts";

const at = (file: string, offset: number) => ({ file, offset });

test("file names are compared as numbers: 999999 is before 1000000", () => {
  expect(reaches(at("bin.1000000", 4), at("bin.999999", 900))).toBe(true);
  expect(reaches(at("bin.999999", 900), at("bin.1000000", 4))).toBe(false);
  expect(reaches(at("bin.000007", 900), at("bin.000007", 900))).toBe(true);
  expect(reaches(at("bin.000007", 899), at("bin.000007", 900))).toBe(false);
});

test("files of two series prove nothing", () => {
  expect(reaches(at("m1-bin.000009", 900), at("m2-bin.000001", 4))).toBeNull();
  expect(reaches(at("nonsense", 900), at("nonsense", 4))).toBeNull();
});

test("a server without a binary log has no coordinates", () => {
  expect(coordinates("", "0")).toBeNull();
  expect(coordinates(null, "4")).toBeNull();
  expect(coordinates("bin.000001", null)).toBeNull();
  expect(coordinates("bin.000001", "4")).toEqual(at("bin.000001", 4));
});
