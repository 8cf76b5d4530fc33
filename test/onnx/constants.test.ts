import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveConstant } from "../../src/onnx/constants";
import { readConstant, transposed } from "../../src/onnx/readConstant";
import { halfToNumber } from "../../src/onnx/halves";
import { ELEMENT_TYPES, type ElementType } from "../../src/onnx/schema";
import { elementCount } from "../../src/onnx/tensor";
import { floats, openBytes, runModel } from "../fixtures/data";
import {
  constant,
  messageField,
  modelBytes,
  node,
  numberField,
  tensorField,
  untyped,
  type TestNode,
} from "../fixtures/model";

type StoredType = "float32" | "float16" | "float64" | "bfloat16";

/** Random bits of a type as raw_data; numbers of every size, but no NaN, which has many spellings. */
function rawBytes(type: StoredType, count: number, seed: number): Uint8Array {
  const values = floats(count, seed);
  if (type === "float32") return new Uint8Array(values.buffer);
  if (type === "float64") return new Uint8Array(Float64Array.from(values, (value) => value * Math.PI).buffer);
  // The upper half of a float32 is a bfloat16; with its sign and any finite exponent it is a float16 too.
  const halves = Uint16Array.from(values, (_, i) => new Uint16Array(values.buffer)[2 * i + 1]);
  const finite = halves.map((bits, i) => (type === "float16" ? (bits & 0x83ff) | ((i % 31) << 10) : bits));
  return new Uint8Array(finite.buffer);
}

interface Chain {
  readonly type: StoredType;
  readonly dims: readonly number[];
  readonly nodes: readonly TestNode[];
  readonly seed: number;
}

/** A stored tensor "w" and a chain from it to "y", which is float32. */
const chains = fc
  .record({
    type: fc.constantFrom<StoredType>("float32", "float16", "float64", "bfloat16"),
    dims: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    ops: fc.array(fc.constantFrom("Identity", "Reshape", "Flatten-like", "Transpose", "Reverse", "Zeros"), {
      maxLength: 5,
    }),
    castAt: fc.nat(5),
    seed: fc.nat(),
  })
  .map(({ type, dims, ops, castAt, seed }): Chain => {
    const nodes: TestNode[] = [];
    let last = "w";
    let shape: readonly number[] = dims;
    const add = (op: string, attributes = {}, more: readonly string[] = []): void => {
      const next = `v${nodes.length}`;
      nodes.push(node(op, [last, ...more], next, attributes));
      last = next;
    };
    const reshape = (target: readonly number[]): void => {
      const name = `target${nodes.length}`;
      nodes.push(constant(name, [target.length], BigInt64Array.from(target.map(BigInt))));
      add("Reshape", {}, [name]);
    };
    const steps: string[] = [...ops];
    steps.splice(Math.min(castAt, steps.length), 0, "Cast");
    for (const step of steps) {
      if (step === "Cast") add("Cast", { to: ELEMENT_TYPES.float32 });
      if (step === "Identity") add("Identity");
      if (step === "Reverse") {
        add("Transpose");
        shape = [...shape].reverse();
      }
      if (step === "Transpose") {
        const perm = shape.map((_, axis) => (axis + 1) % shape.length);
        add("Transpose", { perm });
        shape = perm.map((axis) => shape[axis]);
      }
      if (step === "Reshape") {
        shape = [shape[0], elementCount(shape.slice(1)), 1];
        reshape([shape[0], -1, 1]);
      }
      if (step === "Flatten-like") {
        shape = [elementCount(shape)];
        reshape([-1]);
      }
      if (step === "Zeros") {
        reshape(shape.map((_, axis) => (axis === 0 ? 0 : shape[axis])));
      }
    }
    nodes.push(node("Identity", [last], "y"));
    return { type, dims, nodes, seed };
  });

