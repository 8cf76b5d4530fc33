import { expect, it } from "vitest";
import { elementBytes } from "../../src/onnx/elementBytes";
import { readNumbers } from "../../src/onnx/numbers";
import { integerRange } from "../../src/onnx/quantization";
import { openBytes } from "../fixtures/data";
import { modelBytes } from "../fixtures/model";

it.each(["int2", "uint2", "int4", "uint4", "int8", "uint8", "int16", "uint16", "int32"] as const)(
  "whole numbers written as %s are read again",
  (elementType) => {
    const [lowest, highest] = integerRange(elementType)!;
    const data = Int32Array.of(lowest, highest, 1, 0, highest - 1, lowest + 1, 1);
    const written = { name: "w", dims: [7], data, elementType };
    const { model } = openBytes(modelBytes({ nodes: [], outputs: [], initializers: [written] }));
    const tensor = model.graph.initializers.get("w")!;
    expect(Array.from(readNumbers(model.wire, tensor))).toEqual(Array.from(data));
    const bits = Number(/\d+/.exec(elementType));
    expect(elementBytes(written).length).toBe(Math.ceil((7 * bits) / 8));
  },
);
