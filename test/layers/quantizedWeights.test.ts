import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Layer } from "../../src/layers/layer";
import { resolveConstant } from "../../src/onnx/constants";
import { integerRange, scaleIndex } from "../../src/onnx/quantization";
import { editedModelBytes } from "../../src/onnx/edit";
import { readConstant, scalesOf } from "../../src/onnx/readConstant";
import type { NewInitializer } from "../../src/onnx/encode";
import { ELEMENT_TYPES, type ElementType } from "../../src/onnx/schema";
import { elementCount } from "../../src/onnx/tensor";
import { floats, openBytes, relativeDifference, runModel, runOutput, tensor, uniform } from "../fixtures/data";
import type { TensorValue } from "../../src/runtime/session";
import { constant, modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";
import { rebuilt } from "../fixtures/rebuilt";
import { hasOnnx, checkOnnxBytes } from "../onnxChecker";

/** Sums of float32 in another order. */
const SUMS = 2e-6;
/** Values of x and between the factors, rounded to 8 bits of the largest beside them. */
const EIGHT_BITS = 2 ** -5;

type IntegerType = "int8" | "uint8" | "int16" | "uint16" | "int4" | "uint4";

interface Quantized {
  readonly bytes: Uint8Array;
  /** The value that the MatMul reads. */
  readonly weight: string;
  readonly type: IntegerType;
  readonly m: number;
  readonly d: number;
  readonly isSymmetric: boolean;
  readonly opset: number;
}

const size = fc.integer({ min: 2, max: 9 });

/** x·W with W behind DequantizeLinear, in all the ways in which exporters write that. */
const quantized = fc
  .record({
    type: fc.constantFrom<IntegerType>("int8", "uint8", "int16", "uint16", "int4", "uint4"),
    granularity: fc.constantFrom("tensor", "rank 0 tensor", "axis 0", "axis 1", "axis -1", "blocks of 0", "blocks of 1"),
    zeroPoint: fc.constantFrom("absent", "symmetric", "asymmetric"),
    domain: fc.constantFrom("", "com.microsoft"),
    behind: fc.constantFrom("nothing", "Transpose", "Reshape", "Cast", "Identity"),
    isStoredAsFloat: fc.boolean(),
    d: size,
    m: size,
    blockSize: fc.integer({ min: 2, max: 4 }),
    seed: fc.nat(),
  })
  .map((test): Quantized => {
    const { type, zeroPoint, behind, d, m, blockSize, seed } = test;
    // A Reshape leaves no axis for the scales.
    const granularity = behind === "Reshape" ? "tensor" : test.granularity;
    const isBlocked = granularity.startsWith("blocks");
    // Scales of float16 came with opset 19, the others with 21; onnxruntime's own operators have no blocks.
    const needsNew = isBlocked || type === "int4" || type === "uint4" || behind === "Cast";
    const domain = needsNew ? "" : test.domain;
    const opset = needsNew || (domain === "" && type.endsWith("16")) ? 21 : 13;
    const dims = behind === "Transpose" ? [m, d] : [d, m];
    const axis = Number(granularity.at(-1) ?? 0);
    const places = (dim: number): number => (isBlocked ? Math.ceil(dim / blockSize) : dim);
    const scaleDims = isBlocked
      ? dims.map((dim, at) => (at === axis ? places(dim) : dim))
      : granularity.startsWith("axis")
        ? [dims[granularity === "axis 0" ? 0 : 1]]
        : granularity === "tensor"
          ? [1]
          : [];
    const next = uniform(seed);
    const [lowest, highest] = integerRange(type)!;
    const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
    const count = elementCount(scaleDims);
    const middle = lowest < 0 ? 0 : (highest + 1) / 2;
    const zeros = Int32Array.from({ length: count }, () => (zeroPoint === "asymmetric" ? whole(lowest, highest) : middle));
    const scaleType: ElementType = behind === "Cast" ? "float16" : "float32";
    const initializers: NewInitializer[] = [
      { name: "scale", dims: scaleDims, data: Float32Array.from({ length: count }, () => (0.5 + next()) / (highest - lowest)), elementType: scaleType },
      ...(zeroPoint === "absent" ? [] : [{ name: "zero", dims: scaleDims, data: zeros, elementType: type }]),
    ]; // prettier-ignore
    const attributes: Record<string, number> = {
      ...(granularity.startsWith("axis") ? { axis: granularity === "axis -1" ? -1 : axis } : {}),
      ...(isBlocked ? { axis, block_size: blockSize } : {}),
    };
    const scales = ["scale", ...(zeroPoint === "absent" ? [] : ["zero"])];
    const nodes: TestNode[] = [];
    // Without a zero point a fake-quantized float becomes uint8, or what output_dtype says.
    const isStoredAsFloat = test.isStoredAsFloat && zeroPoint !== "absent";
    if (isStoredAsFloat) {
      initializers.push({ name: "w", dims, data: floats(d * m, seed + 1, 0.3), elementType: scaleType });
      nodes.push(node("QuantizeLinear", ["w", ...scales], "q", attributes, { domain }));
    } else {
      initializers.push({ name: "w", dims, data: Int32Array.from({ length: d * m }, () => whole(lowest, highest)), elementType: type }); // prettier-ignore
    }
    nodes.push(node("DequantizeLinear", [isStoredAsFloat ? "q" : "w", ...scales], "f", attributes, { domain }));
    // Without perm, behind QuantizeLinear, onnxruntime 1.30 aborts.
    if (behind === "Transpose") nodes.push(node("Transpose", ["f"], "v", { perm: [1, 0] }));
    if (behind === "Identity") nodes.push(node("Identity", ["f"], "v"));
    if (behind === "Cast") nodes.push(node("Cast", ["f"], "v", { to: ELEMENT_TYPES.float32 }));
    if (behind === "Reshape") nodes.push(constant("s", [2], BigInt64Array.of(BigInt(d), -1n)), node("Reshape", ["f", "s"], "v"));
    const weight = behind === "nothing" ? "f" : "v";
    const bytes = modelBytes({
      nodes: [...nodes, node("MatMul", ["x", weight], "y")],
      initializers,
      inputs: [value("x", [null, d])],
      outputs: [value("y", [null, null])],
      opset,
      irVersion: opset === 21 ? 10 : 8,
      ...(domain === "" ? {} : { domains: { [domain]: 1 } }),
    });
    const isSymmetric = lowest < 0 ? zeroPoint !== "asymmetric" : zeroPoint === "symmetric";
    return { bytes, weight, type, m, d, isSymmetric, opset };
  }); // prettier-ignore

const forAll = (numRuns: number, property: (test: Quantized) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(quantized, property), { seed: 7, numRuns });

/** A value of the model as onnxruntime computes it. */
async function valueOf(bytes: Uint8Array, name: string, d: number) {
  const exposed = editedModelBytes(openBytes(bytes).model, { addOutputs: [untyped(name)] });
  return (await runModel(exposed, { x: tensor([1, d], 1) })).get(name)!;
}

/** "y" node by node: onnxruntime's optimizer turns DequantizeLinear and MatMul into one that rounds x to 8 bits. */
async function asWritten(bytes: Uint8Array, { data, dims }: TensorValue): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", intraOpNumThreads: 1 });
  try {
    const { y } = await session.run({ x: new Tensor("float32", data as Float32Array, dims) });
    return y.data as Float32Array;
  } finally {
    await session.release();
  }
}