describe("a constant behind a chain of nodes", () => {
  it("has the elements that onnxruntime computes, bit by bit", () =>
    fc.assert(
      fc.asyncProperty(chains, async ({ type, dims, nodes, seed }) => {
        const raw = rawBytes(type, elementCount(dims), seed);
        const bytes = modelBytes({
          nodes,
          outputs: [untyped("y")],
          extra: [tensorField("w", dims, type, [messageField(9, raw)])],
        });
        const { model, index } = openBytes(bytes);
        const resolved = resolveConstant(index, "y");
        if (resolved?.kind !== "constant") throw new Error(resolved?.reason ?? "not resolved");
        expect(resolved.constant).toMatchObject({ name: "w", elementType: "float32" });
        const expected = (await runModel(bytes, {})).get("y")!;
        expect(resolved.constant.dims).toEqual(expected.dims);
        expect(readConstant(model.wire, resolved.constant)).toEqual(expected.data);
      }),
      { seed: 3, numRuns: 150 },
    ));

  it("has no steps for nodes that change nothing", () => {
    const { index } = openBytes(
      modelBytes({
        nodes: [
          node("Identity", ["w"], "a"),
          constant("same", [2], BigInt64Array.of(2n, -1n)),
          node("Reshape", ["a", "same"], "b"),
          node("Transpose", ["b"], "c", { perm: [0, 1] }),
          node("Cast", ["c"], "y", { to: ELEMENT_TYPES.float32 }),
        ],
        outputs: [untyped("y")],
        initializers: [{ name: "w", dims: [2, 3], data: floats(6, 1) }],
      }),
    );
    expect(resolveConstant(index, "y")).toMatchObject({ constant: { steps: [], dims: [2, 3] } });
  });

  const unreadable: [string, TestNode[], RegExp][] = [
    ["a shape that is computed", [node("Shape", ["x"], "s"), node("Reshape", ["w", "s"], "y")], /not constant/],
    [
      "a shape that does not fit",
      [constant("s", [1], BigInt64Array.of(5n)), node("Reshape", ["w", "s"], "y")],
      /\[5\]/,
    ],
    ["axes that are none", [node("Transpose", ["w"], "y", { perm: [0, 0] })], /\[0, 0\]/],
    ["a conversion to int8", [node("Cast", ["w"], "y", { to: ELEMENT_TYPES.int8 })], /float32 to int8/],
    ["a conversion to nothing known", [node("Cast", ["w"], "y", { to: 99 })], /unknown type/],
  ];
  it.each(unreadable)("is refused with the reason for %s", (_, nodes, reason) => {
    const initializers = [{ name: "w", dims: [2, 3], data: floats(6, 1) }];
    const { index } = openBytes(modelBytes({ nodes, outputs: [untyped("y")], initializers }));
    const resolved = resolveConstant(index, "y");
    expect(resolved?.kind === "unreadable" && resolved.reason).toMatch(reason);
    expect(resolved?.kind === "unreadable" && resolved.reason).toContain("node_y");
  });

  it("ends where the nodes go in a circle, or begin with another operator", () => {
    const nodes = [node("Identity", ["b"], "a"), node("Identity", ["a"], "b"), node("Neg", ["w"], "c")];
    const initializers = [{ name: "w", dims: [2, 3], data: floats(6, 1) }];
    const { index } = openBytes(modelBytes({ nodes, outputs: [untyped("b")], initializers }));
    expect(resolveConstant(index, "b")).toBeNull();
    expect(resolveConstant(index, "c")).toBeNull();
    expect(resolveConstant(index, "none")).toBeNull();
  });
});

it("elements move with their axes", () => {
  expect(transposed(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], [1, 0])).toEqual(Float32Array.of(1, 4, 2, 5, 3, 6));
  expect(transposed(Float64Array.of(7), [], [])).toEqual(Float64Array.of(7));
});

it("half precision is read as IEEE 754 has it, in raw_data and in int32_data", () => {
  const cases = [[0x0000, 0], [0x8000, -0], [0x3c00, 1], [0xc000, -2], [0x0001, 2 ** -24], [0x03ff, 1023 * 2 ** -24], [0x0400, 2 ** -14], [0x7bff, 65504], [0x7c00, Infinity], [0xfc00, -Infinity], [0x7e00, NaN]] as const; // prettier-ignore
  for (const [bits, value] of cases) expect(halfToNumber(bits)).toBe(value);
  const stored = (type: ElementType, bits: readonly number[]) => {
    const field = tensorField("w", [bits.length], type, bits.map((one) => numberField(5, one))); // prettier-ignore
    const { model, index } = openBytes(modelBytes({ nodes: [node("Cast", ["w"], "y", { to: 1 })], outputs: [untyped("y")], extra: [field] })); // prettier-ignore
    const resolved = resolveConstant(index, "y");
    return resolved?.kind === "constant" ? readConstant(model.wire, resolved.constant) : null;
  };
  expect(stored("float16", [0x3c00, 0xc000])).toEqual(Float32Array.of(1, -2));
  expect(stored("bfloat16", [0x3f80, 0xc000])).toEqual(Float32Array.of(1, -2));
});
