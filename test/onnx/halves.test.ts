import { expect, it } from "vitest";
import { fromHalves, halfToNumber, nearestHalf, numberToHalf, toHalves } from "../../src/onnx/halves";
import { ELEMENT_TYPES } from "../../src/onnx/schema";
import { floats, runModel } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";

const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

it("every half becomes a number and the same half again; every NaN one of them", () => {
  const numbers = fromHalves(all);
  expect(numbers).toEqual(Float32Array.from(all, halfToNumber));
  const expected = all.map((bits) => (Number.isNaN(numbers[bits]) ? 0x7e00 : bits));
  expect(toHalves(numbers)).toEqual(expected);
  expect(Array.from(all, nearestHalf)).toEqual(Array.from(all, (number) => fromHalves(toHalves([number]))[0]));
});

it("numbers become the nearest half, the even one of two, as onnxruntime rounds them", async () => {
  const positive = Array.from(all.subarray(0, 0x7c00), halfToNumber);
  const middles = positive.slice(1).map((number, at) => (number + positive[at]) / 2);
  // Beside the middles, and between: by the least that a float32 can differ.
  const beside = middles.flatMap((middle) => [middle * (1 + 2 ** -23), middle * (1 - 2 ** -23)]);
  const ends = [65519.99, 65520, 65521, 1e9, Infinity, 2 ** -25, 2 ** -26, 0, -0];
  const numbers = Float32Array.from([...positive, ...middles, ...beside, ...ends, ...floats(5000, 1, 0.01)]);
  const data = Float32Array.from([...numbers, ...numbers.map((number) => -number)]);
  const bytes = modelBytes({
    nodes: [node("Cast", ["x"], "y", { to: ELEMENT_TYPES.float16 })],
    inputs: [value("x", [null])],
    outputs: [untyped("y")],
  });
  const rounded = (await runModel(bytes, { x: { type: "float32", dims: [data.length], data } })).get("y")!;
  expect(rounded.type).toBe("float16");
  expect(fromHalves(toHalves(data))).toEqual(rounded.data);
  expect(numberToHalf(NaN) & 0x7fff).toBe(0x7e00);
});