describe("a weight behind DequantizeLinear", () => {
  it("is what onnxruntime computes, bit by bit", () =>
    forAll(150, async ({ bytes, weight, d }) => {
      const { model, index } = openBytes(bytes);
      const resolved = resolveConstant(index, weight);
      if (resolved?.kind !== "constant") throw new Error(resolved?.reason ?? "not resolved");
      const expected = await valueOf(bytes, weight, d);
      expect(resolved.constant).toMatchObject({ name: "w", dims: expected.dims, elementType: "float32" });
      expect(readConstant(model.wire, resolved.constant)).toEqual(expected.data);
    }));

  it("becomes two that are quantized as it is: each number within a step of the exact factor's", () =>
    forAll(100, async (test) => {
      const { bytes, type, d, m } = test;
      const x = tensor([6, d], 2);
      const { layers, factors, decomposed, projected } = await rebuilt(bytes, x);
      expect(layers).toMatchObject([{ weightName: "w", kept: null, view: { rows: m, columns: d } }]);
      expect(relativeDifference(await asWritten(projected, x), await asWritten(bytes, x))).toBeLessThan(SUMS);

      const [first, second] = storedFactors(decomposed);
      const { a, b, rank } = factors[0];
      // Both are read as [inputs, outputs].
      expectWithinStep(first, transposed(b, rank, d), test, layers[0]);
      expectWithinStep(second, transposed(a, m, rank), test, layers[0]);
      for (const { stored } of [first, second]) expect(stored).toBe(type);
      const hidden = product(x.data as Float32Array, first.values, 6, d, rank);
      const expected = product(hidden, second.values, 6, rank, m);
      expect(relativeDifference(await asWritten(decomposed, x), expected)).toBeLessThan(SUMS);
      expect(relativeDifference(await runOutput(decomposed, x, "y"), expected)).toBeLessThan(EIGHT_BITS);
    }));

  it.runIf(hasOnnx())("is written so that onnx accepts it", async () => {
    const models = new Map<string, Uint8Array>();
    for (const [at, test] of fc.sample(quantized, { seed: 11, numRuns: 60 }).entries()) {
      // What this version of onnx knows.
      if (test.opset > 17) continue;
      models.set(`${at}`, (await rebuilt(test.bytes, tensor([6, test.d], 2))).decomposed);
    }
    expect(models.size).toBeGreaterThan(10);
    checkOnnxBytes(models);
  });
});

