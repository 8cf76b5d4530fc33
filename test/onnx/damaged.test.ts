import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isExpected } from "../../src/errors";
import { findLayers } from "../../src/layers";
import { readFloats } from "../../src/onnx/elements";
import { readSmallTensor } from "../../src/onnx/tensor";
import { openBytes, weight } from "../fixtures/data";
import {
  attributeField,
  constant,
  messageField,
  modelBytes,
  node,
  tensorField,
  untyped,
  value,
} from "../fixtures/model";

/** Numbers packed into one field, each below 128. */
const packed = (number: number, ...values: number[]): Uint8Array => messageField(number, Uint8Array.from(values));

/** A small model with something of everything. */
const whole = modelBytes({
  nodes: [
    constant("shape", [2], BigInt64Array.from([-1n, 4n])),
    node(
      "Conv",
      ["x", "k"],
      "c",
      { strides: [2, 2], auto_pad: "SAME_UPPER" },
      { extra: [attributeField("dilations", packed(8, 1, 1), 7)] },
    ),
    node("Reshape", ["c", "shape"], "r"),
    node("Gemm", ["r", "w", "b"], "g", { transB: 1, alpha: { float: 0.5 } }),
    node("If", ["flag"], "y", {}, { graphs: { then_branch: branch("Relu"), else_branch: branch("Neg") } }),
    node("FusedDense", ["g", "w"], "z", {}, { domain: "com.example" }),
  ],
  initializers: [weight("k", [2, 1, 2, 2], 1), weight("w", [3, 4], 2)],
  inputs: [value("x", ["batch", 1, 4, 4]), value("flag", [], "bool")],
  outputs: [value("y", ["batch", 3]), untyped("z")],
  metadata: { key: "value" },
  extra: [tensorField("b", [], "float32", [packed(1, 3), messageField(4, new Uint8Array(12))])],
});

function branch(op: string) {
  return { nodes: [node(op, ["g"], "inner")], outputs: [untyped("inner")] };
}

/** Reads all that can be read. Whether it could; any error but an expected one fails the test. */
function readsAll(bytes: Uint8Array): boolean {
  try {
    const { model, index } = openBytes(bytes);
    for (const tensor of index.constants.values()) {
      readSmallTensor(model.wire, tensor);
      if (tensor.elementType === "float32") readFloats(model.wire, tensor);
    }
    findLayers(index);
    return true;
  } catch (error) {
    if (isExpected(error)) return false;
    throw error;
  }
}

describe("a damaged file gives an expected error or a model, never anything else", () => {
  it("reads the whole model", () => {
    expect(readsAll(whole)).toBe(true);
    expect(findLayers(openBytes(whole).index).layers.map(({ name }) => name)).toEqual(["k", "w"]);
  });

  it("cut off at every byte", () => {
    let refused = 0;
    for (let length = 0; length < whole.length; length++) if (!readsAll(whole.subarray(0, length))) refused++;
    // Only what follows the graph (opsets, metadata) can be missing unnoticed, where the cut is between two fields.
    expect(refused).toBeGreaterThan(0.95 * whole.length);
  });

  it("with every byte changed, in several ways", () => {
    for (let position = 0; position < whole.length; position++) {
      for (const change of [0xff, 0x80, 0x01, 0x08, 0x7f, 0x02]) {
        const bytes = whole.slice();
        bytes[position] ^= change;
        readsAll(bytes);
      }
    }
  });

  it("with parts that reach beyond what they are part of, where the file goes on", () => {
    const initializer = tensorField("b", [3], "float32", [messageField(4, new Uint8Array(12))]);
    const more = new Uint8Array(64);
    for (const cut of [1, 3, 5, 12]) {
      const graph = messageField(7, initializer.subarray(0, initializer.length - cut));
      const bytes = new Uint8Array(Buffer.concat([graph, messageField(1000, more)]));
      expect(readsAll(bytes), `${cut} bytes`).toBe(false);
    }
  });

  it("with a run of bytes left out or repeated", () => {
    const place = fc.nat(whole.length);
    fc.assert(
      fc.property(place, place, fc.boolean(), (a, b, repeat) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const middle = whole.subarray(start, end);
        const parts = repeat ? [whole.subarray(0, end), middle] : [whole.subarray(0, start)];
        readsAll(new Uint8Array(Buffer.concat([...parts, whole.subarray(end)])));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("that is random bytes, alone or as the graph", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readsAll(bytes);
        readsAll(messageField(7, bytes));
        readsAll(messageField(7, messageField(1, bytes)));
        readsAll(messageField(7, messageField(5, bytes)));
      }),
      { seed: 2, numRuns: 3000 },
    );
  });

  it("with graphs nested without end", () => {
    let bytes: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 200; depth++) bytes = messageField(1, messageField(5, messageField(6, bytes)));
    expect(() => openBytes(messageField(7, bytes))).toThrow(/nests more than 30 graphs/);
  });
});