interface StoredFactor {
  /** As they are used. */
  readonly values: Float32Array;
  /** The type of the numbers that stand for them. */
  readonly stored: ElementType | null;
  /** Of each value. */
  readonly step: (at: number) => number;
  readonly scales: number;
  readonly isShared: boolean;
}

/** The factors that the two MatMuls of a decomposed model read. */
function storedFactors(bytes: Uint8Array): StoredFactor[] {
  const { model, index } = openBytes(bytes);
  return index.graph.nodes
    .filter(({ opType }) => opType === "MatMul")
    .map(({ inputs }) => {
      const resolved = resolveConstant(index, inputs[1] ?? "");
      if (resolved?.kind !== "constant") throw new Error("a factor is no constant");
      const { constant: factor } = resolved;
      const step = factor.steps.find(({ kind }) => kind === "dequantize");
      if (step?.kind !== "dequantize") throw new Error("a factor is not quantized");
      const { quantization } = step;
      const { scale } = scalesOf(model.wire, quantization);
      const at = scaleIndex(factor.dims, scale.length, quantization);
      return {
        values: readConstant(model.wire, factor),
        stored: quantization.type,
        step: (element: number) => scale[at(element)],
        scales: scale.length,
        isShared: scale.length === 1,
      };
    });
}

/** As far as half a step from the exact value where the scheme is symmetric; a step where a zero point is rounded too. */
function expectWithinStep(
  factor: StoredFactor,
  exact: Float64Array,
  { isSymmetric, type }: Quantized,
  { weight }: Layer,
) {
  expect(factor.values).toHaveLength(exact.length);
  const casts = weight.steps.some(({ kind }) => kind === "cast");
  const [lowest, highest] = integerRange(type)!;
  const most = exact.reduce((greatest, one) => Math.max(greatest, Math.abs(one)), 0);
  for (let i = 0; i < exact.length; i++) {
    // Scales of float16 are themselves rounded, and so is what they make.
    const slack = casts ? most * 2 ** -9 : most * 2 ** -22;
    expect(Math.abs(factor.values[i] - exact[i])).toBeLessThanOrEqual(factor.step(i) * (isSymmetric ? 0.5 : 1) + slack);
  }
  const reach = (highest - lowest - 1) / 2;
  // As fine as the values allow: 1 stands for nothing but zeros, and halves are whole multiples of 2⁻²⁴.
  for (let i = 0; i < exact.length; i++) {
    if (factor.step(i) !== 1) expect(factor.step(i)).toBeLessThanOrEqual((most / reach) * 1.01 + 2 ** -24);
  }
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]);
}

function product(x: ArrayLike<number>, w: ArrayLike<number>, n: number, d: number, m: number): Float64Array {
  return Float64Array.from({ length: n * m }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += x[Math.floor(at / m) * d + i] * w[i * m + (at % m)];
    return sum;
  });
}
